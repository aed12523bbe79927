// --noise: the spread of every figure, in the record and beside it.

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "eval/tasks/standard_deviation.h"
#include "tests/eval/program/counting_model.h"
#include "tests/eval/program/files.h"

using namespace mxref;
using nlohmann::json;

BOOST_AUTO_TEST_SUITE(noise)

BOOST_AUTO_TEST_CASE(wrong_numbers_and_a_seed_alone_are_wrong_use) {
  const std::vector<std::string> eval = {"eval", "--model", "absent.gguf", "--task",
                                         "perplexity:x"};
  const std::vector<std::string> validate = {"validate", "--model", "absent.gguf", "--out", "x"};
  const auto refused = [](std::vector<std::string> args, const std::vector<std::string>& more,
                          const std::string& says) {
    args.insert(args.end(), more.begin(), more.end());
    check_refused(run_mxref(args), 2, {says});
  };
  for (const char* number : {"-1", "1001", "1.5", "", "two"})
    for (const auto& command : {eval, validate})
      refused(command, {"--noise", number}, "is no number from 0 to 1000");
  refused(eval, {"--seed", "1"}, "--noise, which is not asked for");
  refused(eval, {"--seed", "0", "--noise", "0"}, "--noise, which is not asked for");
  for (const char* seed : {"-1", "18446744073709551616"})
    refused(eval, {"--noise", "1", "--seed", seed}, "--seed");
}

namespace {

// A model that counts and disturbs a little, a text and items, as eval has them.
class Evaluation {
 public:
  Evaluation() {
    folder_.write("x.gguf", counting_model());
    std::string text;
    for (int i = 0; i < 10; ++i) text += counted;
    folder_.write("text", text + "gfedcba");
    folder_.write("items", R"({"query":"abc","choices":["defg","gfed"],"gold":0})");
  }

  // The record; what was printed is in `out`.
  json run(const std::vector<std::string>& more) {
    std::vector<std::string> args = {"eval",
                                     "--model",
                                     folder_ / "x.gguf",
                                     "--recipe",
                                     "w4a4",
                                     "--task",
                                     "perplexity:" + folder_ / "text",
                                     "--window",
                                     "32",
                                     "--task",
                                     "piqa:" + folder_ / "items",
                                     "--json",
                                     folder_ / "r"};
    args.insert(args.end(), more.begin(), more.end());
    const Outcome outcome = run_mxref(args);
    check_good(outcome);
    out = outcome.out;
    return json::parse(read_file(folder_ / "r"));
  }
  // "noise" of each result.
  std::vector<json> noise(const std::vector<std::string>& more) {
    std::vector<json> all;
    const json record = run(more);
    for (const json& result : record["results"]) all.push_back(result["noise"]);
    return all;
  }

  std::string out;

 private:
  TemporaryFolder folder_;
};

}  // namespace

BOOST_AUTO_TEST_CASE(the_record_has_the_spread_of_every_figure_and_the_table_shows_it) {
  Evaluation evaluation;
  const json record = evaluation.run({"--noise", "2", "--seed", "5"});
  BOOST_TEST(record["seed"] == 5);
  const json& text = record["results"][0];
  for (const char* metric : {"nll", "ppl"}) {
    const json& noise = text["noise"][metric];
    BOOST_TEST(noise["values"].size() == 2u);
    const double sd = noise["sd"];
    BOOST_TEST(sd > 0);
    BOOST_TEST(sd == standard_deviation({text[metric], noise["values"][0], noise["values"][1]}));
    BOOST_TEST(evaluation.out.find(fmt::format("{:.2g}  ", sd)) != std::string::npos,
               evaluation.out);
  }
  // One item that no noise turns: a spread of zero, which is shown as such.
  for (const char* metric : {"acc", "acc_norm"}) {
    BOOST_TEST(record["results"][1]["noise"][metric]["values"] == json({1.0, 1.0}));
    BOOST_TEST(record["results"][1]["noise"][metric]["sd"] == 0.0);
  }
  BOOST_TEST(evaluation.out.find("       0  ") != std::string::npos, evaluation.out);
  for (const json& result : record["results"]) {
    BOOST_TEST(result["noise"]["runs"] == 2);
    BOOST_TEST(result["noise"]["seed"] == 5);
    BOOST_TEST(result["noise"]["relative"] == "2^-22");
  }
  BOOST_TEST(evaluation.out.find("stderr     noise  seconds") != std::string::npos);
  BOOST_TEST(evaluation.out.find("perturbed by a relative 2^-22 (seed 5)") != std::string::npos);

  // The control: what was not asked for is nowhere, and the results are those beside the noise.
  const json without = evaluation.run({});
  BOOST_TEST(without["seed"].is_null());
  BOOST_TEST(evaluation.out.find("noise") == std::string::npos);
  for (size_t i = 0; i < 2; ++i) {
    BOOST_TEST(!without["results"][i].contains("noise"));
    const char* metric = i == 0 ? "nll_sums" : "chosen";
    BOOST_TEST(without["results"][i][metric] == record["results"][i][metric]);
  }
}

BOOST_AUTO_TEST_CASE(a_seed_gives_the_same_noise_again_for_any_number_of_threads) {
  Evaluation evaluation;
  const auto noise = evaluation.noise({"--noise", "2", "--threads", "1"});  // seed 0
  BOOST_TEST(noise[0]["seed"] == 0);
  BOOST_TEST((noise == evaluation.noise({"--noise", "2", "--seed", "0", "--threads", "2"})));
  BOOST_TEST((noise != evaluation.noise({"--noise", "2", "--seed", "7"})));
  // Run r takes seed + r - 1.
  const json next = evaluation.noise({"--noise", "1", "--seed", "1"})[0];
  BOOST_TEST(next["nll"]["values"][0] == noise[0]["nll"]["values"][1]);
  BOOST_TEST(next["nll"]["values"][0] != noise[0]["nll"]["values"][0]);
}

BOOST_AUTO_TEST_SUITE_END()
