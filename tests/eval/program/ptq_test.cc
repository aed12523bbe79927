// mxref ptq, as a person uses it.

#include <nlohmann/json.hpp>

#include "tests/eval/program/counting_model.h"
#include "tests/eval/program/files.h"

using namespace mxref;
using nlohmann::json;

namespace {

// A model of bytes, and a text that it knows.
struct Files {
  TemporaryFolder folder;
  std::string model = folder / "model.gguf", text = folder / "text.txt";
  Files() {
    write_atomically(model, counting_model());
    std::string counts;
    for (int i = 0; i < 200; ++i) counts += counted;
    write_atomically(text, counts);
  }
  std::vector<std::string> ptq(const std::string& method, const std::string& out,
                               const std::vector<std::string>& more = {}) const {
    if (method == "rtn" || method == "quarot") return without_text(method, out, more);
    std::vector<std::string> args = without_text(method, out, more);
    args.insert(args.end(), {"--calibration", text, "--samples", "4", "--length", "32"});
    return args;
  }
  std::vector<std::string> without_text(const std::string& method, const std::string& out,
                                        const std::vector<std::string>& more = {}) const {
    std::vector<std::string> args{"ptq",      "--model", model,   "--method", method,
                                  "--recipe", "w4a4",    "--out", out};
    args.insert(args.end(), more.begin(), more.end());
    return args;
  }
  // The digest of the logits on the text.
  std::string digest(const std::string& of, std::vector<std::string> more = {}) const {
    const std::string record = folder / "eval.json";
    std::vector<std::string> args{"eval",     "--model", of,        "--task", "perplexity:" + text,
                                  "--window", "64",      "--limit", "3",      "--json",
                                  record};
    args.insert(args.end(), more.begin(), more.end());
    const Outcome outcome = run_mxref(args);
    BOOST_TEST(outcome.code == 0, outcome.err);
    return json::parse(read_file(record))["results"][0]["logits_sha256"];
  }
};

std::string all_bytes(const std::string& folder) {
  std::string bytes;
  for (const std::string& name : files_in(folder)) bytes += name + read_file(folder + "/" + name);
  return bytes;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ptq)

BOOST_AUTO_TEST_CASE(a_written_model_computes_as_it_says_and_the_same_bytes_come_again) {
  const Files files;
  for (const std::string method : {"rtn", "gptq", "mr-gptq", "quarot"}) {
    const std::string one = files.folder / (method + "1"), two = files.folder / (method + "2"),
                      record = files.folder / "ptq.json";
    BOOST_TEST(run_mxref(files.ptq(method, one, {"--threads", "1", "--json", record})).code == 0);
    BOOST_TEST(run_mxref(files.ptq(method, two, {"--threads", "3"})).code == 0);
    BOOST_TEST(all_bytes(one) == all_bytes(two), method);
    const json result = json::parse(read_file(record))["results"][0];
    BOOST_TEST(result["peak_memory_bytes"] > 0);
    BOOST_TEST(result["seconds"] > result["codes"]["seconds"]);
    BOOST_TEST(result["method"] == method);
    BOOST_TEST(result["codes"].contains("seconds"));
    // Its own recipe, without being told; rounding to nearest is what the recipe itself does.
    const std::string own = files.digest(one);
    BOOST_TEST((own == files.digest(files.model, {"--recipe", "w4a4"})) == (method == "rtn"));
    BOOST_TEST(own != files.digest(files.model));
  }
}

BOOST_AUTO_TEST_CASE(a_text_under_another_name_gives_the_same_bytes_and_an_asset_is_named) {
  const Files files;
  const std::string one = files.folder / "one", two = files.folder / "two",
                    other = files.folder / "other.txt", third = files.folder / "three",
                    cache = files.folder / "cache";
  write_atomically(other, read_file(files.text));
  const auto from = [&](const std::string& text, const std::string& out) {
    return files.without_text("gptq", out,
                              {"--calibration", text, "--samples", "4", "--length", "32"});
  };
  BOOST_TEST(run_mxref(from(files.text, one)).code == 0);
  BOOST_TEST(run_mxref(from(other, two)).code == 0);
  BOOST_TEST(all_bytes(one) == all_bytes(two));
  BOOST_TEST(all_bytes(one).find(files.text) == std::string::npos);
  std::filesystem::create_directory(cache);
  write_counting_assets(cache);
  const std::string asset = "calibration/c4.utf8";
  const Outcome outcome = run_mxref(from(asset, third), {.environment = {{"MXREF_CACHE", cache}}});
  BOOST_TEST(outcome.code == 0, outcome.err);
  const json own = json::parse(read_file(third + "/config.json"))["mxref"]["method"];
  BOOST_TEST(own["calibration"]["text"] == asset);
}

// What is learned stands beside the folder while it is learned, and goes with it; what is not its
// own stays.
BOOST_AUTO_TEST_CASE(what_was_learned_goes_and_what_others_keep_there_stays) {
  const Files files;
  namespace fs = std::filesystem;
  const std::string kept = files.folder / "a.learned",
                    rotations = "/spinquant.rotations.safetensors";
  fs::create_directory(kept);
  write_atomically(kept + rotations, "hours");
  BOOST_TEST(run_mxref(files.ptq("rtn", files.folder / "a")).code == 0);
  BOOST_TEST(read_file(kept + rotations) == "hours");
  fs::remove_all(files.folder / "a");
  const std::vector<std::string> quick{"--option", "epochs=1"};
  BOOST_TEST(run_mxref(files.ptq("flatquant", files.folder / "a", quick)).code == 0);
  BOOST_TEST(files_in(kept).size() == 1u);
  // A slash behind the name: the folder is not there yet, or is there and empty.
  for (const bool is_there : {false, true}) {
    const std::string out = files.folder / (is_there ? "b" : "c");
    if (is_there) fs::create_directory(out);
    const Outcome outcome = run_mxref(files.ptq("flatquant", out + "/", quick));
    BOOST_TEST(outcome.code == 0, outcome.err);
    BOOST_TEST(fs::exists(out + "/config.json"));
    BOOST_TEST(!fs::exists(out + "/.learned"));
    BOOST_TEST(!fs::exists(out + ".learned"));
  }
}

// What a learner notes is progress, which is for a terminal.
BOOST_AUTO_TEST_CASE(nothing_but_errors_goes_to_standard_error_where_it_is_no_terminal) {
  const Files files;
  const Outcome outcome =
      run_mxref(files.ptq("spinquant", files.folder / "out", {"--option", "steps=2"}));
  BOOST_TEST(outcome.code == 0);
  BOOST_TEST(outcome.err == "");
}

BOOST_AUTO_TEST_CASE(wrong_use_and_bad_files_are_told_in_one_line_and_lose_nothing) {
  const Files files;
  const std::string out = files.folder / "out";
  const auto refused = [&](int code, const std::vector<std::string>& args, const char* part) {
    check_refused(run_mxref(args), code, {part});
    BOOST_TEST(!std::filesystem::exists(out));
  };
  refused(2, files.ptq("gptk", out), "did you mean 'gptq'");
  refused(2, files.ptq("gptq", out, {"--option", "dampin=1"}), "did you mean 'damping'");
  refused(2, files.ptq("gptq", out, {"--option", "damping=x"}), "damping=x");
  refused(2, files.ptq("gptq", out, {"--option", "damping"}), "NAME=VALUE");
  refused(2, files.ptq("mr-gptq", out, {"--option", "hadamard=7"}), "order 7");
  refused(2, files.ptq("rtn", out, {"--layout", "gguf"}), "compressed-tensors");
  // Before anything is read that takes time: the text is not looked for.
  for (const char* method : {"mr-gptq", "flatquant", "spinquant"})
    refused(2,
            files.without_text(
                method, out,
                {"--layout", "compressed-tensors", "--calibration", files.folder / "absent"}),
            "the layout mxref does");
  refused(2,
          files.ptq("rtn", out,
                    {"--layout", "compressed-tensors", "--set", "weights.format=mxfp6_e3m2"}),
          "the layout mxref does");
  refused(2, files.ptq("rtn", out, {"--calibration", files.folder / "absent"}), "--calibration");
  refused(2, files.ptq("rtn", out, {"--samples", "4"}), "--samples");
  refused(2, files.ptq("gptq", out, {"--set", "weights.rounding=rtz"}), "'rtz'");
  refused(2, files.ptq("rtn", out, {"--set", R"(skip=["nothing"])"}), "matches no linear layer");
  refused(2, {"ptq", "--model", files.model, "--method", "gptq", "--out", out}, "--calibration");
  refused(2, {"ptq", "--model", files.model, "--method", "rtn", "--recipe", "fp32", "--out", out},
          "quantizes no weights");
  const auto with_text = [&](const std::string& text, const char* samples) {
    return std::vector<std::string>{
        "ptq",           "--model", files.model, "--method", "gptq",  "--recipe", "w4a4",
        "--calibration", text,      "--samples", samples,    "--out", out};
  };
  refused(3, with_text(files.text, "1000"), "expected 1000");
  refused(3, with_text(files.folder / "absent", "1"), "absent");
  refused(3, files.ptq("rtn", files.folder / "no" + std::string("/out")), "no");
}

BOOST_AUTO_TEST_CASE(a_quantized_model_is_not_quantized_again_and_a_full_folder_is_not_replaced) {
  const Files files;
  const std::string out = files.folder / "out";
  BOOST_TEST(run_mxref(files.ptq("rtn", out)).code == 0);
  const std::string before = all_bytes(out);
  check_refused(run_mxref(files.ptq("rtn", out)), 3, {out});
  BOOST_TEST(all_bytes(out) == before);
  check_refused(run_mxref({"ptq", "--model", out, "--method", "rtn", "--recipe", "w4a4", "--out",
                           files.folder / "again"}),
                3, {"quantized already"});
}

BOOST_AUTO_TEST_SUITE_END()
