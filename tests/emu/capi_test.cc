// The C interface gives the bits of the definition for every format, datapath and conversion, and
// turns every wrong argument into a code and a message.

#include "emu/capi/mxref.h"

#include <bit>
#include <boost/test/unit_test.hpp>
#include <memory>
#include <random>

#include "emu/capi/operand.h"
#include "emu/crosscheck/random_product.h"
#include "emu/dot.h"
#include "emu/gemm.h"
#include "emu/quantize.h"
#include "emu/vectors/vectors.h"

using namespace mxref;

namespace {

using Tensor = std::unique_ptr<mxref_tensor, decltype(&mxref_tensor_free)>;

Tensor copy_of(const MxTensor& q) {
  const mxref_operand operand = operand_of(q);
  return {mxref_tensor_of(&operand), mxref_tensor_free};
}

std::vector<uint32_t> bits(std::span<const float> x) {
  std::vector<uint32_t> result;
  for (float v : x) result.push_back(std::bit_cast<uint32_t>(v));
  return result;
}

std::vector<float> normal_numbers(size_t count) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> x(count);
  for (float& v : x) v = normal(random);
  return x;
}

// The call failed in this way, and the message has `part`.
void check_failed(int code, int expected, const std::string& part) {
  BOOST_TEST(code == expected);
  BOOST_TEST((std::string(mxref_error()).find(part) != std::string::npos),
             "should say '" << part << "', says: " << mxref_error());
}
void check_null(const void* pointer, const std::string& part) {
  BOOST_TEST(pointer == nullptr);
  check_failed(MXREF_WRONG_USE, MXREF_WRONG_USE, part);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(capi)

BOOST_AUTO_TEST_CASE(formats_and_datapaths_are_the_rows) {
  for (size_t i = 0; i < block_formats.size(); ++i) {
    const mxref_format* format = mxref_format_at(int32_t(i));
    const BlockFormat& row = block_formats[i];
    BOOST_TEST(mxref_format_name(format) == row.name);
    BOOST_TEST(mxref_format_by_name(row.name.data()) == format);
    BOOST_TEST(mxref_format_bits(format) == row.element->bits());
    BOOST_TEST(mxref_format_block(format) == row.block);
  }
  BOOST_TEST(mxref_format_at(int32_t(block_formats.size())) == nullptr);
  BOOST_TEST(mxref_format_at(-1) == nullptr);
  for (size_t i = 0; i < datapaths.size(); ++i)
    BOOST_TEST(mxref_datapath_name(mxref_datapath_at(int32_t(i))) == datapaths[i].name);
  BOOST_TEST(mxref_datapath_at(int32_t(datapaths.size())) == nullptr);
  const char* described = R"({"kind":"fused","ftz":true})";
  BOOST_TEST(mxref_datapath_name(mxref_datapath_by_name(described)) == std::string(described));
}

BOOST_AUTO_TEST_CASE(every_code_decodes_to_its_value) {
  for (const BlockFormat& row : block_formats) {
    const mxref_format* format = mxref_format_by_name(row.name.data());
    for (uint32_t code = 0; code >> row.element->bits() == 0; ++code) {
      float value = 0;
      BOOST_REQUIRE(mxref_decode(format, uint8_t(code), &value) == MXREF_OK);
      if (!is_finite(*row.element, code)) continue;
      BOOST_TEST(std::ldexp(value, -row.element->unit_log2()) ==
                 double(value_units(*row.element, code)));
      BOOST_TEST(std::signbit(value) == is_negative(*row.element, code));
    }
  }
  float value = 0;
  check_failed(mxref_decode(mxref_format_by_name("mxfp4"), 16, &value), MXREF_WRONG_USE,
               "above the 4 bits of e2m1");
}

BOOST_AUTO_TEST_CASE(conversions_and_back_are_those_of_the_definition) {
  const std::vector<float> x = normal_numbers(3 * 45);
  for (const BlockFormat& format : block_formats) {
    Conversion expected{.format = &format, .rounding = &rounding("stochastic"), .seed = 7};
    mxref_conversion conversion{};
    conversion.format = format.name.data();
    conversion.rounding = "stochastic";
    conversion.seed = 7;
    if (format.has_tensor_scale()) {
      expected.scale_by_row = true;
      conversion.tensor_scale_by_row = 1;
    } else {
      expected.rule = &scale_rule("ceil");
      expected.prescale = {3, 4};
      expected.block = 16;
      conversion.scale_rule = "ceil";
      conversion.prescale = "3/4";
      conversion.block = 16;
    }
    const MxTensor q = quantize_ref(x, {3, 45}, expected);
    const Tensor tensor(mxref_quantize(&conversion, x.data(), 3, 45), mxref_tensor_free);
    BOOST_REQUIRE(tensor);
    mxref_operand operand;
    BOOST_REQUIRE(mxref_tensor_operand(tensor.get(), &operand) == MXREF_OK);
    const MxTensor back = tensor_of(operand);
    BOOST_CHECK(back.codes == q.codes && back.scales == q.scales);
    BOOST_CHECK(back.tensor_scales == q.tensor_scales);
    BOOST_CHECK(back.conversion.prescale == q.conversion.prescale);
    std::vector<float> values(x.size());
    BOOST_TEST(mxref_dequantize(tensor.get(), values.data()) == MXREF_OK);
    BOOST_CHECK(bits(values) == bits(dequantize(q)));
    // The second row's second block alone.
    std::vector<uint8_t> codes(16);
    uint8_t scale = 0;
    BOOST_TEST(mxref_quantize_block(&conversion, &x[45 + 16], 16, q.tensor_scale(1), 45 + 16,
                                    codes.data(), &scale) == MXREF_OK);
    BOOST_CHECK(std::equal(codes.begin(), codes.end(), q.codes.begin() + 45 + 16));
    BOOST_TEST(scale == q.scales[size_t(q.blocks_per_row()) + 1]);
  }
}

BOOST_AUTO_TEST_CASE(products_are_those_of_the_definition) {
  for (const BlockFormat& a : block_formats)
    for (const Datapath& path : datapaths)
      for (uint64_t seed = 1; seed < 4; ++seed) {
        const GivenProduct p = random_product(a, a, seed);
        if (!no_product(a, a, p.a.block(), path).empty()) continue;
        std::vector<float> expected(size_t(p.a.rows() * p.b.rows())), d(expected.size());
        gemm_ref(p.a, p.b, path, p.c, expected);
        const Tensor left = copy_of(p.a), right = copy_of(p.b);
        for (const char* engine : {static_cast<const char*>(nullptr), "ref"}) {
          BOOST_TEST(mxref_gemm(engine, mxref_datapath_by_name(path.name.data()), left.get(),
                                right.get(), p.c.empty() ? nullptr : p.c.data(),
                                d.data()) == MXREF_OK);
          BOOST_CHECK(bits(d) == bits(expected));
        }
      }
}

BOOST_AUTO_TEST_CASE(block_steps_are_golden_vectors) {
  for (const BlockFormat& a : block_formats)
    for (const Datapath& path : datapaths) {
      const Vectors v = random_vectors(a, a, path, 30, 5);
      const auto block = size_t(v.block);
      const mxref_format* format = mxref_format_by_name(a.name.data());
      for (size_t i = 0; i < v.count(); ++i) {
        uint32_t acc = 0;
        BOOST_TEST(mxref_block_step(mxref_datapath_by_name(path.name.data()), format, format,
                                    v.block, &v.codes_a[i * block], &v.codes_b[i * block],
                                    v.scale_a[i], v.scale_b[i], v.acc_in[i], &acc) == MXREF_OK);
        BOOST_TEST(acc == v.acc_out[i]);
      }
    }
}

BOOST_AUTO_TEST_CASE(wrong_arguments_give_a_code_and_a_message) {
  check_null(mxref_format_by_name("mxfp5"), "did you mean");
  check_null(mxref_format_by_name(nullptr), "name is null");
  check_null(mxref_format_name(nullptr), "format is null");
  BOOST_TEST(mxref_format_bits(nullptr) == 0);
  check_null(mxref_datapath_by_name("{\"kind\":\"fuse\"}"), "fused");
  const float x[2] = {1, 2};
  mxref_conversion conversion{};
  check_null(mxref_quantize(&conversion, x, 1, 2), "format is null");
  conversion.format = "mxfp4";
  check_null(mxref_quantize(&conversion, x, 0, 2), "(0, 2)");
  check_null(mxref_quantize(&conversion, x, INT64_MAX, 2), "rows and columns");
  check_null(mxref_quantize(&conversion, nullptr, 1, 2), "x is null");
  conversion.block = 7;
  check_null(mxref_quantize(&conversion, x, 1, 2), "block length 7");
  conversion.block = 8;
  const Tensor good(mxref_quantize(&conversion, x, 1, 2), mxref_tensor_free);
  BOOST_REQUIRE(good);

  mxref_operand operand;
  BOOST_REQUIRE(mxref_tensor_operand(good.get(), &operand) == MXREF_OK);
  const auto check_operand = [&](auto change, const char* part) {
    mxref_operand wrong = operand;
    change(wrong);
    check_null(mxref_tensor_of(&wrong), part);
  };
  const uint8_t high[2] = {1, 16};
  const float g = 1;
  check_operand([&](mxref_operand& o) { o.codes = high; }, "code 1 is 16");
  check_operand([&](mxref_operand& o) { o.scales = nullptr; }, "null");
  check_operand([&](mxref_operand& o) { o.prescale_numerator = 0; }, "pre-scale");
  check_operand([&](mxref_operand& o) { o.rows = -1; }, "(-1, 2)");
  check_operand([&](mxref_operand& o) { o.tensor_scales = &g, o.tensor_scale_count = 1; },
                "tensor scales mean nothing");
  check_operand([&](mxref_operand& o) { o.format = "nvfp4", o.block = 16; }, "one tensor scale");

  float d = 0;
  const mxref_datapath* fused = mxref_datapath_by_name("fused");
  const auto gemm = [&](const char* engine, const mxref_datapath* path, const mxref_tensor* b) {
    return mxref_gemm(engine, path, good.get(), b, nullptr, &d);
  };
  check_failed(gemm("kernal", fused, good.get()), MXREF_WRONG_USE, "did you mean 'kernel'");
  check_failed(gemm("plugin:absent.so", fused, good.get()), MXREF_BAD_INPUT, "absent.so");
  check_failed(gemm(nullptr, nullptr, good.get()), MXREF_WRONG_USE, "datapath is null");
  conversion.block = 16;
  const Tensor other(mxref_quantize(&conversion, x, 1, 2), mxref_tensor_free);
  check_failed(gemm(nullptr, fused, other.get()), MXREF_WRONG_USE, "block lengths");
  BOOST_TEST(gemm(nullptr, fused, good.get()) == MXREF_OK);
  BOOST_TEST(d == 5);
}

BOOST_AUTO_TEST_SUITE_END()
