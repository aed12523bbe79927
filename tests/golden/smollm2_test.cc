// SmolLM2-135M as it is published, in binary32, against what transformers computed.

#include <boost/test/unit_test.hpp>

#include "tests/golden/every_way.h"
#include "tests/golden/published_model.h"

using namespace mxref;
using namespace mxref::test;

namespace {

constexpr int64_t end_of_turn = 2;

// nullptr where the asset or the references are absent; the model is loaded once.
PublishedModel* smollm2() {
  static const auto loaded =
      load_published("smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf", "smollm2");
  return loaded.get();
}

std::string prompt(int number) { return "prompt" + std::to_string(number); }

}  // namespace

BOOST_AUTO_TEST_SUITE(smollm2_135m)

BOOST_AUTO_TEST_CASE(the_mean_nll_of_2048_tokens_of_wikitext_agrees) {
  PublishedModel* const m = smollm2();
  if (!m) return;
  check_mean_nll(*m->model, view_of(m->reference, "wikitext2.window2048.input_ids"),
                 view_of(m->reference, "wikitext2.window2048.nll"));
}

BOOST_AUTO_TEST_CASE(the_fifty_largest_logits_of_every_prompt_agree) {
  PublishedModel* const m = smollm2();
  if (!m) return;
  const auto by_library = m->by("fp32", {"rest=library"});
  for (int i = 0; i < 5; ++i)
    for (LanguageModel* model : {m->model.get(), by_library.get()})
      check_top50(*model, m->reference, prompt(i));
}

BOOST_AUTO_TEST_CASE(greedy_texts_are_equal) {
  PublishedModel* const m = smollm2();
  if (!m) return;
  const auto tokenizer = open_tokenizer(m->file);
  for (int i = 0; i < 5; ++i) check_greedy(*m, *tokenizer, prompt(i), {end_of_turn});
}

BOOST_AUTO_TEST_CASE(three_recipes_have_the_same_bits_by_every_way) {
  PublishedModel* const m = smollm2();
  if (!m) return;
  const at::Tensor ids = view_of(m->reference, "wikitext2.window2048.input_ids").flatten();
  for (const char* recipe : {"fp32", "w8a8", "w4a4"})
    expect_the_same_bits_by_every_way(*m->by(recipe), ids.narrow(0, 0, 10), recipe);
}

BOOST_AUTO_TEST_SUITE_END()
