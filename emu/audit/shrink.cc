#include "emu/audit/shrink.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>

#include "emu/binary32.h"
#include "emu/e8m0.h"

namespace mxref {
namespace {

class Budget {
 public:
  explicit Budget(const ShrinkLimits& limits) : left_(limits.runs), seconds_(limits.seconds) {}
  bool take() {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start_;
    return left_-- > 0 && took.count() < seconds_;
  }

 private:
  int64_t left_;
  double seconds_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Parts of `count` things to try without: halves, quarters, … one thing each.
struct Part {
  size_t first, count;
};
std::vector<Part> parts_of(size_t count) {
  std::vector<Part> parts;
  for (size_t size = (count + 1) / 2; size > 0; size = size == 1 ? 0 : (size + 1) / 2)
    for (size_t first = 0; first < count; first += size)
      parts.push_back({first, std::min(size, count - first)});
  return parts;
}

// Inputs of one kind, from the simplest change on: the first that fails is taken, until none does.
template <typename Input>
class Shrinker {
 public:
  using Candidates = std::vector<Input>;

  // The index of the first candidate that fails.
  virtual std::optional<size_t> first_failing(const Candidates& candidates) = 0;
  virtual Candidates simpler(const Input& input) const = 0;
  virtual ~Shrinker() = default;

  Input run(Input input) {
    while (true) {
      Candidates candidates = simpler(input);
      const std::optional<size_t> failing = first_failing(candidates);
      if (!failing) return input;
      input = std::move(candidates[*failing]);
    }
  }
};

// M = N = 1.
class ProductShrinker : public Shrinker<ProductInput> {
 public:
  ProductShrinker(Simulator& simulator, const Datapath& datapath, const ClassRow& row,
                  Budget& budget)
      : simulator_(simulator), datapath_(datapath), row_(row), budget_(budget) {}

  std::optional<size_t> first_failing(const Candidates& candidates) override {
    // Those of one shape are one run: candidate i is row i of a and of b, its result is (i, i).
    for (size_t first = 0; first < candidates.size();) {
      size_t end = first + 1;
      while (end < candidates.size() && end - first < rows_of_a_run &&
             is_alike(candidates[first], candidates[end]))
        ++end;
      if (!budget_.take()) return {};
      for (size_t i : failing(std::span(candidates).subspan(first, end - first)))
        // A simulator whose result depends on what else is in the run must fail alone too.
        if (end - first == 1 || (budget_.take() && !failing({&candidates[first + i], 1}).empty()))
          return first + i;
      first = end;
    }
    return {};
  }

  std::vector<size_t> failing(std::span<const ProductInput> inputs) const {
    ProductInput all = inputs.front();
    const bool has_c = !all.c.empty();
    const size_t count = inputs.size();
    all.a.shape[0] = all.b.shape[0] = int64_t(count);
    all.c.assign(has_c ? count * count : 0, 0);
    for (size_t i = 0; i < count; ++i) {
      if (has_c) std::fill_n(all.c.begin() + long(i * count), count, inputs[i].c[0]);
      if (i == 0) continue;
      append(all.a, inputs[i].a);
      append(all.b, inputs[i].b);
    }
    std::vector<size_t> found;
    try {
      const ProductCase answered(all, simulator_.multiply(all, datapath_), datapath_);
      for (size_t i = 0; i < count; ++i) {
        const auto unit = int64_t(i * count + i);
        if (answered.unit(unit).differs() && differs_as(row_, answered, unit)) found.push_back(i);
      }
    } catch (const std::runtime_error&) {
      // What it does not take is no difference.
    }
    return found;
  }

  Candidates simpler(const ProductInput& input) const override {
    Candidates candidates;
    if (!input.c.empty()) candidates.push_back({input.a, input.b, {}});
    add_single_blocks(input, candidates);
    for (const Part& part : parts_of(nonzero(input).size())) add_without(input, part, candidates);
    add_closed_up(input, candidates);
    add_simple_values(input, candidates);
    return candidates;
  }

 private:
  static constexpr size_t rows_of_a_run = 32;

  static bool is_alike(const ProductInput& x, const ProductInput& y) {
    return x.a.cols() == y.a.cols() && x.c.empty() == y.c.empty() &&
           x.a.tensor_scales == y.a.tensor_scales && x.b.tensor_scales == y.b.tensor_scales;
  }
  static void append(MxTensor& to, const MxTensor& row) {
    to.codes.insert(to.codes.end(), row.codes.begin(), row.codes.end());
    to.scales.insert(to.scales.end(), row.scales.begin(), row.scales.end());
  }
  // Elements where not both codes are +0.
  static std::vector<size_t> nonzero(const ProductInput& input) {
    std::vector<size_t> places;
    for (size_t i = 0; i < input.a.codes.size(); ++i)
      if (input.a.codes[i] != 0 || input.b.codes[i] != 0) places.push_back(i);
    return places;
  }
  static MxTensor with_codes(const MxTensor& q, std::vector<uint8_t> codes, size_t first_block) {
    MxTensor other = q;
    other.shape = {1, int64_t(codes.size())};
    other.codes = std::move(codes);
    other.scales = {q.scales.begin() + long(first_block),
                    q.scales.begin() + long(first_block + size_t(other.blocks_per_row()))};
    return other;
  }

  static void add_single_blocks(const ProductInput& input, Candidates& candidates) {
    if (input.a.blocks_per_row() == 1) return;
    for (int64_t block = 0; block < input.a.blocks_per_row(); ++block) {
      const auto cut = [&](const MxTensor& q) {
        const auto codes = block_of(row_of(q, 0), block).codes;
        return with_codes(q, {codes.begin(), codes.end()}, size_t(block));
      };
      candidates.push_back({cut(input.a), cut(input.b), input.c});
    }
  }
  static void add_without(const ProductInput& input, const Part& part, Candidates& candidates) {
    const std::vector<size_t> places = nonzero(input);
    ProductInput without = input;
    for (size_t i = part.first; i < part.first + part.count; ++i)
      without.a.codes[places[i]] = without.b.codes[places[i]] = 0;
    candidates.push_back(std::move(without));
  }
  // The row ends behind its last element; of one block, all that are zero go.
  static void add_closed_up(const ProductInput& input, Candidates& candidates) {
    std::vector<size_t> places = nonzero(input);
    if (places.empty()) places = {0};  // a row has one element at least
    if (places.size() == input.a.codes.size()) return;
    if (input.a.blocks_per_row() == 1) {
      const auto closed = [&](const MxTensor& q) {
        std::vector<uint8_t> codes(places.size());
        std::ranges::transform(places, codes.begin(), [&](size_t i) { return q.codes[i]; });
        return with_codes(q, std::move(codes), 0);
      };
      candidates.push_back({closed(input.a), closed(input.b), input.c});
    }
    if (places.back() + 1 == input.a.codes.size()) return;
    const auto cut = [&](const MxTensor& q) {
      return with_codes(q, {q.codes.begin(), q.codes.begin() + long(places.back() + 1)}, 0);
    };
    candidates.push_back({cut(input.a), cut(input.b), input.c});
  }
  // Codes without their sign, then that of 1; scales of 1; C of +0.
  static void add_simple_values(const ProductInput& input, Candidates& candidates) {
    const auto change = [&](MxTensor ProductInput::*side, auto member, size_t i, uint8_t value) {
      if ((input.*side.*member)[i] == value) return;
      ProductInput other = input;
      (other.*side.*member)[i] = value;
      candidates.push_back(std::move(other));
    };
    for (auto side : {&ProductInput::a, &ProductInput::b}) {
      const MxTensor& q = input.*side;
      const ElementFormat& f = q.element();
      const auto one = uint8_t(f.bias << f.mantissa_bits);
      for (size_t i = 0; i < q.codes.size(); ++i) {
        if (q.codes[i] == 0 || q.codes[i] == one) continue;
        change(side, &MxTensor::codes, i, one);
        if (is_negative(f, q.codes[i]))
          change(side, &MxTensor::codes, i, uint8_t(f.magnitude(q.codes[i]) & f.magnitude_mask()));
      }
      for (size_t i = 0; i < q.scales.size(); ++i)
        change(side, &MxTensor::scales, i, q.format().scale->one);
    }
    if (!input.c.empty() && std::bit_cast<uint32_t>(input.c[0]) != 0)
      candidates.push_back({input.a, input.b, {0.0f}});
  }

  Simulator& simulator_;
  const Datapath& datapath_;
  const ClassRow& row_;
  Budget& budget_;
};

// One row of one block.
class ConversionShrinker : public Shrinker<ConversionInput> {
 public:
  ConversionShrinker(Simulator& simulator, const ClassRow& row, Budget& budget)
      : simulator_(simulator), row_(row), budget_(budget) {}

  std::optional<size_t> first_failing(const Candidates& candidates) override {
    for (size_t i = 0; i < candidates.size(); ++i) {
      // Random words and tensor scales depend on what else is in the run: else rows share one.
      size_t count = 1;
      while (can_share(candidates[i]) && i + count < candidates.size() && count < rows_of_a_run &&
             candidates[i + count].shape == candidates[i].shape)
        ++count;
      if (!budget_.take()) return {};
      for (size_t row : failing(std::span(candidates).subspan(i, count)))
        if (count == 1 || (budget_.take() && !failing({&candidates[i + row], 1}).empty()))
          return i + row;
      i += count - 1;
    }
    return {};
  }

  std::vector<size_t> failing(std::span<const ConversionInput> rows) const {
    ConversionInput all = rows.front();
    all.shape[0] = int64_t(rows.size());
    for (const ConversionInput& row : rows.subspan(1))
      all.x.insert(all.x.end(), row.x.begin(), row.x.end());
    std::vector<size_t> found;
    try {
      const ConversionCase answered(all, simulator_.convert(all));
      const int64_t units = answered.units();
      for (int64_t unit = 0; unit < units; ++unit)
        if (answered.unit(unit).differs() && differs_as(row_, answered, unit))
          found.push_back(std::min(size_t(unit), rows.size() - 1));
    } catch (const std::runtime_error&) {
      // What it does not take is no difference.
    }
    return found;
  }

  Candidates simpler(const ConversionInput& input) const override {
    Candidates candidates;
    std::vector<float> nonzero;
    for (float x : input.x)
      if (std::bit_cast<uint32_t>(x) != 0) nonzero.push_back(x);
    const auto add = [&](std::vector<float> x) {
      candidates.push_back({input.conversion, {1, int64_t(x.size())}, std::move(x)});
    };
    if (!nonzero.empty() && nonzero.size() < input.x.size()) add(nonzero);
    for (const Part& part : parts_of(input.x.size())) {
      std::vector<float> without = input.x;
      const auto begin = without.begin() + long(part.first), end = begin + long(part.count);
      if (std::all_of(begin, end, [](float x) { return std::bit_cast<uint32_t>(x) == 0; }))
        continue;
      std::fill(begin, end, 0.0f);
      add(std::move(without));
    }
    add_simple_values(input, add);
    return candidates;
  }

 private:
  static constexpr size_t rows_of_a_run = 64;

  static bool can_share(const ConversionInput& input) {
    return !input.conversion.rounding->stochastic && !input.conversion.format->has_tensor_scale();
  }
  // Without sign; the significand cut after each of its bits; all of them near 1.
  template <typename Add>
  static void add_simple_values(const ConversionInput& input, const Add& add) {
    const auto change = [&](size_t i, uint32_t bits) {
      std::vector<float> x = input.x;
      if (std::bit_cast<uint32_t>(x[i]) == bits) return;
      x[i] = std::bit_cast<float>(bits);
      add(std::move(x));
    };
    for (size_t i = 0; i < input.x.size(); ++i) {
      const auto bits = std::bit_cast<uint32_t>(input.x[i]);
      if (!binary32::is_finite(bits)) continue;
      for (int kept = 0; kept < binary32::mantissa_bits; ++kept)
        change(i, bits & ~((1u << (binary32::mantissa_bits - kept)) - 1));
      change(i, bits & ~binary32::sign_mask);
    }
    float largest = 0;
    for (float x : input.x) largest = std::max(largest, std::abs(x));
    if (!(largest > 0) || std::isinf(largest) || std::ilogb(largest) == 0) return;
    std::vector<float> x = input.x;
    for (float& v : x) v = std::scalbn(v, -std::ilogb(largest));
    add(std::move(x));
  }

  Simulator& simulator_;
  const ClassRow& row_;
  Budget& budget_;
};

}  // namespace

std::unique_ptr<ProductCase> shrink(Simulator& simulator, const ProductInput& one,
                                    const Datapath& datapath, const ClassRow& row,
                                    const ShrinkLimits& limits) {
  Budget budget(limits);
  ProductShrinker shrinker(simulator, datapath, row, budget);
  if (shrinker.failing({&one, 1}).empty()) return nullptr;
  const ProductInput least = shrinker.run(one);
  return std::make_unique<ProductCase>(least, simulator.multiply(least, datapath), datapath);
}

std::unique_ptr<ConversionCase> shrink(Simulator& simulator, const ConversionInput& one,
                                       const ClassRow& row, const ShrinkLimits& limits) {
  Budget budget(limits);
  ConversionShrinker shrinker(simulator, row, budget);
  if (shrinker.failing({&one, 1}).empty()) return nullptr;
  const ConversionInput least = shrinker.run(one);
  return std::make_unique<ConversionCase>(least, simulator.convert(least));
}

}  // namespace mxref
