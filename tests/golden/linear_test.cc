// One linear layer under each recipe.

#include "golden/models/linear.h"

#include <ATen/ops/from_blob.h>

#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>

#include "emu/gemm.h"
#include "emu/quantize.h"

using namespace mxref;

namespace {

constexpr unsigned operand_seed = 5;
constexpr int64_t M = 5, N = 7, K = 72;  // a last block of 8

struct Data {
  std::vector<float> x, w, bias;
};

Data random_operands() {
  std::mt19937 random(operand_seed);
  std::normal_distribution<float> normal;
  Data data{std::vector<float>(M * K), std::vector<float>(N * K), std::vector<float>(N)};
  for (auto* values : {&data.x, &data.w, &data.bias})
    for (float& value : *values) value = normal(random);
  return data;
}

at::Tensor view(std::vector<float>& values, std::vector<int64_t> shape) {
  return at::from_blob(values.data(), shape, at::kFloat);
}

std::vector<float> layer_output(const std::string& recipe_name, Data& data) {
  const Recipe recipe = parse_recipe(recipe_name);
  const auto engine = make_ref_engine();
  const bool fake_quant = recipe.datapath == "fake_quant";
  const LinearLayer layer("layer", {view(data.w, {N, K}), {}}, view(data.bias, {N}),
                          linear_recipe(recipe, "layer"),
                          fake_quant ? nullptr : &datapath(recipe.datapath),
                          fake_quant ? nullptr : engine.get(), rest_of(recipe.rest));
  LinearInput input(view(data.x, {M, K}));
  const at::Tensor y = layer(input);
  BOOST_TEST((y.sizes() == at::IntArrayRef({M, N})));
  return {y.data_ptr<float>(), y.data_ptr<float>() + y.numel()};
}

// One value as the unquantized or dequantized side of a product holds it.
std::vector<float> as_side(const RecipeSide& side, const std::vector<float>& values, int64_t rows) {
  if (side.conversion) return dequantize(quantize_ref(values, {rows, K}, *side.conversion));
  if (side.format == "none") return values;
  std::vector<float> rounded;
  for (const float value : values) {  // bf16, ties to even
    const auto bits = std::bit_cast<uint32_t>(value);
    rounded.push_back(std::bit_cast<float>((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000u));
  }
  return rounded;
}

bool fits_bf16(float x) { return (std::bit_cast<uint32_t>(x) & 0xFFFF) == 0; }

}  // namespace

BOOST_AUTO_TEST_SUITE(linear)

BOOST_AUTO_TEST_CASE(
    with_two_quantized_sides_the_bits_are_the_definitions_and_one_addition_of_the_bias) {
  Data data = random_operands();
  for (const char* name : {"w4a4", "w4a8", "w8a8"}) {
    const Recipe recipe = parse_recipe(name);
    std::vector<float> expected(M * N);
    gemm_ref(quantize_ref(data.x, {M, K}, *recipe.activations.conversion),
             quantize_ref(data.w, {N, K}, *recipe.weights.conversion), datapath("fused"), {},
             expected);
    for (size_t i = 0; i < expected.size(); ++i) expected[i] += data.bias[i % N];
    BOOST_TEST(layer_output(name, data) == expected, boost::test_tools::per_element());
    // The control: without the conversions the bits are others.
    BOOST_TEST((layer_output("fp32", data) != expected));
  }
}

BOOST_AUTO_TEST_CASE(an_unquantized_product_takes_each_side_as_its_format_rounds_it) {
  Data data = random_operands();
  for (const char* name : {"fp32", "bf16", "w4a16", "fake_quant_w4a4", "fake_quant_w4a8",
                           "fake_quant_w8a8", "fake_quant_w4a16", "fake_quant_bf16"}) {
    const Recipe recipe = parse_recipe(name);
    const std::vector<float> x = as_side(recipe.activations, data.x, M);
    const std::vector<float> w = as_side(recipe.weights, data.w, N);
    const std::vector<float> got = layer_output(name, data);
    // binary32 over 72 products of about 1; an output rounded to bfloat16 has 8 bits.
    const double tolerance = recipe.output == "bf16" ? std::ldexp(1.0, -8) : 1e-5;
    for (int64_t m = 0; m < M; ++m)
      for (int64_t n = 0; n < N; ++n) {
        double expected = data.bias[size_t(n)];
        for (int64_t k = 0; k < K; ++k)
          expected += double(x[size_t(m * K + k)]) * double(w[size_t(n * K + k)]);
        const float y = got[size_t(m * N + n)];
        BOOST_TEST(std::abs(y - expected) <= tolerance * std::max(1.0, std::abs(expected)),
                   name << " (" << m << "," << n << "): expected " << expected << ", got " << y
                        << " (seed " << operand_seed << ")");
        BOOST_TEST((recipe.output != "bf16" || fits_bf16(y)));
      }
  }
}

BOOST_AUTO_TEST_CASE(under_strict_an_unquantized_product_is_a_chain_of_fused_steps) {
  Data data = random_operands();
  for (const char* name : {"fp32", "w4a16"}) {
    const Recipe recipe = parse_recipe(name);
    const std::vector<float> w = as_side(recipe.weights, data.w, N);
    std::vector<float> expected(M * N);
    for (int64_t m = 0; m < M; ++m)
      for (int64_t n = 0; n < N; ++n) {
        float acc = 0;
        for (int64_t k = 0; k < K; ++k)
          acc = std::fma(data.x[size_t(m * K + k)], w[size_t(n * K + k)], acc);
        expected[size_t(m * N + n)] = acc + data.bias[size_t(n)];
      }
    BOOST_TEST(layer_output(name, data) == expected, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(an_input_keeps_its_conversion_until_another_is_asked_for) {
  Data data = random_operands();
  LinearInput input(view(data.x, {M, K}));
  const Conversion four = *parse_recipe("w4a4").activations.conversion;
  const Conversion eight = *parse_recipe("w8a8").activations.conversion;
  const uint8_t* codes = input.quantized(four).codes.data();
  BOOST_TEST(input.quantized(four).codes.data() == codes);
  BOOST_TEST((input.quantized(eight).codes == quantize_ref(data.x, {M, K}, eight).codes));
  BOOST_TEST((input.quantized(four).codes == quantize_ref(data.x, {M, K}, four).codes));
}

BOOST_AUTO_TEST_SUITE_END()
