// Qwen2.5-Coder-0.5B as it is published, in binary32, against what transformers computed.

#include <boost/test/unit_test.hpp>

#include "tests/golden/published_model.h"

using namespace mxref;
using namespace mxref::test;

namespace {

// nullptr where the asset or the references are absent; the model is loaded once.
PublishedModel* qwen25_coder() {
  static const auto loaded = load_published(
      "qwen2.5-coder-0.5b", "Qwen2.5-Coder-0.5B-Instruct.Q4_K_M.gguf", "qwen25_coder_05b");
  return loaded.get();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(qwen25_coder_05b)

// A part of the window: all of it, 1024 tokens, takes half a minute (a perplexity of it: README).
BOOST_AUTO_TEST_CASE(the_mean_nll_of_the_first_tokens_of_wikitext_agrees) {
  PublishedModel* const m = qwen25_coder();
  if (!m) return;
  constexpr int64_t tokens = 128;
  const at::Tensor ids = view_of(m->reference, "wikitext2.window1024.input_ids");
  check_mean_nll(*m, ids.view({1, -1}).narrow(1, 0, tokens),
                 view_of(m->reference, "wikitext2.window1024.nll_float64_log_softmax"));
}

BOOST_AUTO_TEST_CASE(the_fifty_largest_logits_of_every_prompt_agree) {
  PublishedModel* const m = qwen25_coder();
  if (!m) return;
  for (int prompt = 0; prompt < 5; ++prompt)
    check_top50(*m->model, m->reference, "prompt" + std::to_string(prompt));
}

BOOST_AUTO_TEST_CASE(a_greedy_text_is_equal) {
  PublishedModel* const m = qwen25_coder();
  if (!m) return;
  check_greedy(*m, *open_tokenizer(m->file), "prompt0", {151645, 151643});
}

BOOST_AUTO_TEST_SUITE_END()
