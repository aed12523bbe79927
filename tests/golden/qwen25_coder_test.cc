// Qwen2.5-Coder-0.5B as it is published, in binary32, against what transformers computed.

#include <boost/test/unit_test.hpp>

#include "tests/golden/published_model.h"

using namespace mxref;
using namespace mxref::test;

namespace {

using boost::unit_test::disabled;
using boost::unit_test::label;

// nullptr where the asset or the references are absent; the model is loaded once.
PublishedModel* qwen25_coder() {
  static const auto loaded = load_published(
      "qwen2.5-coder-0.5b", "Qwen2.5-Coder-0.5B-Instruct.Q4_K_M.gguf", "qwen25_coder_05b");
  return loaded.get();
}

const std::vector<int64_t> ends_of_text{151645, 151643};

std::string prompt(int number) { return "prompt" + std::to_string(number); }

// The first tokens of the window.
void check_window(PublishedModel& m, LanguageModel& model, int64_t tokens) {
  const at::Tensor ids = view_of(m.reference, "wikitext2.window1024.input_ids").view({1, -1});
  check_mean_nll(model, ids.narrow(1, 0, tokens),
                 view_of(m.reference, "wikitext2.window1024.nll_float64_log_softmax"));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(qwen25_coder_05b)

BOOST_AUTO_TEST_CASE(the_mean_nll_of_the_first_tokens_of_wikitext_agrees) {
  PublishedModel* const m = qwen25_coder();
  if (m) check_window(*m, *m->model, 128);
}

BOOST_AUTO_TEST_CASE(the_fifty_largest_logits_of_every_prompt_agree) {
  PublishedModel* const m = qwen25_coder();
  if (!m) return;
  for (int i = 0; i < 5; ++i) check_top50(*m->model, m->reference, prompt(i));
}

BOOST_AUTO_TEST_CASE(a_greedy_text_is_equal) {
  PublishedModel* const m = qwen25_coder();
  if (m) check_greedy(*m, *open_tokenizer(m->file), prompt(0), ends_of_text);
}

// The part "models" of the long suite runs these: --run_test=@long.
BOOST_AUTO_TEST_CASE(the_whole_window_and_every_greedy_text_agree, *label("long") * disabled()) {
  PublishedModel* const m = qwen25_coder();
  if (!m) return;
  check_window(*m, *m->model, 1024);
  const auto tokenizer = open_tokenizer(m->file);
  for (int i = 0; i < 5; ++i) check_greedy(*m, *tokenizer, prompt(i), ends_of_text);
}

BOOST_AUTO_TEST_CASE(the_library_s_rest_agrees, *label("long") * disabled()) {
  PublishedModel* const m = qwen25_coder();
  if (!m) return;
  const auto by_library = m->by("fp32", {"rest=library"});
  check_window(*m, *by_library, 1024);
  for (int i = 0; i < 5; ++i) check_top50(*by_library, m->reference, prompt(i));
}

// Its control: four bits are not what transformers computed.
BOOST_AUTO_TEST_CASE(w4a4_agrees, *label("control") * disabled()) {
  PublishedModel* const m = qwen25_coder();
  if (m) check_window(*m, *m->by("w4a4"), 128);
}

BOOST_AUTO_TEST_SUITE_END()
