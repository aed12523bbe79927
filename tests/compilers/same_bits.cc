// same_bits [--short] [--plant]: SHA-256 digests of the results of a fixed set of conversions,
// products and operations of a model's rest, by the definition and by the kernels of every
// instruction set that the machine has.
// Compiled by another compiler or with other flags it must print the same. Exit code 1 where
// kernels differ from the definition. --plant: one bit of one result is wrong.

#include <bit>
#include <cstdio>
#include <random>
#include <string>
#include <string_view>

#include "emu/crosscheck/random_product.h"
#include "emu/engine.h"
#include "emu/files/sha256.h"
#include "emu/gemm.h"
#include "emu/isa.h"
#include "emu/quantize.h"
#include "tests/every_datapath.h"
#include "tests/every_rest_operation.h"

namespace mxref {
namespace {

class Digest {
 public:
  template <typename T>
  void add(const std::vector<T>& values) {
    bytes_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
    count_ += values.size();
  }
  void plant() { bytes_.back() ^= 1; }
  size_t count() const { return count_; }
  std::string text() const { return sha256(bytes_); }

 private:
  std::string bytes_;
  size_t count_ = 0;
};

// Values of one binade and of many, ties of codes, zeros, subnormal numbers, special values.
std::vector<float> given_values(size_t count) {
  std::mt19937_64 random(1);
  std::vector<float> x(count);
  for (size_t i = 0; i < count; ++i) {
    const auto binade = uint32_t(i / 64 * 37 % 256),
               spread = uint32_t(random() % (1 + i / 64 % 20));
    const uint32_t exponent = binade - std::min(binade, spread);
    auto bits = (uint32_t(random()) & 0x807FFFFF) | exponent << 23;
    if (random() % 3 == 0) bits &= 0xFFF00000;
    if (random() % 5 == 0) bits += uint32_t(random() % 3) - 1;
    if (exponent == 255 && random() % 16 != 0) bits &= 0x80FFFFFF;
    x[i] = std::bit_cast<float>(bits);
  }
  return x;
}

using Converter = MxTensor (*)(std::span<const float> x, std::vector<int64_t> shape,
                               const Conversion& conversion, uint64_t first_element);

// Every rule, rounding, some pre-scales; codes, scales, and what they stand for.
Digest conversions(const BlockFormat& format, Converter convert, bool is_short) {
  const int64_t rows = is_short ? 4 : 24;
  const std::vector<float> x = given_values(size_t(rows) * 150);
  Digest digest;
  const auto add = [&](const Conversion& c) {
    const MxTensor q = convert(x, {rows, 150}, c, 0);
    digest.add(q.codes);
    digest.add(q.scales);
    digest.add(q.tensor_scales);
    digest.add(dequantize(q));
  };
  for (const Rounding& rounding : roundings) {
    if (format.has_tensor_scale()) {
      for (bool by_row : {false, true})
        add({.format = &format, .rounding = &rounding, .seed = 3, .scale_by_row = by_row});
      continue;
    }
    for (const ScaleRule& rule : scale_rules)
      for (const Prescale p : {Prescale{}, Prescale{3, 4}, Prescale{5, 7}})
        for (bool relabel : {false, true})
          add({.format = &format,
               .rule = &rule,
               .rounding = &rounding,
               .prescale = p,
               .block = block_lengths[size_t(&rule - scale_rules.data()) % block_lengths.size()],
               .relabel = relabel,
               .seed = 3});
  }
  return digest;
}

// Every pair of formats, four shapes, with pre-scales and C or without; the short ones small.
Digest products(const Datapath& datapath, Engine& engine, bool is_short) {
  Digest digest;
  for (const BlockFormat& a : block_formats)
    for (const BlockFormat& b : block_formats)
      for (uint64_t seed = is_short ? 2 : 0; seed < (is_short ? 4 : 8); ++seed) {
        if (!no_product(a, b, a.block, datapath).empty()) continue;
        const GivenProduct p = random_product(a, b, seed);
        if (!refusal(engine, a, b, p.a.block(), datapath).empty()) continue;
        std::vector<float> d(size_t(p.a.rows() * p.b.rows()));
        engine.multiply(p.a, *engine.prepare(p.b, datapath), p.c, d);
        digest.add(d);
      }
  return digest;
}

// On values as in models, and on values of all magnitudes, special ones among them.
Digest rest_of_a_model(const RestOperation& operation, bool by_definition, bool is_short) {
  const size_t count = size_t(RestOperand::width) * (is_short ? 8 : 96);
  std::mt19937_64 random(2);
  RestOperand common{std::vector<float>(count)};
  for (float& v : common.values) v = float(int64_t(random()) >> 40) * 0x1p-21f;
  Digest digest;
  for (const RestOperand& x : {common, RestOperand{given_values(count)}})
    digest.add(operation.run(by_definition, x));
  return digest;
}

struct Options {
  bool is_short = false, plant = false;
};

struct Line {
  std::string what;
  size_t count;
  std::string digest;
};

struct Implementation {
  bool is_definition;
  Converter convert;
  std::unique_ptr<Engine> engine;
};

std::vector<Line> lines_of(const Implementation& by, const Options& options) {
  std::vector<Line> lines;
  for (const BlockFormat& format : block_formats) {
    const Digest digest = conversions(format, by.convert, options.is_short);
    lines.push_back({"conversions to " + std::string(format.name), digest.count(), digest.text()});
  }
  for (const Datapath* datapath : every_datapath()) {
    Digest digest = products(*datapath, *by.engine, options.is_short);
    if (options.plant && datapath == every_datapath().back()) digest.plant();
    lines.push_back({"products on " + std::string(datapath->name), digest.count(), digest.text()});
  }
  for (const RestOperation& operation : every_rest_operation) {
    const Digest digest = rest_of_a_model(operation, by.is_definition, options.is_short);
    lines.push_back({"rest: " + std::string(operation.name), digest.count(), digest.text()});
  }
  return lines;
}

void print(std::string_view by, const std::vector<Line>& lines) {
  for (const Line& line : lines)
    std::printf("%s  %-10s  %s: %zu results\n", line.digest.c_str(), std::string(by).c_str(),
                line.what.c_str(), line.count);
}

int run(const Options& options) {
  Options of_definition = options;
  of_definition.plant = false;
  const std::vector<Line> expected =
      lines_of({true, quantize_ref, make_ref_engine()}, of_definition);
  print("definition", expected);
  bool same = true;
  for (const IsaRow& isa : isas) {
    if (!machine_has(isa.isa)) {
      std::printf("skipped: this machine does not have %s\n", std::string(isa.name).c_str());
      continue;
    }
    set_isa(isa.name);
    const Options of_isa{options.is_short, options.plant && isa.isa == Isa::portable};
    const std::vector<Line> got = lines_of({false, quantize, make_kernel_engine()}, of_isa);
    print(isa.name, got);
    for (size_t i = 0; i < got.size(); ++i)
      if (got[i].digest != expected[i].digest) {
        std::printf("different: %s by %s\n", got[i].what.c_str(), std::string(isa.name).c_str());
        same = false;
      }
  }
  return same ? 0 : 1;
}

}  // namespace
}  // namespace mxref

int main(int argc, char** argv) {
  mxref::Options options;
  for (int i = 1; i < argc; ++i) {
    options.is_short |= argv[i] == std::string_view("--short");
    options.plant |= argv[i] == std::string_view("--plant");
  }
  return mxref::run(options);
}
