#pragma once
// A model as it is published, in binary32, against what transformers computed from it.

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "golden/tokenizer/tokenizer.h"
#include "tests/golden/models_fixture.h"

namespace mxref::test {

inline constexpr float logit_tolerance = 1e-3f;
inline constexpr double nll_tolerance = 1e-3;  // in the mean

struct PublishedModel {
  std::filesystem::path file;
  SafetensorsFile reference;
  std::unique_ptr<LanguageModel> model;  // fp32, strict

  std::unique_ptr<LanguageModel> by(const std::string& recipe,
                                    const std::vector<std::string>& settings = {}) const {
    return load_model(*open_checkpoint(file), parse_recipe(recipe, settings),
                      {{"kernel", make_kernel_engine}});
  }
};

// nullptr where the asset or the references (models/FOLDER) are absent.
inline std::unique_ptr<PublishedModel> load_published(const char* asset, const char* name,
                                                      const char* folder) {
  const auto file = fetched_asset(asset, name);
  const auto reference = shared_data(std::string("models/") + folder + "/reference.safetensors");
  if (!file || !reference) return nullptr;
  return std::make_unique<PublishedModel>(
      PublishedModel{*file, SafetensorsFile::open(*reference),
                     load_model(*open_checkpoint(*file), fp32(), ref_alone())});
}

// -log p of each of ids[1] … given those before it, in binary64.
inline std::vector<double> nll(const at::Tensor& logits, const at::Tensor& ids) {
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

// ids (1,T), expected: T - 1 at least; the losses of the first tokens need none behind them.
inline void check_mean_nll(LanguageModel& model, const at::Tensor& ids,
                           const at::Tensor& expected) {
  const std::vector<double> got = nll(model.forward(ids).logits, ids);
  double mean = 0, expected_mean = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    mean += got[i] / double(got.size());
    expected_mean += double(expected.flatten().data_ptr<float>()[i]) / double(got.size());
  }
  BOOST_TEST_MESSAGE("mean nll " << mean << ", transformers " << expected_mean);
  BOOST_TEST(std::abs(mean - expected_mean) <= nll_tolerance);
}

// The logits of the fifty largest at the last place of a prompt.
inline void check_top50(LanguageModel& model, const SafetensorsFile& reference,
                        const std::string& prompt) {
  const at::Tensor logits =
      model.forward(view_of(reference, prompt + ".input_ids")).logits.squeeze(0);
  const at::Tensor top = view_of(reference, prompt + ".top50.ids").flatten();
  const at::Tensor values = view_of(reference, prompt + ".top50.values").flatten();
  const auto difference_at = [&](int64_t place) {
    return largest_difference(logits.select(0, place).take(top), values);
  };
  BOOST_TEST(difference_at(logits.size(0) - 1) <= logit_tolerance, prompt);
  // The control: the position before has other logits.
  BOOST_TEST(difference_at(logits.size(0) - 2) > 100 * logit_tolerance, prompt);
}

inline void check_greedy(PublishedModel& m, const Tokenizer& tokenizer, const std::string& prompt,
                         const std::vector<int64_t>& ends) {
  const std::vector<int64_t> ids = ids_of(m.reference, prompt + ".input_ids");
  const std::vector<int64_t> expected = ids_of(m.reference, prompt + ".greedy");
  const auto got = generate_greedy(*m.model, ids, int64_t(expected.size()), ends);
  BOOST_TEST(tokenizer.decode(got) == tokenizer.decode(expected), prompt);
  BOOST_TEST(got == expected, boost::test_tools::per_element());
  // A prompt that is decoded and encoded again is itself.
  BOOST_TEST(tokenizer.encode(tokenizer.decode(ids)) == ids, boost::test_tools::per_element());
}

}  // namespace mxref::test
