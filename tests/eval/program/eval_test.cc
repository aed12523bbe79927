#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "emu/vectors/vectors.h"
#include "tests/eval/program/counting_model.h"
#include "tests/eval/program/files.h"
#include "tests/shared_data.h"
#include "tests/vector_reader.h"

using namespace mxref;
using nlohmann::json;

BOOST_AUTO_TEST_SUITE(eval)

// Wrong use shows before any model is read: this one does not exist.
BOOST_AUTO_TEST_CASE(wrong_tasks_and_numbers_are_wrong_use) {
  struct Case {
    std::vector<std::string> args;
    const char* says;
  };
  for (const auto& [args, says] : {Case{{"--task", "piqua:x.jsonl"}, "did you mean 'piqa'"},
                                   Case{{"--task", "perplexity:"}, "names no file"},
                                   Case{{"--task", "perplexity:x", "--window", "1"}, "--window"},
                                   Case{{"--task", "perplexity:x", "--limit", "0"}, "--limit"},
                                   Case{{"--task", "piqa:x", "--window", "8"}, "--window cuts"},
                                   Case{{"--tokens", "x", "--window", "8"}, "--window cuts"},
                                   Case{{}, "--task or --tokens"}}) {
    std::vector<std::string> all = {"eval", "--model", "absent.gguf"};
    all.insert(all.end(), args.begin(), args.end());
    check_refused(run_mxref(all), 2, {says});
  }
  check_refused(run_mxref({"validate", "--recipe", "w4a5", "--out", "x"}), 2, {"w4a4"});
  check_refused(run_mxref({"validate"}), 2, {"--out"});
  const TemporaryFolder folder;
  check_refused(run_mxref({"validate", "--recipe", "fake_quant_w4a4", "--recipe", "w4a16", "--out",
                           folder / "x"}),
                2, {"--recipe", "datapath"});
  BOOST_TEST(files_in(folder.path()).empty());
}

BOOST_AUTO_TEST_CASE(no_record_is_written_over_what_was_read) {
  const TemporaryFolder folder;
  const std::string f = folder / "f";
  write_atomically(f, "kept");
  const std::vector<std::pair<std::string, std::vector<std::string>>> cases = {
      {"--model", {"eval", "--model", f, "--task", "perplexity:x", "--json", f}},
      {"--recipe", {"eval", "--model", "x", "--task", "perplexity:x", "--recipe", f, "--json", f}},
      {"--task", {"eval", "--model", "x", "--task", "perplexity:" + f, "--json", f}},
      {"--tokens", {"eval", "--model", "x", "--tokens", f, "--json", f}},
      {"--tokens", {"forward", "--model", "x", "--tokens", f, "--out", f}},
      {"the page", {"validate", "--out", folder.path(), "--json", folder / "report.html"}},
  };
  for (const auto& [option, args] : cases) check_refused(run_mxref(args), 2, {option, "same file"});
  BOOST_TEST(read_file(f) == "kept");
}

// Not after minutes of work.
BOOST_AUTO_TEST_CASE(validate_asks_for_gnuplot_and_its_folder_before_the_model_is_read) {
  if (!MXREF_HAS_RTL) return;
  const TemporaryFolder folder;
  const auto validate = [&](const char* variable, const std::string& value) {
    return run_mxref({"validate", "--model", "absent.gguf", "--out", folder / "x"},
                     {.environment = {{variable, value}}});
  };
  check_refused(validate("PATH", "/absent"), 3, {"gnuplot is missing"});
  check_refused(validate("TMPDIR", "/absent"), 3, {"TMPDIR"});
  check_refused(validate("PATH", getenv("PATH")), 3, {"absent.gguf"});
  BOOST_TEST(files_in(folder.path()).empty());
}

BOOST_AUTO_TEST_CASE(a_missing_asset_names_the_command_that_gets_it) {
  const TemporaryFolder folder;
  for (const char* task : {"piqa", "perplexity"})
    check_refused(run_mxref({"eval", "--model", "absent.gguf", "--task", task},
                            {.environment = {{"MXREF_CACHE", folder / ""}}}),
                  3, {"mxref assets get"});
}

BOOST_AUTO_TEST_CASE(what_is_no_model_is_refused_before_its_tokenizer_is_asked_for) {
  const TemporaryFolder folder;
  const auto eval = [](const std::string& model) {
    return run_mxref({"eval", "--model", model, "--task", "perplexity:absent"});
  };
  check_refused(eval(folder.path()), 3, {"has no config.json", "*.safetensors", "GGUF"});
  folder.write("x.bin", "PK\x03\x04 and more");
  check_refused(eval(folder / "x.bin"), 3, {"x.bin: is no GGUF file", "50 4b 03 04 (PK..)"});
  // Names of other assets are no models.
  for (const std::string name : {"nosuch", "calibration"})
    check_refused(eval(name), 2,
                  {"unknown model '" + name + "'", "valid: smollm2, qwen2.5-coder-0.5b\n"});
}

// Before the work: this recipe fails when the model is loaded.
BOOST_AUTO_TEST_CASE(a_whole_text_that_nobody_chose_is_announced) {
  const TemporaryFolder folder;
  write_counting_assets(folder / "cache");
  folder.write("x.gguf", counting_model());
  const auto eval = [&](const std::vector<std::string>& more) {
    std::vector<std::string> args{"eval",   "--model",    folder / "x.gguf",
                                  "--task", "perplexity", "--recipe",
                                  "w4a4",   "--set",      R"(skip=["nothing"])"};
    args.insert(args.end(), more.begin(), more.end());
    const Outcome outcome = run_mxref(args, {.environment = {{"MXREF_CACHE", folder / "cache"}}});
    check_refused(outcome, 2, {"skip 'nothing' matches no"});
    return outcome.err;
  };
  // 2,093,275 bytes, a token each, the first of a window not scored.
  BOOST_TEST(
      eval({}).find("all of calibration/wiki.utf8, 2045 windows with 2091230 tokens to score; "
                    "--limit") != std::string::npos);
  BOOST_TEST(eval({"--limit", "1"}).find("windows") == std::string::npos);
}

// Nothing is fetched here.
static bool has_model() {
  return fetched_asset("smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf").has_value();
}

BOOST_AUTO_TEST_CASE(damaged_texts_and_items_are_bad_input) {
  if (!has_model()) return;
  const TemporaryFolder folder;
  struct Case {
    std::string task, text;
    std::vector<std::string> says;
  };
  const std::string item = R"({"goal":"a","sol1":"b","sol2":"c","label":0})";
  for (const auto& [task, text, says] :
       {Case{"perplexity", "", {"f:", "2"}}, Case{"perplexity", "a", {"f:", "2"}},
        Case{"perplexity", "a \xFF b", {"f:", "UTF-8"}},
        Case{"piqa", item + "\n{\"goal\":\"a\"}", {"f:2", "sol1", "expected"}},
        Case{"piqa", item + "\n{", {"f:2", "JSON"}}, Case{"piqa", "", {"f:"}}}) {
    write_atomically(folder / "f", text);
    check_refused(run_mxref({"eval", "--model", "smollm2", "--task", task + ":" + (folder / "f")}),
                  3, says);
  }
}

BOOST_AUTO_TEST_CASE(the_record_holds_every_choice) {
  if (!has_model()) return;
  const TemporaryFolder folder;
  write_atomically(folder / "f",
                   R"({"query":"The sky is","choices":["blue","of cheese"],"gold":0})");
  const Outcome outcome = run_mxref({"eval", "--model", "smollm2", "--recipe", "w8a8", "--task",
                                     "openbookqa:" + (folder / "f"), "--json", folder / "r"});
  check_good(outcome);
  const json record = json::parse(read_file(folder / "r"));
  BOOST_TEST(record["recipe"]["weights"]["format"] == "mxfp8_e4m3");
  const json& result = record["results"][0];
  BOOST_TEST(result["form"] == "plain");
  BOOST_TEST(result["chosen"] == json({0}));
  BOOST_TEST(result["chosen_norm"] == json({0}));
  BOOST_TEST(result["stderr"].is_null());  // of one item
}

// Rows of each engine and part: what was compared, and what differs.
static void check_rows(const json& record, bool planted) {
  std::map<std::string, int64_t> compared, different;
  for (const json& row : record["results"]) {
    const std::string who = row.value("implementation", row["task"].get<std::string>());
    compared[who] += row.value("compared", int64_t(0));
    different[who] += row.value("mismatches", int64_t(0));
  }
  for (const char* who : {"kernel", "ref", "torch", "systemc", "rtl", "cosim", "rtl_forward"}) {
    BOOST_TEST(compared[who] > 0, who);
    BOOST_TEST(different[who] == 0, who);
  }
  BOOST_TEST((different["planted_fault"] > 0) == planted);
}

// Each result of the accuracy with its noise, in the record and on the page; or none anywhere.
static void check_noise(const json& record, const std::string& page, int64_t runs) {
  int64_t results = 0;
  for (const json& row : record["results"]) {
    if (row["task"] == "control" || !(row.contains("ppl") || row.contains("acc"))) continue;
    ++results;
    BOOST_TEST(row.contains("noise") == (runs > 0));
    if (runs == 0) continue;
    BOOST_TEST(row["noise"]["seed"] == record["seed"]);
    const json& metric = row["noise"][row.contains("ppl") ? "nll" : "acc"];
    BOOST_TEST(int64_t(metric["values"].size()) == runs);
    if (row.contains("ppl")) BOOST_TEST(metric["sd"] > 0.0);
  }
  BOOST_TEST(results == 6);  // three tasks under two recipes
  BOOST_TEST((page.find("<small>noise&nbsp;") != page.npos) == (runs > 0));
  BOOST_TEST((page.find("say nothing about methods") != page.npos) == (runs > 0));
}

// All five parts on a small model: names as a hostile folder may have them, a run that is good, and
// the controls: a faulty engine among the others, a model with layers that no RTL computes.
BOOST_AUTO_TEST_CASE(validate_is_good_where_all_agree_and_ends_with_1_where_not) {
  if (!MXREF_HAS_RTL) return;
  const TemporaryFolder folder;
  const std::string odd = "<it's', system('touch pwned') title 'x.gguf";
  write_counting_assets(folder / "cache");
  folder.write(odd, counting_model());
  folder.write("w'<4.json", R"({"weights":{"format":"mxfp4"},"activations":{"format":"mxfp4"}})");
  folder.write("skip.json", R"({"weights":{"format":"mxfp4"},"activations":{"format":"mxfp4"},)"
                            R"("skip":["lm_head",".*down_proj"]})");
  const auto validate = [&](std::vector<std::string> more, std::vector<std::string> says) {
    std::vector<std::string> args{"validate",   "--model", folder / odd, "--window", "32",
                                  "--windows",  "2",       "--items",    "4",        "--out",
                                  folder / "v", "--json",  folder / "r"};
    args.insert(args.end(), more.begin(), more.end());
    const Outcome outcome = run_mxref(args, {.environment = {{"MXREF_CACHE", folder / "cache"}}});
    BOOST_TEST(outcome.err == "");
    for (const std::string& part : says)
      BOOST_TEST(outcome.out.find(part) != std::string::npos, outcome.out);
    BOOST_TEST(read_file(folder / "r") == read_file(folder / "v/report.json"));
    BOOST_TEST(read_file(folder / "v/report.html").find("</html>") != std::string::npos);
    return outcome.code;
  };
  BOOST_TEST(validate({"--recipe", folder / "w'<4.json", "--noise", "2", "--seed", "3"},
                      {" model compute the same bits"}) == 0);
  BOOST_TEST(!std::filesystem::exists("pwned"));
  const json record = json::parse(read_file(folder / "r"));
  check_rows(record, false);
  check_noise(record, read_file(folder / "v/report.html"), 2);
  for (const json& row : record["results"])
    if (row.contains("acc") && row["task"] != "control") BOOST_TEST(row["acc"] == 1.0);

  BOOST_TEST(validate({"--recipe", "w4a4", "--noise", "0", "--control", "planted_fault"},
                      {"do not compute the same bits"}) == 1);
  const json planted = json::parse(read_file(folder / "r"));
  check_rows(planted, true);
  check_noise(planted, read_file(folder / "v/report.html"), 0);
  BOOST_TEST(planted["summary"]["controls_caught"] == planted["summary"]["controls"]);
  BOOST_TEST(validate({"--recipe", folder / "skip.json"},
                      {"Nothing is shown", "did not compute every linear layer"}) == 1);
  check_noise(json::parse(read_file(folder / "r")), read_file(folder / "v/report.html"), 1);
}

BOOST_AUTO_TEST_CASE(golden_vectors_of_a_model_follow_its_own_layers) {
  check_refused(run_mxref({"vectors", "--kind", "model", "--format", "mxfp4", "--out", "x"}), 2,
                {"--model"});
  if (!has_model()) return;
  const TemporaryFolder folder;
  check_good(run_mxref({"vectors", "--kind", "model", "--model", "smollm2", "--format", "mxfp4",
                        "--count", "100", "--out", folder / "v"}));
  const Vectors v = read_vectors("memh", folder / "v/vectors.memh");
  BOOST_TEST(v.kind == "model");
  BOOST_TEST(v.count() == 100u);
  // Chains start at +0, go on where the last block ended, and the weights are not all zero.
  size_t starts = 0, goes_on = 0;
  for (size_t i = 1; i < v.count(); ++i) {
    starts += v.acc_in[i] == 0;
    goes_on += v.acc_in[i] == v.acc_out[i - 1];
  }
  BOOST_TEST(starts + goes_on >= v.count() - 1);
  BOOST_TEST(std::count(v.codes_b.begin(), v.codes_b.end(), 0) < int64_t(v.codes_b.size()) / 2);
}

// A name that could be a line of data, and is no UTF-8.
BOOST_AUTO_TEST_CASE(golden_vectors_of_a_model_name_it_and_its_tensors) {
  const TemporaryFolder folder;
  write_counting_assets(folder / "cache");
  const std::string odd = "a\n0_0\xFF.gguf";
  folder.write(odd, counting_model());
  for (const VectorForm& form : vector_forms) {
    check_good(
        run_mxref({"vectors", "--kind", "model", "--model", folder / odd, "--format", "mxfp4",
                   "--count", "50", "--as", std::string(form.name), "--out", folder / "v"},
                  {.environment = {{"MXREF_CACHE", folder / "cache"}}}));
    const Vectors v = read_vectors(form.name, std::filesystem::path(folder / "v") / form.file);
    BOOST_TEST(v.count() == 50u);
    BOOST_TEST(v.source.starts_with("a\\n0_0\uFFFD.gguf: model.layers.0.mlp.down_proj ("),
               v.source);
  }
}

// A small published-shape model, which has no tokenizer.
static std::string small_model(const std::string& file = "") {
  const auto folder = shared_data("models/llama_tied");
  return folder ? (*folder / file).string() : "";
}

// "input_ids" of the reference's batch, written alone.
static void write_tokens(const std::string& path) {
  const auto reference = SafetensorsFile::open(small_model("reference.safetensors"));
  const TensorView& ids = reference.at("batch.input_ids");
  SafetensorsWriter writer;
  writer.add("input_ids", DType::I64, ids.shape, ids.bytes);
  writer.write(path);
}

// Mean -log p of the tokens behind the first of each row, by the reference's own logits.
static double reference_nll() {
  const auto file = SafetensorsFile::open(small_model("reference.safetensors"));
  const TensorView &logits = file.at("batch.logits"), &ids = file.at("batch.input_ids");
  const auto* id = reinterpret_cast<const int64_t*>(ids.bytes.data());
  const std::vector<float> values = to_binary32(file, logits);
  const int64_t B = logits.shape[0], T = logits.shape[1], V = logits.shape[2];
  double sum = 0;
  for (int64_t b = 0; b < B; ++b)
    for (int64_t t = 0; t + 1 < T; ++t) {
      const float* row = values.data() + (b * T + t) * V;
      double normalizer = 0;
      for (int64_t v = 0; v < V; ++v) normalizer += std::exp(double(row[v]));
      sum += std::log(normalizer) - double(row[id[b * T + t + 1]]);
    }
  return sum / double(B * (T - 1));
}

BOOST_AUTO_TEST_CASE(a_model_without_a_tokenizer_is_measured_on_token_ids) {
  if (small_model().empty()) return;
  const TemporaryFolder folder;
  write_tokens(folder / "ids");
  check_refused(
      run_mxref({"eval", "--model", small_model(), "--task", "perplexity:" + folder / "ids"}), 3,
      {"has no tokenizer.json"});
  check_good(run_mxref(
      {"eval", "--model", small_model(), "--tokens", folder / "ids", "--json", folder / "r"}));
  const json result = json::parse(read_file(folder / "r"))["results"][0];
  BOOST_TEST(result["task"] == "perplexity");
  BOOST_TEST(std::abs(result["nll"].get<double>() - reference_nll()) < 1e-4);
  // A path may be no UTF-8; a record is.
  write_tokens(folder / "ids\xFF");
  check_good(run_mxref(
      {"eval", "--model", small_model(), "--tokens", folder / "ids\xFF", "--json", folder / "s"}));
  BOOST_TEST(
      (json::parse(read_file(folder / "s"))["results"][0]["file"].get<std::string>().ends_with(
          "ids\uFFFD")));
  check_good(
      run_mxref({"vectors", "--kind", "model", "--model", small_model(), "--tokens", folder / "ids",
                 "--format", "mxfp4", "--count", "60", "--out", folder / "v"}));
  SafetensorsWriter writer;
  const std::vector<int64_t> ids{1, 1 << 20, 3};
  writer.add("input_ids", DType::I64, {1, 3}, ids);
  writer.write(folder / "bad");
  for (const char* command : {"eval", "vectors"}) {
    std::vector<std::string> args{command, "--model", small_model(), "--tokens", folder / "bad"};
    if (args[0] == "vectors")
      args.insert(args.end(), {"--kind", "model", "--format", "mxfp4", "--out", folder / "w"});
    check_refused(run_mxref(args), 3, {"bad: tensor 'input_ids'", "1048576"});
  }
}

// One token a byte, as tokenizer.json has it.
static json byte_tokenizer() {
  json vocab = json::object();
  for (int byte = 0; byte < 256; ++byte) vocab[letter_of_byte(uint8_t(byte))] = byte;
  return {{"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", json::array()}}},
          {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}}}};
}

BOOST_AUTO_TEST_CASE(text_reaches_a_folder_through_its_tokenizer_json) {
  if (small_model().empty()) return;
  const TemporaryFolder folder;
  for (const char* name : {"config.json", "model.safetensors"})
    std::filesystem::copy(small_model(name), folder / name);
  folder.write("tokenizer.json", byte_tokenizer().dump());
  folder.write("text", "Twelve bytes");
  folder.write("items", R"({"query":"","choices":["a","b"],"gold":0})");
  check_good(run_mxref({"eval", "--model", folder.path(), "--task", "perplexity:" + folder / "text",
                        "--task", "piqa:" + folder / "items", "--json", folder / "r"}));
  const json results = json::parse(read_file(folder / "r"))["results"];
  BOOST_TEST(results[0]["tokens"] == 11);
  BOOST_TEST(results[1]["items"] == 1);
}

BOOST_AUTO_TEST_SUITE_END()
