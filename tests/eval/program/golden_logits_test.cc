// The digests of SmolLM2's logits that the README has, made once more by the command that it has.

#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "tests/eval/program/files.h"
#include "tests/shared_data.h"

using namespace mxref;
using nlohmann::json;

BOOST_AUTO_TEST_SUITE(golden_logits)

BOOST_AUTO_TEST_CASE(the_digests_of_the_readme_come_out_again) {
  if (!fetched_asset("smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf") ||
      !fetched_asset("calibration", ""))
    return;
  const std::string readme = read_file(MXREF_SOURCE_DIR "/README.md");
  const std::string command =
      "mxref eval --model smollm2 --recipe w4a4 --task perplexity "
      "--window 128 --limit 1\n";
  BOOST_REQUIRE(readme.find("$ " + command) != std::string::npos);
  const TemporaryFolder folder;
  std::set<std::string> digests;
  const std::regex row(R"(\n\| `([a-z0-9]+)` \| `([0-9a-f]{64})` \|)");
  for (auto match = std::sregex_iterator(readme.begin(), readme.end(), row);
       match != std::sregex_iterator(); ++match) {
    const std::string recipe = (*match)[1], digest = (*match)[2];
    // The number of threads and the instruction set are not those of the README's machine.
    const Outcome ran =
        run_mxref({"eval", "--model", "smollm2", "--recipe", recipe, "--task", "perplexity",
                   "--window", "128", "--limit", "1", "--threads",
                   std::to_string(1 + digests.size()), "--json", folder / "r.json"});
    BOOST_REQUIRE_MESSAGE(ran.code == 0, ran.err);
    BOOST_TEST(ran.out.find("SHA-256 of the logits " + digest) != std::string::npos,
               recipe + ": the README has " + digest + ", printed is\n" + ran.out);
    BOOST_TEST(json::parse(read_file(folder / "r.json"))["results"][0]["logits_sha256"] == digest);
    digests.insert(digest);
  }
  BOOST_TEST(digests.size() == 3u);
}

BOOST_AUTO_TEST_CASE(control_a_librarys_rest_has_another_digest) {
  if (!fetched_asset("smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf") ||
      !fetched_asset("calibration", ""))
    return;
  const Outcome ran =
      run_mxref({"eval", "--model", "smollm2", "--recipe", "fp32", "--set", "rest=library",
                 "--task", "perplexity", "--window", "128", "--limit", "1"});
  BOOST_REQUIRE_MESSAGE(ran.code == 0, ran.err);
  const size_t digest = ran.out.find("SHA-256 of the logits ");
  BOOST_REQUIRE(digest != std::string::npos);
  BOOST_TEST(read_file(MXREF_SOURCE_DIR "/README.md").find(ran.out.substr(digest + 22, 64)) ==
             std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
