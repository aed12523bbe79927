#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "eval/tasks/run_task.h"
#include "tests/eval/fakes.h"

using namespace mxref;
using nlohmann::ordered_json;

BOOST_AUTO_TEST_SUITE(run_task)

static TaskSource no_default(const std::string& name) {
  throw InputError("mxref assets get " + name);
}

BOOST_AUTO_TEST_CASE(a_task_names_its_file_or_its_default_is_looked_up) {
  const TaskSource given = parse_task("piqa:/a:b.jsonl", no_default);
  BOOST_TEST(given.name == "piqa");
  BOOST_TEST(given.file == "/a:b.jsonl");
  BOOST_CHECK_THROW(parse_task("piqa", no_default), InputError);
}

BOOST_AUTO_TEST_CASE(wrong_names_are_wrong_use) {
  for (const char* text : {"perplexty:x", "", ":x", "piqa:", "mmlu:x"})
    BOOST_CHECK_THROW(parse_task(text, no_default), UsageError);
}

BOOST_AUTO_TEST_CASE(the_result_of_a_text_has_the_fields_of_the_record) {
  const TemporaryFile file("text.txt", "abcdefghij");
  const ByteTokenizer tokenizer;
  BigramScorer model;
  const LoadedTask task({"perplexity", file.path, "text.txt"}, {.window = 4}, tokenizer);
  const ordered_json r = task.run(model, {});
  BOOST_TEST(r["task"] == "perplexity");
  BOOST_TEST(r["file"] == "text.txt");
  BOOST_TEST(r["file_sha256"] ==
             "72399361da6a7754fec986dca5b7cbaf1c810a28ded4abaf56b2106d06cb78b0");
  BOOST_TEST(r["window"] == 4);
  BOOST_TEST(r["tokens"] == 7);
  BOOST_TEST(r["nll_sums"].size() == 3u);
  BOOST_TEST(r["ppl"].get<double>() == std::exp(r["nll"].get<double>()));
  BOOST_TEST(r.contains("seconds"));
}

BOOST_AUTO_TEST_CASE(the_result_of_choices_has_the_fields_of_the_record) {
  const TemporaryFile file("items.jsonl",
                           "{\"query\":\"Q:\",\"choices\":[\"a\",\"b\"],\"gold\":1}\n"
                           "{\"query\":\"R:\",\"choices\":[\"a\",\"b\"],\"gold\":0}\n");
  const ByteTokenizer tokenizer;
  BigramScorer model;
  for (const ChoiceTask& task : choice_tasks()) {
    const ordered_json r =
        LoadedTask({std::string(task.name), file.path, "items"}, {}, tokenizer).run(model, {});
    for (const char* field : {"version", "form", "items", "acc", "acc_norm", "stderr", "chosen",
                              "chosen_norm", "gold", "seconds", "chance"})
      BOOST_TEST(r.contains(field), task.name << " " << field);
    BOOST_TEST(r["gold"] == ordered_json({1, 0}));
    BOOST_TEST(r["chance"] == 0.5);
  }
}

struct ClosingTokenizer : ByteTokenizer {
  bool closes_texts() const override { return true; }
};

BOOST_AUTO_TEST_CASE(a_tokenizer_that_closes_every_text_scores_no_choices) {
  const TemporaryFile file("f", R"({"query":"Q:","choices":["a","b"],"gold":1})");
  const auto load = [&](const char* task, const Tokenizer& tokenizer) {
    LoadedTask({task, file.path, "f"}, {}, tokenizer);
  };
  BOOST_CHECK_THROW(load("piqa", ClosingTokenizer()), InputError);
  BOOST_CHECK_NO_THROW(load("perplexity", ClosingTokenizer()));
  BOOST_CHECK_NO_THROW(load("piqa", ByteTokenizer()));
}

BOOST_AUTO_TEST_CASE(limit_counts_items) {
  const TemporaryFile file("items.jsonl",
                           "{\"query\":\"Q:\",\"choices\":[\"a\",\"b\"],\"gold\":1}\n"
                           "{\"query\":\"R:\"}\n");
  const ByteTokenizer tokenizer;
  BOOST_TEST(LoadedTask({"piqa", file.path, "items"}, {.limit = 1}, tokenizer).size() == 1);
  BOOST_CHECK_THROW(LoadedTask({"piqa", file.path, "items"}, {.limit = 2}, tokenizer), InputError);
}

BOOST_AUTO_TEST_SUITE_END()
