// SmolLM2-135M as it is published, in binary32, against what transformers computed.

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "golden/tokenizer/tokenizer.h"
#include "tests/golden/every_way.h"

using namespace mxref;
using namespace mxref::test;

namespace {

constexpr float logit_tolerance = 1e-3f;
constexpr double nll_tolerance = 1e-3;  // in the mean
constexpr int64_t end_of_turn = 2;

struct SmolLm2 {
  std::filesystem::path file;
  SafetensorsFile reference;
  std::unique_ptr<LanguageModel> model;  // fp32, strict

  std::unique_ptr<LanguageModel> by(const std::string& recipe,
                                    const std::vector<std::string>& settings = {}) const {
    return load_model(*open_checkpoint(file), parse_recipe(recipe, settings),
                      {{"kernel", make_kernel_engine}});
  }
};

// nullptr where the asset or the references are absent; the model is loaded once.
SmolLm2* smollm2() {
  static const std::unique_ptr<SmolLm2> loaded = []() -> std::unique_ptr<SmolLm2> {
    const auto file = fetched_asset("smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf");
    const auto reference = shared_data("models/smollm2/reference.safetensors");
    if (!file || !reference) return nullptr;
    return std::make_unique<SmolLm2>(
        SmolLm2{*file, SafetensorsFile::open(*reference),
                load_model(*open_checkpoint(*file), fp32(), ref_alone())});
  }();
  return loaded.get();
}

// -log p of each of ids[1] … given those before it, in binary64.
std::vector<double> nll(const at::Tensor& logits, const at::Tensor& ids) {
  const int64_t T = logits.size(1), V = logits.size(2);
  std::vector<double> result;
  for (int64_t t = 0; t + 1 < T; ++t) {
    const float* row = logits.data_ptr<float>() + t * V;
    const double top = *std::max_element(row, row + V);
    double sum = 0;
    for (int64_t v = 0; v < V; ++v) sum += std::exp(row[v] - top);
    result.push_back(top + std::log(sum) - row[ids.data_ptr<int64_t>()[t + 1]]);
  }
  return result;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(smollm2_135m)

BOOST_AUTO_TEST_CASE(the_mean_nll_of_2048_tokens_of_wikitext_agrees) {
  SmolLm2* const m = smollm2();
  if (!m) return;
  const at::Tensor ids = view_of(m->reference, "wikitext2.window2048.input_ids");
  const at::Tensor expected = view_of(m->reference, "wikitext2.window2048.nll");
  const std::vector<double> got = nll(m->model->forward(ids).logits, ids);
  BOOST_REQUIRE(int64_t(got.size()) == expected.numel());
  double mean = 0, expected_mean = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    mean += got[i] / double(got.size());
    expected_mean += double(expected.data_ptr<float>()[i]) / double(got.size());
  }
  BOOST_TEST_MESSAGE("mean nll " << mean << ", transformers " << expected_mean);
  BOOST_TEST(std::abs(mean - expected_mean) <= nll_tolerance);
}

BOOST_AUTO_TEST_CASE(the_fifty_largest_logits_of_every_prompt_agree) {
  SmolLm2* const m = smollm2();
  if (!m) return;
  const auto by_library = m->by("fp32", {"rest=library"});
  for (int prompt = 0; prompt < 5; ++prompt) {
    const std::string name = "prompt" + std::to_string(prompt);
    const at::Tensor ids = view_of(m->reference, name + ".input_ids");
    const at::Tensor logits = m->model->forward(ids).logits.squeeze(0);
    const at::Tensor last = logits.select(0, logits.size(0) - 1);
    const at::Tensor top = view_of(m->reference, name + ".top50.ids").flatten();
    const at::Tensor values = view_of(m->reference, name + ".top50.values").flatten();
    BOOST_TEST(largest_difference(last.take(top), values) <= logit_tolerance, name);
    const at::Tensor of_library = by_library->forward(ids).logits.squeeze(0);
    BOOST_TEST(largest_difference(of_library.select(0, of_library.size(0) - 1).take(top), values) <=
                   logit_tolerance,
               name + ", rest library");
    // The control: the position before has other logits.
    BOOST_TEST(largest_difference(logits.select(0, logits.size(0) - 2).take(top), values) >
               100 * logit_tolerance);
  }
}

BOOST_AUTO_TEST_CASE(greedy_texts_are_equal) {
  SmolLm2* const m = smollm2();
  if (!m) return;
  const auto tokenizer = open_tokenizer(m->file);
  for (int prompt = 0; prompt < 5; ++prompt) {
    const std::string name = "prompt" + std::to_string(prompt);
    const std::vector<int64_t> ids = ids_of(m->reference, name + ".input_ids");
    const std::vector<int64_t> expected = ids_of(m->reference, name + ".greedy");
    const auto got = generate_greedy(*m->model, ids, int64_t(expected.size()), {end_of_turn});
    BOOST_TEST(tokenizer->decode(got) == tokenizer->decode(expected), name);
    BOOST_TEST(got == expected, boost::test_tools::per_element());
    // A prompt that is decoded and encoded again is itself.
    BOOST_TEST(tokenizer->encode(tokenizer->decode(ids)) == ids, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(three_recipes_have_the_same_bits_by_every_way) {
  SmolLm2* const m = smollm2();
  if (!m) return;
  const at::Tensor ids = view_of(m->reference, "wikitext2.window2048.input_ids").flatten();
  for (const char* recipe : {"fp32", "w8a8", "w4a4"})
    expect_the_same_bits_by_every_way(*m->by(recipe), ids.narrow(0, 0, 10), recipe);
}

BOOST_AUTO_TEST_SUITE_END()
