#include "emu/audit/trace.h"

#include <algorithm>
#include <bit>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <nlohmann/json.hpp>

#include "emu/error.h"
#include "tests/small_trace.h"
#include "tests/temporary_folder.h"

using namespace mxref;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

constexpr int64_t values_of_a_tensor = small_batch * small_tokens * small_width;

TraceReport compare(const fs::path& a, const fs::path& b) {
  return compare_traces(open_trace(a), open_trace(b));
}

// The message of an error of type E; "" where there was none.
template <typename E, typename F>
std::string refusal(F f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  }
  return "";
}

void check_says(const std::string& message, const std::vector<std::string>& parts) {
  for (const std::string& part : parts)
    BOOST_TEST((message.find(part) != message.npos), "should say '" << part << "': " << message);
}

// A copy of the trace whose index was edited.
fs::path edited(const TemporaryFolder& folder, const std::string& name,
                const std::function<void(json&)>& edit) {
  const fs::path copy = folder / name;
  fs::remove_all(copy);
  write_small_trace(copy);
  json index = json::parse(read_file(copy / trace_index));
  edit(index);
  write_atomically(copy / trace_index, index.dump());
  return copy;
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(traces)

BOOST_AUTO_TEST_CASE(what_was_written_is_read_in_the_order_of_computation) {
  const TemporaryFolder folder;
  write_small_trace(folder / "a");
  const Trace trace = open_trace(folder / "a");
  const auto modules = small_modules();
  BOOST_REQUIRE(trace.modules.size() == modules.size());
  const std::vector<int64_t> shape{small_batch, small_tokens, small_width};
  for (size_t i = 0; i < modules.size(); ++i) {
    BOOST_TEST(trace.modules[i].name == modules[i].first);
    const SafetensorsFile file = open_module(trace, trace.modules[i]);
    BOOST_TEST(file.tensors().size() == modules[i].second.size());
    for (const std::string& tensor : modules[i].second)
      BOOST_TEST((file.at(tensor).shape == shape), tensor);
  }
  BOOST_TEST(trace.facts.at("recipe.datapath") == "\"fused\"");
  const SafetensorsFile last = open_module(trace, trace.modules.back());
  BOOST_TEST(to_binary32(last, last.at("input")) == small_values(small_batch * small_tokens, 5));
  BOOST_TEST(names_in(folder / "a").size() == modules.size() + 1);
}

BOOST_AUTO_TEST_CASE(equal_traces_have_no_difference_and_nan_compares_as_its_bits) {
  const TemporaryFolder folder;
  write_small_trace(folder / "a");
  write_small_trace(folder / "b");
  const uint32_t to_nan = std::bit_cast<uint32_t>(small_values(1, 1)[0]) ^ 0x7FC00001;
  for (const char* trace : {"a", "b"})
    flip(folder / trace, "model.embed_tokens", "output", 0, to_nan);
  TraceReport report = compare(folder / "a", folder / "b");
  BOOST_TEST(report.modules == 4);
  BOOST_TEST(report.compared == 8 * values_of_a_tensor);
  BOOST_TEST(report.different == 0);
  BOOST_TEST(!report.first);
  BOOST_TEST(!report.starts_there());
  BOOST_TEST(report.facts.empty());
  flip(folder / "b", "model.embed_tokens", "output", 0, 2);  // the control: another NaN
  report = compare(folder / "a", folder / "b");
  BOOST_TEST(report.different == 1);
  BOOST_TEST(report.first->a == 0x7FC00001u);
  BOOST_TEST(report.first->b == 0x7FC00003u);
}

BOOST_AUTO_TEST_CASE(a_flipped_bit_is_found_at_exactly_its_place) {
  const TemporaryFolder folder;
  write_small_trace(folder / "a");
  const auto modules = small_modules();
  for (size_t m = 0; m < modules.size(); ++m)
    for (const std::string& tensor : modules[m].second)
      for (int64_t place : {int64_t(0), int64_t(17), values_of_a_tensor - 1})
        for (int bit : {0, 23, 31}) {
          write_small_trace(folder / "b");
          flip(folder / "b", modules[m].first, tensor, place, 1u << bit);
          const TraceReport report = compare(folder / "a", folder / "b");
          BOOST_TEST(report.compared == 8 * values_of_a_tensor);
          BOOST_TEST(report.different == 1);
          BOOST_REQUIRE(report.differing.size() == 1u);
          BOOST_TEST(report.differing[0].module == m);
          BOOST_TEST(report.differing[0].outputs == (tensor == "output"));
          BOOST_TEST(report.starts_there() == (tensor == "output"));
          BOOST_REQUIRE(report.first.has_value());
          BOOST_TEST(report.first->tensor == tensor);
          BOOST_TEST(report.first->row() == place / small_width);
          BOOST_TEST(report.first->element() == place % small_width);
          BOOST_TEST(
              report.first->index() ==
              (std::vector<int64_t>{place / (small_tokens * small_width),
                                    place / small_width % small_tokens, place % small_width}));
          BOOST_TEST((report.first->a ^ report.first->b) == 1u << bit);
        }
}

BOOST_AUTO_TEST_CASE(the_first_of_several_differences_is_named_and_an_input_before_the_output) {
  const TemporaryFolder folder;
  write_small_trace(folder / "a");
  write_small_trace(folder / "b");
  flip(folder / "b", "lm_head", "output", 0, 1);
  flip(folder / "b", "model.layers.0.mlp.residual", "output", 2, 1);
  flip(folder / "b", "model.layers.0.mlp.residual", "input.1", 9, 1);
  flip(folder / "b", "model.layers.0.mlp.residual", "input.1", 11, 1);
  const TraceReport report = compare(folder / "a", folder / "b");
  BOOST_TEST(report.different == 4);
  BOOST_TEST(report.differing.size() == 2u);
  BOOST_TEST(report.differing[0].module == 2u);
  BOOST_TEST(report.differing[0].inputs == 2);
  BOOST_TEST(report.differing[0].outputs == 1);
  BOOST_TEST(report.first->tensor == "input.1");
  BOOST_TEST(report.first->place == 9);
  BOOST_TEST(report.first->different == 2);
  BOOST_TEST(!report.starts_there());
}

BOOST_AUTO_TEST_CASE(facts_that_differ_are_told_and_make_no_difference_of_values) {
  const TemporaryFolder folder;
  write_small_trace(folder / "a");
  write_small_trace(folder / "b",
                    R"({"recipe":{"datapath":"exact"},"model":{"sha256":"5e"},"x":1})");
  const TraceReport report = compare(folder / "a", folder / "b");
  BOOST_TEST(report.different == 0);
  BOOST_REQUIRE(report.facts.size() == 3u);
  BOOST_TEST(report.facts[0].name == "input_ids_sha256");
  BOOST_TEST(report.facts[0].b == "");
  BOOST_TEST(report.facts[1].name == "recipe.datapath");
  BOOST_TEST(report.facts[1].a == "\"fused\"");
  BOOST_TEST(report.facts[1].b == "\"exact\"");
  BOOST_TEST(report.facts[2].b == "1");
}

BOOST_AUTO_TEST_CASE(traces_of_other_modules_or_shapes_are_refused_by_name) {
  const TemporaryFolder folder;
  write_small_trace(folder / "a");
  const auto check = [&](const std::function<void(json&)>& edit,
                         const std::vector<std::string>& parts) {
    const fs::path b = edited(folder, "b", edit);
    check_says(refusal<InputError>([&] { compare(folder / "a", b); }), parts);
    BOOST_TEST(refusal<InputError>([&] { compare(b, folder / "a"); }) != "");
  };
  check([](json& index) { std::swap(index["modules"][1], index["modules"][2]); },
        {"b/index.json", "module 1 is 'model.layers.0.mlp.residual'",
         "expected 'model.layers.0.self_attn.q_proj'", "a/index.json"});
  check([](json& index) { index["modules"].erase(3); },
        {"b/index.json", "module 3 is none; expected 'lm_head'"});
  check(
      [](json& index) {
        index["modules"][3]["tensors"]["output"] = {6, 5};
      },
      {"b/lm_head.safetensors", "tensor 'output' has shape (6, 5); expected (2, 3, 5)"});
  check([](json& index) { index["modules"][2]["tensors"].erase("input.1"); },
        {"b/model.layers.0.mlp.residual.safetensors", "no tensor 'input.1'"});
}

BOOST_AUTO_TEST_CASE(a_damaged_index_is_refused_by_name) {
  const TemporaryFolder folder;
  const auto check = [&](const std::function<void(json&)>& edit,
                         const std::vector<std::string>& parts) {
    const fs::path trace = edited(folder, "b", edit);
    check_says(refusal<InputError>([&] { open_trace(trace); }), {"b/index.json"});
    check_says(refusal<InputError>([&] { open_trace(trace); }), parts);
  };
  const auto module = [](json& index) -> json& { return index["modules"][1]; };
  check([](json& index) { index["schema"] = "mxref/1"; }, {"no index of a trace", trace_schema});
  check([](json& index) { index.erase("schema"); }, {"no index of a trace"});
  check([](json& index) { index.erase("modules"); }, {"no list 'modules'"});
  check([](json& index) { index["modules"] = json::array(); }, {"no list 'modules'"});
  check([&](json& index) { module(index) = 3; }, {"module 1 has no 'module'"});
  check([&](json& index) { module(index).erase("tensors"); }, {"module 1 has no 'tensors'"});
  for (const char* name : {"../a", "", ".hidden", "a/b", "a b", "\u00e9"})
    check(
        [&](json& index) {
          module(index)["module"] = name;
          module(index)["file"] = std::string(name) + ".safetensors";
        },
        {"module 1 is called", "expected such as"});
  check([&](json& index) { module(index)["file"] = "../x.safetensors"; },
        {"has the file \"../x.safetensors\"", "q_proj.safetensors"});
  check([&](json& index) { module(index) = index["modules"][0]; }, {"comes before"});
  check([&](json& index) { module(index)["tensors"].erase("output"); }, {"no tensor 'output'"});
  check([&](json& index) { module(index)["tensors"]["input.x"] = {1}; }, {"'input.x'"});
  for (const json& shape : {json(-1), json{-1}, json{1.5}, json{"1"}, json{UINT64_MAX}})
    check([&](json& index) { module(index)["tensors"]["output"] = shape; },
          {"module 1: tensor 'output'", "expected"});

  fs::remove_all(folder / "b");
  write_small_trace(folder / "b");
  const std::string whole = read_file(fs::path(folder / "b") / trace_index);
  for (size_t length : {size_t(0), size_t(1), whole.size() / 2, whole.size() - 2}) {
    write_atomically(fs::path(folder / "b") / trace_index, whole.substr(0, length));
    check_says(refusal<InputError>([&] { open_trace(folder / "b"); }),
               {"b/index.json", "no valid JSON"});
  }
  check_says(refusal<InputError>([&] { open_trace(folder / "absent"); }), {"absent/index.json"});
}

BOOST_AUTO_TEST_CASE(a_file_that_is_missing_or_not_as_the_index_says_is_refused_by_name) {
  const TemporaryFolder folder;
  write_small_trace(folder / "a");
  const fs::path b = folder / "b", file = b / "lm_head.safetensors";
  const auto check = [&](const std::vector<std::string>& parts) {
    const std::string message = refusal<InputError>([&] { compare(folder / "a", b); });
    check_says(message, {"b/lm_head.safetensors"});
    check_says(message, parts);
  };
  write_small_trace(b);
  const std::string whole = read_file(file);
  fs::remove(file);
  check({"cannot be read"});
  for (size_t length : {size_t(0), size_t(7), size_t(40), whole.size() - 1}) {
    write_atomically(file, whole.substr(0, length));
    check({});
  }
  const std::vector<float> x(size_t(values_of_a_tensor), 1.0f);
  const std::vector<int64_t> shape{small_batch, small_tokens, small_width};
  const auto rewrite = [&](const std::function<void(SafetensorsWriter&)>& fill) {
    SafetensorsWriter writer;
    fill(writer);
    writer.write(file);
  };
  rewrite([&](auto& w) { w.add("input", DType::F32, shape, x); });
  check({"has no tensor 'output'"});
  rewrite([&](auto& w) {
    w.add("input", DType::F32, shape, x);
    w.add("output", DType::F32, {values_of_a_tensor}, x);
  });
  check({"tensor 'output' has shape (30); expected (2, 3, 5), as index.json says"});
  rewrite([&](auto& w) {
    w.add("input", DType::F32, shape, x);
    w.add("output", DType::I32, shape, x);
  });
  check({"tensor 'output' is I32; expected F32"});
  rewrite([&](auto& w) {
    for (const char* name : {"input", "output", "weight"}) w.add(name, DType::F32, shape, x);
  });
  check({"tensor 'weight' is not in index.json"});
}

BOOST_AUTO_TEST_CASE(a_trace_is_replaced_and_nothing_else_is_taken_away) {
  const TemporaryFolder folder;
  const fs::path trace = folder / "t";
  write_small_trace(trace);
  write_atomically(trace / "notes.txt", "mine");
  {
    TraceWriter writer(trace, 1, 1);
    writer.add("model.norm", "output", std::vector<float>{1});
    writer.finish("{}");
  }
  BOOST_TEST(names_in(trace) ==
             (std::vector<std::string>{"index.json", "model.norm.safetensors", "notes.txt"}));
  // What is called as a module is, and is not the earlier trace's.
  write_atomically(trace / "lm_head.safetensors", "mine");
  check_says(refusal<InputError>([&] { write_small_trace(trace); }),
             {"t/lm_head.safetensors", "is there already"});
  BOOST_TEST(read_file(trace / "lm_head.safetensors") == "mine");
}

BOOST_AUTO_TEST_CASE(a_trace_that_is_not_finished_leaves_nothing) {
  const TemporaryFolder folder;
  const std::vector<float> one{1};
  for (bool made_before : {false, true}) {
    const fs::path trace = folder / "t";
    if (made_before) fs::create_directory(trace);
    {
      TraceWriter writer(trace, 1, 1);
      writer.add("model.norm", "output", one);
      BOOST_TEST(fs::exists(trace / trace_unfinished / "model.norm.safetensors"));
      writer.add("lm_head", "input", one);
      BOOST_CHECK_THROW(writer.finish("{}"), std::logic_error);  // lm_head has no output yet
      BOOST_CHECK_THROW(writer.add("model.norm", "output", one), std::logic_error);
      writer.add("lm_head", "output", one);
      BOOST_CHECK_THROW(writer.add("model.norm", "output", one), std::logic_error);  // again
    }
    BOOST_TEST(fs::exists(trace) == made_before);
    if (made_before) BOOST_TEST(fs::is_empty(trace));
  }
}

// As a run leaves it that is killed: the files of the new trace, not finished.
BOOST_AUTO_TEST_CASE(what_an_interrupted_run_left_is_in_nobodys_way) {
  const TemporaryFolder folder;
  const fs::path old = folder / "old", fresh = folder / "fresh";
  write_small_trace(old);
  const std::vector<std::string> files = names_in(old);
  for (const fs::path& trace : {old, fresh}) {
    fs::create_directories(trace / trace_unfinished);
    write_atomically(trace / trace_unfinished / "model.norm.safetensors", "half of it");
  }
  BOOST_CHECK_NO_THROW(open_trace(old));
  check_says(refusal<InputError>([&] { open_trace(fresh); }), {"fresh", "interrupted"});
  {
    TraceWriter writer(old, 1, 1);
    writer.add("model.norm", "output", std::vector<float>{1});
    BOOST_CHECK_NO_THROW(open_trace(old));  // the old one, until the new one is whole
    BOOST_TEST(open_trace(old).modules.size() > 1u);
  }
  BOOST_TEST(names_in(old) == files);
  for (const fs::path& trace : {old, fresh}) {
    write_small_trace(trace);
    BOOST_TEST(names_in(trace) == files);
  }
}

BOOST_AUTO_TEST_CASE(a_folder_that_holds_no_trace_is_refused_and_stays) {
  const TemporaryFolder folder;
  const auto at = [&](const char* name) { return fs::path(folder / name); };
  fs::create_directory(at("full"));
  write_atomically(at("full") / "notes.txt", "mine");
  check_says(refusal<UsageError>([&] { require_place_for_trace(at("full")); }),
             {"full", "no index.json", "expected an empty folder"});
  BOOST_TEST(refusal<UsageError>([&] { write_small_trace(at("full")); }) != "");
  BOOST_TEST(names_in(at("full")) == std::vector<std::string>{"notes.txt"});

  fs::create_directory(at("other"));
  write_atomically(at("other") / trace_index, R"({"modules":[]})");
  check_says(refusal<InputError>([&] { write_small_trace(at("other")); }),
             {"other/index.json", "no index of a trace"});

  check_says(refusal<InputError>([&] { require_place_for_trace(at("absent") / "t"); }),
             {"absent/t", "no folder to write a trace into"});
  check_says(refusal<InputError>([&] { require_place_for_trace(at("full") / "notes.txt"); }),
             {"notes.txt"});
  fs::create_directory(at("empty"));
  for (const char* good : {"empty", "new", "new/", "./new"})
    BOOST_CHECK_NO_THROW(require_place_for_trace(folder / good));
}

BOOST_AUTO_TEST_SUITE_END()
