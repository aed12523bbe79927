#include "emu/vectors/vectors.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>

#include "emu/binary32.h"
#include "emu/codec.h"
#include "emu/dot.h"
#include "emu/e8m0.h"
#include "emu/files/atomic_file.h"
#include "emu/gemm.h"
#include "emu/hex.h"
#include "emu/quantize.h"
#include "emu/vectors/stimulus.h"
#include "tests/temporary_folder.h"
#include "tests/vector_reader.h"

using namespace mxref;
namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(golden_vectors)

static BlockSum sum_of(const Vectors& v, size_t i) {
  const auto block = size_t(v.block);
  return block_sum(*v.format_a->element, std::span(v.codes_a).subspan(i * block, block),
                   *v.format_b->element, std::span(v.codes_b).subspan(i * block, block));
}

template <typename Check>
static void for_every_pair(Check check) {
  for (const BlockFormat& a : block_formats)
    for (const BlockFormat& b : block_formats)
      for (const Datapath& datapath : datapaths)
        if (no_product(a, b, a.block, datapath).empty()) check(a, b, datapath);
}

// An element's value by the formula of ARITHMETIC.md §1.
static double value_of(const ElementFormat& f, uint8_t code) {
  if (f.sign == Sign::twos_complement)
    return std::ldexp(double(code) - (code & f.sign_mask() ? 2.0 * f.sign_mask() : 0),
                      -f.mantissa_bits);
  const double sign = code & f.sign_mask() ? -1 : 1;
  if (f.has_inf() && (code & f.magnitude_mask()) >> f.mantissa_bits == (1u << f.exponent_bits) - 1)
    return code & f.mantissa_mask() ? NAN : sign * INFINITY;
  const int E = (code & f.magnitude_mask()) >> f.mantissa_bits;
  const double M = double(code & f.mantissa_mask()) / (1 << f.mantissa_bits);
  if (f.has_nan() && (code & f.magnitude_mask()) == f.magnitude_mask()) return NAN;
  return sign * (E ? std::ldexp(1 + M, E - f.bias) : std::ldexp(M, 1 - f.bias));
}

// acc + term as binary32 by way of binary64, rounded to odd there: then the second rounding is as
// if it were the only one.
static uint32_t add_rounded_once(float acc, double term) {
  double sum = double(acc) + term;
  const double from_term = sum - double(acc);
  const double error = (double(acc) - (sum - from_term)) + (term - from_term);
  if (std::isfinite(sum) && error != 0 && std::bit_cast<uint64_t>(sum) % 2 == 0)
    sum = std::nextafter(sum, error > 0 ? INFINITY : -INFINITY);
  return std::bit_cast<uint32_t>(float(sum));
}

static uint32_t canonical(float x) {
  return std::isnan(x) ? binary32::canonical_nan : std::bit_cast<uint32_t>(x);
}

// Datapath fused in binary64, where the sum of a block and its scales are exact.
static uint32_t fused_oracle(const Vectors& v, size_t i) {
  const bool is_nvfp4 = v.format_a->has_tensor_scale();
  const auto scale = [&](uint8_t code) {
    if (is_nvfp4) return value_of(e4m3, code & 0x7F);
    return code == 0xFF ? NAN : std::ldexp(1.0, code - 127);
  };
  double sum = 0;
  bool changes = false;
  for (size_t k = i * size_t(v.block); k < (i + 1) * size_t(v.block); ++k) {
    const double product =
        value_of(*v.format_a->element, v.codes_a[k]) * value_of(*v.format_b->element, v.codes_b[k]);
    sum += product;
    changes |= product != 0;
  }
  const auto acc = std::bit_cast<float>(v.acc_in[i]);
  const double term = sum * scale(v.scale_a[i]) * scale(v.scale_b[i]);
  if (std::isnan(acc) || std::isnan(term)) return 0x7FC00000;
  if (std::isinf(term)) return canonical(acc + float(term));
  if (changes && term == 0 && acc == 0) return 0;  // under a scale that is zero
  return changes && !std::isinf(acc) ? add_rounded_once(acc, term) : v.acc_in[i];
}

BOOST_AUTO_TEST_CASE(acc_out_is_what_binary64_gives) {
  for (const BlockFormat& a : block_formats)
    for (const BlockFormat& b : block_formats) {
      constexpr int binary64_bits = 53, block_bits = 5;
      if (a.scale != b.scale ||
          a.element->magnitude_units_bits() + b.element->magnitude_units_bits() + block_bits >
              binary64_bits)
        continue;
      const Vectors v = random_vectors(a, b, datapath("fused"), 5000, 3);
      BOOST_TEST(v.count() == 5000u);
      for (size_t i = 0; i < v.count(); ++i)
        BOOST_TEST(v.acc_out[i] == fused_oracle(v, i), a.name << " × " << b.name << ", index " << i
                                                              << ", acc_in 0x"
                                                              << to_hex(v.acc_in[i], 8));
    }
}

BOOST_AUTO_TEST_CASE(the_seed_decides_all) {
  const auto make = [](uint64_t seed) {
    return random_vectors(block_formats[0], block_formats[1], datapaths[0], 64, seed);
  };
  BOOST_CHECK(make(7) == make(7));
  BOOST_CHECK(make(7).codes_a != make(8).codes_a);
}

// Each special case must be among a thousand random vectors, or the vectors prove little.
BOOST_AUTO_TEST_CASE(special_values_are_among_them) {
  for_every_pair([](const auto& a, const auto& b, const Datapath& datapath) {
    const Vectors v = random_vectors(a, b, datapath, 1000, 1);
    int nan_code = 0, nan_scale = 0, scale_ends = 0, nan_acc = 0, inf_acc = 0, subnormal_acc = 0,
        minus_zero = 0, cancelled = 0, overflow = 0, subnormal_out = 0, twice_differs = 0;
    for (size_t i = 0; i < v.count(); ++i) {
      const BlockSum sum = sum_of(v, i);
      const uint32_t in = v.acc_in[i], out = v.acc_out[i], magnitude = in & ~binary32::sign_mask;
      const bool is_nvfp4 = a.has_tensor_scale();
      const auto is_end = [&](uint8_t s) {
        return is_nvfp4 ? (s & 0x7F) == 0 || (s & 0x7F) == 0x7E : s == 0 || s == 254;
      };
      nan_code += sum.is_nan;
      nan_scale += a.scale->is_nan(v.scale_a[i]) || b.scale->is_nan(v.scale_b[i]);
      scale_ends += is_end(v.scale_a[i]) || is_end(v.scale_b[i]);
      nan_acc += binary32::is_nan(in);
      inf_acc += binary32::is_inf(in);
      subnormal_acc += magnitude > 0 && magnitude < 0x00800000;
      minus_zero += in == binary32::sign_mask;
      cancelled += out == 0 && magnitude != 0;
      overflow += binary32::is_inf(out) && binary32::is_finite(in);
      subnormal_out += (out & ~binary32::sign_mask) - 1 < 0x007FFFFF && sum.has_nonzero_product;
      // Two roundings instead of one show where ties and double roundings are.
      const uint32_t term =
          accumulate_block(datapath, 0, sum, v.scale_a[i], v.scale_b[i], *a.scale, *b.scale);
      const float twice = std::bit_cast<float>(in) + std::bit_cast<float>(term);
      twice_differs += !std::isnan(twice) && std::bit_cast<uint32_t>(twice) != out;
    }
    BOOST_TEST((nan_code > 0) == (a.element->has_nan() || b.element->has_nan()));
    for (int count : {nan_scale, scale_ends, nan_acc, inf_acc, subnormal_acc, minus_zero})
      BOOST_TEST(count > 0);
    if (datapath.kind == Accumulation::fused) BOOST_TEST(cancelled > 0);
    if (datapath.kind == Accumulation::fused && !a.has_tensor_scale())
      for (int count : {overflow, subnormal_out, twice_differs}) BOOST_TEST(count > 0);
  });
}

BOOST_AUTO_TEST_CASE(every_code_is_drawn) {
  Stimulus stimulus(1);
  for (const BlockFormat& format : block_formats) {
    std::vector<int> seen(size_t(1) << format.element->bits());
    std::vector<uint8_t> block(32);
    for (int i = 0; i < 2000; ++i) {
      stimulus.codes(*format.element, block);
      for (uint8_t code : block) ++seen.at(code);
    }
    for (size_t code = 0; code < seen.size(); ++code)
      BOOST_TEST(seen[code] > 0, format.name << " code " << code);
  }
}

// Operands of a product, K no multiple of the block.
static std::pair<MxTensor, MxTensor> operands() {
  std::vector<float> x(4 * 70), w(3 * 70);
  for (size_t i = 0; i < x.size(); ++i) x[i] = std::sin(float(i)) * 3;
  for (size_t i = 0; i < w.size(); ++i) w[i] = std::cos(float(i) * 0.7f);
  return {quantize(x, {4, 70}, {.format = &block_format("mxfp8_e4m3")}),
          quantize(w, {3, 70}, {.format = &block_format("mxfp4")})};
}

BOOST_AUTO_TEST_CASE(model_vectors_are_the_chains_of_a_product) {
  const auto [a, b] = operands();
  const Vectors v = model_vectors(a, b, datapath("fused"), 9, 5);
  std::vector<float> d(12);
  gemm_ref(a, b, datapath("fused"), {}, d);
  for (size_t chain = 0; chain < 3; ++chain) {
    BOOST_TEST(v.acc_in[3 * chain] == 0u);
    BOOST_TEST(v.acc_in[3 * chain + 1] == v.acc_out[3 * chain]);
    BOOST_TEST(v.acc_in[3 * chain + 2] == v.acc_out[3 * chain + 1]);
    const float last = std::bit_cast<float>(v.acc_out[3 * chain + 2]);
    BOOST_TEST((std::find(d.begin(), d.end(), last) != d.end()));
    // The last block has 6 elements; the rest are +0 codes.
    for (size_t k = 6; k < 32; ++k) BOOST_TEST(v.codes_a[(3 * chain + 2) * 32 + k] == 0);
  }
}

BOOST_AUTO_TEST_CASE(every_form_reads_back_what_was_written) {
  const TemporaryFolder folder;
  const auto [a, b] = operands();
  Vectors named = model_vectors(a, b, datapaths[0], 10, 2);
  named.source = "model: layer (10)";
  // clang 14 captures structured bindings by a new name only, here and elsewhere.
  for_every_pair([&, &a = a, &b = b](const auto& fa, const auto& fb, const Datapath& datapath) {
    for (const Vectors& v : {random_vectors(fa, fb, datapath, 50, 0xFFFFFFFFFFFFFFFF),
                             model_vectors(a, b, datapath, 10, 2), named})
      for (const VectorForm& form : vector_forms) {
        form.write(v, folder.path() / form.file);
        BOOST_CHECK(read_vectors(form.name, folder.path() / form.file) == v);
      }
  });
}

BOOST_AUTO_TEST_CASE(memh_words_hold_element_0_lowest) {
  const TemporaryFolder folder;
  Vectors v = random_vectors(block_format("mxfp4"), block_format("mxfp8_e4m3"), datapaths[0], 1, 1);
  for (size_t k = 0; k < 32; ++k) {
    v.codes_a[k] = uint8_t(k % 16);
    v.codes_b[k] = uint8_t(k);
  }
  v.scale_a = {0x7F};
  v.scale_b = {0x0A};
  v.acc_in = {0x3F800000};
  v.acc_out = {0x00C0FFEE};
  const fs::path path = folder / "vectors.memh";
  find_by_name(vector_forms, "form", "memh").write(v, path);
  const std::string text = read_file(path);
  BOOST_TEST(
      text.ends_with("\nfedcba9876543210fedcba9876543210_"
                     "1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100_"
                     "7f_0a_3f800000_00c0ffee\n"));
}

// The control of the test above: a file that lacks its end, or says another word, is not the same.
BOOST_AUTO_TEST_CASE(a_file_that_was_changed_does_not_read_back) {
  const TemporaryFolder folder;
  const Vectors v =
      random_vectors(block_format("mxfp4"), block_format("mxfp8_e4m3"), datapaths[0], 3, 1);
  for (const VectorForm& form : vector_forms) {
    const fs::path path = folder.path() / form.file;
    form.write(v, path);
    const std::string whole = read_file(path);
    const auto reads_back = [&](const std::string& bytes) {
      write_atomically(path, bytes);
      try {
        return read_vectors(form.name, path) == v;
      } catch (const std::exception&) {
        return false;
      }
    };
    BOOST_TEST(reads_back(whole));
    for (size_t size = 0; size + 1 < whole.size(); ++size)
      BOOST_TEST(!reads_back(whole.substr(0, size)), form.name << " cut to " << size << " bytes");
    for (const auto& [good, bad] :
         {std::pair{"mxfp4", "mxfp8"}, {"fused", "fuzed"}, {"seed", "sead"}}) {
      std::string text = whole;
      const size_t at = text.find(good);
      BOOST_REQUIRE_MESSAGE(at != text.npos, form.name << " has no " << good);
      BOOST_TEST(!reads_back(text.replace(at, std::strlen(good), bad)), form.name << " " << bad);
    }
    BOOST_CHECK_THROW(form.write(v, folder.path() / "absent" / form.file), InputError);
  }
}

BOOST_AUTO_TEST_SUITE_END()
