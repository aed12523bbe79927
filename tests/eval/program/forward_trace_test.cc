// mxref forward --trace, and what mxref audit --trace makes of two of them.

#include <nlohmann/json.hpp>

#include "emu/audit/trace.h"
#include "emu/files/json_file.h"
#include "tests/eval/program/files.h"
#include "tests/shared_data.h"

using namespace mxref;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

constexpr int64_t B = 2, T = 5;
constexpr const char* family = "models/llama3";

// Two sequences of five tokens.
std::string write_ids(const TemporaryFolder& folder) {
  const std::vector<int64_t> ids{1, 2, 3, 4, 5, 60, 50, 40, 30, 20};
  SafetensorsWriter writer;
  writer.add("input_ids", DType::I64, {B, T}, ids);
  writer.write(folder / "ids");
  return folder / "ids";
}

struct Forward {
  fs::path model;
  TemporaryFolder folder;
  std::string ids = write_ids(folder);

  std::vector<std::string> words(const std::string& trace,
                                 const std::vector<std::string>& more = {}) const {
    std::vector<std::string> args = {"forward", "--model",      model.string(), "--tokens", ids,
                                     "--out",   folder / "out", "--trace",      trace};
    args.insert(args.end(), more.begin(), more.end());
    return args;
  }
  std::string trace(const std::string& name, const std::vector<std::string>& more = {}) const {
    check_good(run_mxref(words(folder / name, more)));
    return folder / name;
  }
};

std::vector<std::string> modules_of(int64_t layers) {
  std::vector<std::string> names{"model.embed_tokens"};
  for (int64_t i = 0; i < layers; ++i)
    for (const char* module :
         {"input_layernorm", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
          "self_attn.rotary.q", "self_attn.rotary.k", "self_attn.attention", "self_attn.o_proj",
          "self_attn.residual", "post_attention_layernorm", "mlp.gate_proj", "mlp.up_proj",
          "mlp.act_fn", "mlp.down_proj", "mlp.residual"})
      names.push_back("model.layers." + std::to_string(i) + "." + module);
  names.insert(names.end(), {"model.norm", "lm_head"});
  return names;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(forward_trace)

BOOST_AUTO_TEST_CASE(every_module_is_there_in_order_with_its_whole_batch) {
  const auto model = shared_data(family);
  if (!model) return;
  const Forward forward{*model, {}};
  const Trace trace = open_trace(forward.trace("t", {"--recipe", "w4a4", "--hidden"}));
  const json config = read_json_object(*model / "config.json");
  const std::vector<std::string> names = modules_of(config["num_hidden_layers"]);
  BOOST_REQUIRE(trace.modules.size() == names.size());
  for (size_t i = 0; i < names.size(); ++i) {
    BOOST_TEST(trace.modules[i].name == names[i]);
    const SafetensorsFile file = open_module(trace, trace.modules[i]);
    for (const TensorView& tensor : file.tensors())
      BOOST_TEST((tensor.shape.size() == 3 && tensor.shape[0] == B && tensor.shape[1] == T),
                 names[i]);
  }
  // What the command writes by itself is what came out of these modules.
  const SafetensorsFile out = SafetensorsFile::open(forward.folder / "out");
  const auto output_of = [&](const std::string& module) {
    const SafetensorsFile file = SafetensorsFile::open(trace.folder / (module + ".safetensors"));
    return to_binary32(file, file.at("output"));
  };
  BOOST_TEST((output_of("lm_head") == to_binary32(out, out.at("logits"))));
  BOOST_TEST((output_of("model.embed_tokens") == to_binary32(out, out.at("hidden.0"))));
  BOOST_TEST((output_of("model.layers.1.mlp.residual") == to_binary32(out, out.at("hidden.2"))));
  const std::vector<std::string> attention{"input.0", "input.1", "input.2", "output"};
  std::vector<std::string> tensors;
  for (const auto& [name, shape] : trace.modules[7].shapes) tensors.push_back(name);
  BOOST_TEST(tensors == attention, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_index_says_what_ran_and_a_trace_changes_no_bit) {
  const auto model = shared_data(family);
  if (!model) return;
  const Forward forward{*model, {}};
  const std::string trace = forward.trace(
      "t", {"--recipe", "w4a4", "--threads", "2", "--json", forward.folder / "r.json"});
  const json index = read_json_object(trace + "/index.json");
  const json record = read_json_object(forward.folder / "r.json");
  for (const char* field : {"command", "version", "commit", "threads", "host", "model", "recipe"})
    BOOST_TEST(index[field] == record[field], field);
  BOOST_TEST(index["schema"] == "mxref-trace/1");
  BOOST_TEST(index["host"].contains("isa"));
  const std::string with = read_file(forward.folder / "out");
  check_good(run_mxref({"forward", "--model", model->string(), "--tokens", forward.ids, "--recipe",
                        "w4a4", "--out", forward.folder / "out"}));
  BOOST_TEST((read_file(forward.folder / "out") == with));
}

BOOST_AUTO_TEST_CASE(engines_and_threads_give_one_trace_and_another_datapath_is_found_at_once) {
  const auto model = shared_data(family);
  if (!model) return;
  const Forward forward{*model, {}};
  const auto trace = [&](const char* name, const std::string& setting, const char* threads) {
    return forward.trace(name, {"--recipe", "w8a8", "--set", setting, "--threads", threads});
  };
  const std::string a = trace("a", "implementation=kernel", "1");
  const std::string b = trace("b", "implementation=ref", "2");
  const std::string record = forward.folder / "r.json";
  check_good(run_mxref({"audit", "--trace", a, b, "--json", record}));
  const json facts = read_json_object(record)["results"][0]["facts"];
  BOOST_TEST(facts["threads"] == (json{"1", "2"}));
  BOOST_TEST(facts["recipe.implementation"] == (json{"\"kernel\"", "\"ref\""}));

  // The control: sums of another arithmetic.
  trace("b", "datapath=tensorcore_mxf8", "1");
  const Outcome outcome = run_mxref({"audit", "--trace", a, b, "--json", record});
  BOOST_TEST(outcome.code == 1, outcome.err);
  const json first = read_json_object(record)["results"][0]["first"];
  BOOST_TEST(first["module"] == "model.layers.0.self_attn.q_proj");
  BOOST_TEST(first["tensor"] == "output");
  BOOST_TEST(first["starts_here"] == true);
}

BOOST_AUTO_TEST_CASE(a_trace_is_replaced_and_other_files_stay) {
  const auto model = shared_data(family);
  if (!model) return;
  const Forward forward{*model, {}};
  const fs::path trace = forward.trace("t");
  const size_t files = files_in(trace).size();
  write_atomically(trace / "notes.txt", "mine");
  forward.trace("t", {"--recipe", "w4a4"});
  BOOST_TEST(files_in(trace).size() == files + 1);
  BOOST_TEST(read_file(trace / "notes.txt") == "mine");
  BOOST_TEST(read_json_object(trace / "index.json")["recipe"]["weights"]["format"] == "mxfp4");
}

BOOST_AUTO_TEST_CASE(a_folder_that_would_lose_something_is_refused) {
  const auto model = shared_data(family);
  if (!model) return;
  const Forward forward{*model, {}};
  const TemporaryFolder& folder = forward.folder;
  const auto check = [&](const std::string& trace, const std::vector<std::string>& more, int code,
                         const std::vector<std::string>& parts) {
    check_refused(run_mxref(forward.words(trace, more)), code, parts);
  };
  check("", {}, 2, {"--trace", "''"});
  check(model->string(), {}, 2, {"--model", "--trace"});
  check(model->parent_path(), {}, 2, {"--model", "lies in the folder"});
  check(folder.path(), {}, 2, {"--out", "lies in the folder"});
  check(folder / "out", {}, 2, {"--out", "--trace"});
  check(folder / "t", {"--json", folder / "t/r.json"}, 2, {"--json", "lies in the folder"});
  fs::create_directory(folder / "link");
  fs::create_directory(folder / "full");
  fs::create_symlink("..", folder / "link/up");
  check(folder / "full", {"--json", folder / "link/up/full/r.json"}, 2, {"--json"});
  folder.write("full/notes.txt", "mine");
  check(folder / "full", {}, 2, {"full", "no index.json", "expected an empty folder"});
  check(folder / "absent/t", {}, 3, {"absent/t", "no folder to write a trace into"});
  BOOST_TEST(!fs::exists(folder / "out"));
  BOOST_TEST(!fs::exists(folder / "t"));
}

BOOST_AUTO_TEST_CASE(a_pass_that_fails_leaves_no_trace) {
  const auto model = shared_data(family);
  if (!model) return;
  const Forward forward{*model, {}};
  const fs::path trace = forward.folder / "t";
  const Outcome outcome = run_mxref(forward.words(trace), Surroundings{.file_size_limit = 5000});
  BOOST_TEST(outcome.code == 3, outcome.err);
  BOOST_TEST(!fs::exists(trace));
}

BOOST_AUTO_TEST_SUITE_END()
