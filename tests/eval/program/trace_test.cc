// mxref audit --trace: two traces, as the program tells of them.

#include <nlohmann/json.hpp>

#include "tests/eval/program/files.h"
#include "tests/small_trace.h"

using namespace mxref;
using nlohmann::json;

namespace {

Outcome audit(const std::vector<std::string>& folders, std::vector<std::string> more = {}) {
  more.insert(more.begin(), {"audit", "--trace"});
  more.insert(more.begin() + 2, folders.begin(), folders.end());
  return run_mxref(more);
}

void check_says(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts)
    BOOST_TEST((text.find(part) != text.npos), "should say '" << part << "': " << text);
}

// The folders of two traces, equal yet.
struct TwoTraces {
  TwoTraces() {
    write_small_trace(a);
    write_small_trace(b);
  }
  TemporaryFolder folder;
  std::string a = folder / "a", b = folder / "b", record = folder / "r.json";
};

json result_of(const TwoTraces& traces) {
  return json::parse(read_file(traces.record))["results"][0];
}

}  // namespace

BOOST_AUTO_TEST_SUITE(audit_trace)

BOOST_AUTO_TEST_CASE(equal_traces_are_0) {
  const TwoTraces traces;
  const Outcome outcome = audit({traces.a, traces.b}, {"--json", traces.record});
  check_good(outcome);
  check_says(outcome.out, {"compared 4 modules, different 0; compared 240 values, different 0",
                           "every module has the same inputs and output, bit for bit"});
  BOOST_TEST(json::parse(read_file(traces.record))["passed"] == true);
  const json result = result_of(traces);
  BOOST_TEST(result["task"] == "audit");
  BOOST_TEST(result["traces"] == (json{traces.a, traces.b}));
  BOOST_TEST(result["modules"] == 4);
  BOOST_TEST(result["compared"] == 240);
  BOOST_TEST(result["different"] == 0);
  BOOST_TEST(result["first"].is_null());
}

BOOST_AUTO_TEST_CASE(a_difference_is_1_and_told_with_its_place_values_and_meaning) {
  const TwoTraces traces;
  const std::string module = "model.layers.0.self_attn.q_proj";
  flip(traces.b, module, "output", 23, 1);
  flip(traces.b, "lm_head", "input", 4, 1);
  const Outcome outcome = audit({traces.a, traces.b}, {"--json", traces.record});
  BOOST_TEST(outcome.code == 1);
  BOOST_TEST(outcome.err == "");
  check_says(outcome.out, {"compared 4 modules, different 2; compared 240 values, different 2",
                           "first to differ: " + module + " (module 1 of 4), output",
                           "row        4, element 3: (1, 1, 3) of (2, 3, 5)",
                           "different  1 of 30 values", "it starts here"});
  const json result = result_of(traces), &first = result["first"];
  BOOST_TEST(json::parse(read_file(traces.record))["passed"] == false);
  BOOST_TEST(result["different"] == 2);
  BOOST_TEST(result["modules_different"] == 2);
  BOOST_TEST(result["differing"] ==
             (json{{{"module", module}, {"inputs_different", 0}, {"output_different", 1}},
                   {{"module", "lm_head"}, {"inputs_different", 1}, {"output_different", 0}}}));
  BOOST_TEST(first["module"] == module);
  BOOST_TEST(first["tensor"] == "output");
  BOOST_TEST(first["row"] == 4);
  BOOST_TEST(first["element"] == 3);
  BOOST_TEST(first["index"] == (json{1, 1, 3}));
  BOOST_TEST(first["starts_here"] == true);
  for (const char* side : {"a", "b"}) {
    const std::string value = first[side];
    BOOST_TEST((value.starts_with("0x") && value.find(" (") == 10u), value);
    check_says(outcome.out, {std::string(side) + "          " + value});
  }
  BOOST_TEST(first["a"] != first["b"]);
}

BOOST_AUTO_TEST_CASE(an_input_that_differs_before_any_output_is_told_apart) {
  const TwoTraces traces;
  flip(traces.b, "lm_head", "input", 0, 1);
  flip(traces.b, "lm_head", "output", 0, 1);
  const Outcome outcome = audit({traces.a, traces.b}, {"--json", traces.record});
  BOOST_TEST(outcome.code == 1);
  check_says(outcome.out, {"first to differ: lm_head (module 3 of 4), input",
                           "its input differs already", "between modules"});
  BOOST_TEST(result_of(traces)["first"]["starts_here"] == false);
}

BOOST_AUTO_TEST_CASE(what_differs_of_the_runs_is_told_and_explains_the_first_difference) {
  const TwoTraces traces;
  const auto told = [&](const std::string& module, const std::string& facts) {
    write_small_trace(traces.b, facts);
    flip(traces.b, module, "output", 0, 1);
    return audit({traces.a, traces.b}).out;
  };
  check_says(told("model.embed_tokens", R"({"input_ids_sha256":"other"})"),
             {"input_ids_sha256         \"1d\" | \"other\"", "read other tokens"});
  check_says(told("model.embed_tokens", small_facts), {"the embeddings are other numbers"});
  check_says(told("lm_head", R"({"model":{"sha256":"other"}})"),
             {"model.sha256             \"5e\" | \"other\"", "or has other weights"});
  BOOST_TEST((told("lm_head", small_facts).find("weights") == std::string::npos));
}

BOOST_AUTO_TEST_CASE(damaged_traces_and_those_of_other_modules_are_3) {
  const TwoTraces traces;
  const std::string index = traces.b + "/index.json", head = traces.b + "/lm_head.safetensors";
  const std::string whole = read_file(index), bytes = read_file(head);
  write_atomically(index, whole.substr(0, whole.size() / 2));
  check_refused(audit({traces.a, traces.b}), 3, {"b/index.json", "no valid JSON"});
  write_atomically(index, whole);
  std::filesystem::remove(head);
  check_refused(audit({traces.a, traces.b}), 3, {"b/lm_head.safetensors", "cannot be read"});
  write_atomically(head, bytes.substr(0, bytes.size() - 4));
  check_refused(audit({traces.a, traces.b}), 3, {"b/lm_head.safetensors"});
  write_atomically(head, bytes);
  json other = json::parse(whole);
  std::swap(other["modules"][1], other["modules"][2]);
  write_atomically(index, other.dump());
  check_refused(audit({traces.a, traces.b}), 3, {"b/index.json", "module 1 is", "expected"});
  check_refused(audit({traces.a, traces.folder / "absent"}), 3, {"absent/index.json"});
  write_atomically(index, whole);
  check_good(audit({traces.a, traces.b}));  // the control
}

BOOST_AUTO_TEST_CASE(wrong_use_is_2) {
  const TwoTraces traces;
  check_refused(audit({traces.a}), 2, {"--trace", "2 required"});
  check_refused(audit({traces.a, traces.b, traces.a}), 2, {"--trace", "2 required"});
  check_refused(audit({traces.a, ""}), 2, {"--trace ''"});
  check_refused(audit({traces.a, traces.b}, {"--format", "mxfp4"}), 2, {"--trace", "--format"});
  check_refused(audit({traces.a, traces.b}, {"--builtin", "ties_away"}), 2,
                {"--trace", "--builtin"});
  check_refused(audit({traces.a, traces.b}, {"--json", traces.b + "/r.json"}), 2,
                {"--json", "lies in the folder"});
  check_refused(audit({traces.a, traces.b}, {"--json", traces.a + "/index.json"}), 2, {"--json"});
}

BOOST_AUTO_TEST_SUITE_END()
