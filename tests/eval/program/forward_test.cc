// mxref forward: every engine gives the bits of the others, and wrong input is refused by name.

#include <nlohmann/json.hpp>

#include "emu/files/json_file.h"
#include "tests/eval/program/files.h"
#include "tests/shared_data.h"

using namespace mxref;
using nlohmann::json;

namespace {

// The tokens of a reference, as the command takes them.
std::string write_tokens(const std::string& path, const std::filesystem::path& model,
                         const std::string& sequence) {
  const auto reference = SafetensorsFile::open(model / "reference.safetensors");
  const TensorView& ids = reference.at(sequence + ".input_ids");
  SafetensorsWriter writer;
  writer.add("input_ids", ids.dtype, ids.shape, ids.bytes);
  writer.write(path);
  return path;
}

std::string write_ids(const std::string& path, DType type, std::vector<int64_t> shape,
                      const std::vector<int64_t>& ids, const std::string& name = "input_ids") {
  SafetensorsWriter writer;
  writer.add(name, type, std::move(shape), ids);
  writer.write(path);
  return path;
}

std::vector<std::string> engines_of_this_build() {
  std::vector<std::string> engines = {"kernel", "ref", "torch"};
#if MXREF_HAS_RTL
  engines.insert(engines.end(), {"systemc", "rtl"});
#endif
  return engines;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(forward)

BOOST_AUTO_TEST_CASE(every_engine_and_number_of_threads_gives_the_same_bits) {
  const auto model = shared_data("models/openpangu");
  if (!model) return;
  const TemporaryFolder folder;
  const std::string tokens = write_tokens(folder / "ids", *model, "seq0");
  std::string bytes_of_w4a4;
  for (const char* recipe : {"w4a4", "w4a8", "w8a8"}) {
    std::string expected;
    for (const std::string& engine : engines_of_this_build())
      for (const char* threads : {"1", "2"}) {
        check_good(run_mxref({"forward", "--model", model->string(), "--tokens", tokens, "--recipe",
                              recipe, "--set", "implementation=" + engine, "--hidden", "--threads",
                              threads, "--out", folder / "out", "--json", folder / "record"}));
        const std::string bytes = read_file(folder / "out");
        if (expected.empty()) expected = bytes;
        BOOST_TEST((bytes == expected),
                   recipe << " by " << engine << " with " << threads << " threads");
        const json result = json::parse(read_file(folder / "record"))["results"][0];
        BOOST_TEST(result.contains("cycles") == (engine == "systemc" || engine == "rtl"));
      }
    // The control: another arithmetic has other bits.
    BOOST_TEST((expected != bytes_of_w4a4));
    bytes_of_w4a4 = expected;
  }
}

BOOST_AUTO_TEST_CASE(the_file_holds_logits_and_hidden_states_of_the_stated_shapes) {
  const auto model = shared_data("models/llama3");
  if (!model) return;
  const TemporaryFolder folder;
  const std::string tokens = write_tokens(folder / "ids", *model, "batch");
  check_good(run_mxref({"forward", "--model", model->string(), "--tokens", tokens, "--hidden",
                        "--out", folder / "out"}));
  const auto out = SafetensorsFile::open(folder / "out");
  const auto reference = SafetensorsFile::open(*model / "reference.safetensors");
  BOOST_TEST(out.tensors().size() == 5u);
  for (const char* name : {"logits", "hidden.0", "hidden.3"}) {
    BOOST_TEST((out.at(name).shape == reference.at(std::string("batch.") + name).shape), name);
    BOOST_TEST((out.at(name).dtype == DType::F32), name);
  }
}

BOOST_AUTO_TEST_CASE(more_tokens_than_the_model_was_made_for_are_noted) {
  const auto model = shared_data("models/llama3");
  if (!model) return;
  const TemporaryFolder folder;
  const auto window = read_json_object(*model / "config.json")["max_position_embeddings"];
  for (const int64_t more : {0, 1}) {
    const int64_t count = window.get<int64_t>() + more;
    const Outcome outcome =
        run_mxref({"forward", "--model", model->string(), "--out", folder / "out", "--tokens",
                   write_ids(folder / "ids", DType::I64, {1, count}, std::vector<int64_t>(count))});
    BOOST_TEST(outcome.code == 0);
    BOOST_TEST(outcome.err.starts_with("note: ") == (more > 0), outcome.err);
    BOOST_TEST(outcome.out.find("logits of 1 × " + std::to_string(count)) != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(wrong_tokens_are_refused_and_leave_no_output) {
  const auto model = shared_data("models/llama3");
  if (!model) return;
  const TemporaryFolder folder;
  const auto check = [&](const std::string& tokens, const std::vector<std::string>& parts) {
    check_refused(run_mxref({"forward", "--model", model->string(), "--tokens", tokens, "--out",
                             folder / "out"}),
                  3, parts);
    BOOST_TEST(!std::filesystem::exists(folder / "out"));
  };
  const std::string ids = folder / "ids";
  check(write_ids(ids, DType::I64, {1, 2}, {1, 320}), {ids, "320", "0 … 319"});
  check(write_ids(ids, DType::I64, {1, 2}, {1, -1}), {ids, "-1"});
  check(write_ids(ids, DType::I64, {2}, {1, 2}), {ids, "input_ids", "(2)", "(B,T)"});
  check(write_ids(ids, DType::F64, {1, 2}, {1, 2}), {ids, "input_ids", "F64", "I64"});
  check(write_ids(ids, DType::I64, {1, 0}, {}), {ids, "input_ids"});
  check(write_ids(ids, DType::I64, {1, 2}, {1, 2}, "ids"), {ids, "input_ids"});
  check(folder / "absent", {"absent"});
}

BOOST_AUTO_TEST_CASE(wrong_recipes_and_models_are_refused) {
  const auto models = shared_data("models");
  if (!models) return;
  const TemporaryFolder folder;
  const std::string ids = write_ids(folder / "ids", DType::I64, {1, 1}, {1});
  const auto check = [&](const std::string& model, std::vector<std::string> more, int code,
                         const std::vector<std::string>& parts) {
    std::vector<std::string> args = {"forward", "--model", model,         "--tokens",
                                     ids,       "--out",   folder / "out"};
    args.insert(args.end(), more.begin(), more.end());
    check_refused(run_mxref(args), code, parts);
  };
  const std::string llama = *models / "llama3";
  check(llama, {"--recipe", "w4a5"}, 2, {"did you mean 'w4a"});
  check(llama, {"--recipe", "w4a4", "--set", "implementation=kernle"}, 2,
        {"did you mean 'kernel'"});
  check(llama, {"--recipe", "w4a4", "--set", R"(skip=["head"])"}, 2, {"skip 'head' matches no"});
  check(llama, {"--set", "rest=strickt"}, 2, {"unknown value 'strickt'", "did you mean 'strict'"});
  check(*models / "qwen2_5_vl", {}, 3, {"Qwen2_5_VLForConditionalGeneration", "LlamaForCausalLM"});
  check("smollm", {}, 2, {"did you mean 'smollm2'"});
  check(folder / "absent", {}, 3, {"absent"});
}

BOOST_AUTO_TEST_SUITE_END()
