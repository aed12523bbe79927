// mxref vectors --kind model: the units of the rest hold what went into a model's own modules, and
// give what its kernels gave, as mxref forward --trace has it.

#include <cmath>
#include <nlohmann/json.hpp>

#include "emu/audit/trace.h"
#include "emu/files/json_file.h"
#include "tests/eval/program/files.h"
#include "tests/shared_data.h"
#include "tests/vector_reader.h"

using namespace mxref;
using nlohmann::json;
using vector_reader::UnitVectors;

namespace {

constexpr int64_t tokens_of_the_file = 50;
constexpr size_t rows_read = 40;  // as many of them are read

// All tokens differ, so that no two rows are the same.
std::string write_distinct_ids(const TemporaryFolder& folder) {
  std::vector<int64_t> ids;
  for (int64_t i = 0; i < tokens_of_the_file; ++i) ids.push_back(5 * i + 3);
  SafetensorsWriter writer;
  writer.add("input_ids", DType::I64, {1, tokens_of_the_file}, ids);
  writer.write(folder / "ids");
  return folder / "ids";
}

// A tensor of a module, of all tokens.
struct Traced {
  std::vector<uint32_t> words;
  size_t width = 0;
};
Traced traced(const Trace& trace, const std::string& module, const char* tensor) {
  const SafetensorsFile file = open_module(trace, find_by_name(trace.modules, "module", module));
  const TensorView& view = file.at(tensor);
  Traced t{std::vector<uint32_t>(size_t(view.elements())), size_t(view.shape.back())};
  std::memcpy(t.words.data(), view.bytes.data(), view.bytes.size());
  return t;
}

float value(uint32_t word) { return std::bit_cast<float>(word); }

// "model: module (share), module (share)": the module of each vector.
std::vector<std::string> modules_of(const UnitVectors& v) {
  std::vector<std::string> modules;
  std::istringstream words(v.header.at("source"));
  std::string module, share;
  for (words >> module; words >> module >> share;)
    modules.resize(modules.size() + std::stoul(share.substr(1)), module);
  return modules;
}

// Words `begin` … begin+count-1 of `all` are those of a field of a vector.
bool are_at(const Traced& all, size_t begin, const UnitVectors& v, const char* field,
            size_t vector) {
  const std::vector<uint32_t>& words = v.words.at(field);
  const size_t count = words.size() / v.count;
  return std::equal(words.begin() + std::ptrdiff_t(vector * count),
                    words.begin() + std::ptrdiff_t((vector + 1) * count),
                    all.words.begin() + std::ptrdiff_t(begin));
}

struct Model {
  std::filesystem::path folder;
  Trace trace;
  size_t heads, kv_heads, d;
};

// Whether a vector's inputs stand in the module, with the vector's outputs in their place.
bool is_norm_of(const Model& m, const std::string& module, const UnitVectors& v, size_t i) {
  const Traced in = traced(m.trace, module, "input"), out = traced(m.trace, module, "output");
  for (size_t row = 0; row < rows_read * in.width; row += in.width)
    if (are_at(in, row, v, "x", i)) return are_at(out, row, v, "y", i);
  return false;
}

bool is_gate_of(const Model& m, const std::string& module, const UnitVectors& v, size_t i) {
  const Traced gate = traced(m.trace, module, "input.0"), up = traced(m.trace, module, "input.1"),
               out = traced(m.trace, module, "output");
  for (size_t place = 0; place < rows_read * gate.width; ++place)
    if (are_at(gate, place, v, "gate", i) && are_at(up, place, v, "up", i))
      return are_at(out, place, v, "y", i);
  return false;
}

bool is_pair_of(const Model& m, const std::string& module, const UnitVectors& v, size_t i) {
  const Traced in = traced(m.trace, module, "input"), out = traced(m.trace, module, "output");
  const size_t row = v.words.at("position")[i] * in.width, half = m.d / 2;
  for (size_t head = 0; head < in.width; head += m.d)
    for (size_t pair = row + head; pair < row + head + half; ++pair)
      if (are_at(in, pair, v, "x1", i) && are_at(in, pair + half, v, "x2", i))
        return are_at(out, pair, v, "y1", i) && are_at(out, pair + half, v, "y2", i);
  return false;
}

// The scores are those of a head's last query; the sum of the values by the vector's p is what the
// attention gave.
bool is_softmax_of(const Model& m, const std::string& module, const UnitVectors& v, size_t i) {
  const Traced q = traced(m.trace, module, "input.0"), k = traced(m.trace, module, "input.1"),
               values = traced(m.trace, module, "input.2"), out = traced(m.trace, module, "output");
  for (size_t head = 0; head < m.heads; ++head) {
    const size_t query = (rows_read - 1) * q.width + head * m.d;
    const size_t kv = head / (m.heads / m.kv_heads) * m.d;
    Traced scores, mixed;
    for (size_t j = 0; j < rows_read; ++j) {
      float score = 0;
      for (size_t c = 0; c < m.d; ++c)
        score = std::fma(value(q.words[query + c]), value(k.words[j * k.width + kv + c]), score);
      scores.words.push_back(std::bit_cast<uint32_t>(score));
    }
    if (!are_at(scores, 0, v, "scores", i)) continue;
    for (size_t c = 0; c < m.d; ++c) {
      float sum = 0;
      for (size_t j = 0; j < rows_read; ++j)
        sum = std::fma(value(v.words.at("p")[i * rows_read + j]),
                       value(values.words[j * values.width + kv + c]), sum);
      mixed.words.push_back(std::bit_cast<uint32_t>(sum));
    }
    return std::ranges::equal(mixed.words, std::span(out.words).subspan(query, m.d));
  }
  return false;
}

const struct {
  const char* unit;
  const char* output;
  bool (*is_of)(const Model& model, const std::string& module, const UnitVectors& v, size_t i);
} rest_units[] = {{"rms_norm", "y", is_norm_of},
                  {"softmax", "p", is_softmax_of},
                  {"gated_silu", "y", is_gate_of},
                  {"rotary", "y2", is_pair_of}};

}  // namespace

BOOST_AUTO_TEST_SUITE(model_rows)

BOOST_AUTO_TEST_CASE(the_units_of_the_rest_give_what_the_model_computed) {
  for (const char* family : {"llama_tied", "llama3", "openpangu"}) {
    const auto folder = shared_data(std::string("models/") + family);
    if (!folder) return;
    const TemporaryFolder out;
    const std::string ids = write_distinct_ids(out);
    const std::vector<std::string> model{"--model", folder->string(), "--tokens", ids};
    const auto run = [&](std::vector<std::string> args) {
      args.insert(args.end(), model.begin(), model.end());
      check_good(run_mxref(args));
    };
    run({"forward", "--recipe", "fp32", "--out", out / "logits", "--trace", out / "t"});
    const json config = read_json_object(*folder / "config.json");
    const size_t heads = config["num_attention_heads"];
    const Model m{*folder, open_trace(out / "t"), heads, config["num_key_value_heads"],
                  config.value("head_dim", config["hidden_size"].get<size_t>() / heads)};
    for (const auto& [unit, output, is_of] : rest_units) {
      run({"vectors", "--kind", "model", "--unit", unit, "--count", "30", "--out", out / "v"});
      UnitVectors v = read_unit_vectors("memh", out / ("v/" + std::string(unit) + ".memh"));
      BOOST_TEST(v.header.at("kind") == "model");
      BOOST_TEST(v.header.at("rest") == "strict");
      const std::vector<std::string> modules = modules_of(v);
      BOOST_REQUIRE(modules.size() == v.count);
      BOOST_TEST(v.count >= std::min<size_t>(30, heads * 3));
      for (size_t i = 0; i < v.count; ++i)
        BOOST_TEST(is_of(m, modules[i], v, i), family << " " << unit << ", vector " << i);
      // The control: one bit of an output.
      v.words.at(output)[0] ^= 0x00400000;
      BOOST_TEST(!is_of(m, modules[0], v, 0), family << " " << unit);
    }
  }
}

BOOST_AUTO_TEST_CASE(beside_the_blocks_of_a_model_stands_its_rest) {
  const auto model = shared_data("models/llama_tied");
  if (!model) return;
  const TemporaryFolder folder;
  const std::string ids = write_distinct_ids(folder);
  for (const VectorForm& form : vector_forms) {
    const auto vectors = [&](const char* out, std::vector<std::string> more) {
      more.insert(more.begin(), {"vectors", "--kind", "model", "--model", model->string(),
                                 "--tokens", ids, "--count", "40", "--as", std::string(form.name),
                                 "--out", folder / out, "--json", folder / "r"});
      const Outcome outcome = run_mxref(more);
      check_good(outcome);
      return outcome.out;
    };
    const std::string said = vectors("v", {"--format", "mxfp4"});
    BOOST_TEST(std::ranges::count(said, '\n') == 5);
    const json rows = json::parse(read_file(folder / "r"))["results"];
    BOOST_REQUIRE(rows.size() == 5u);
    BOOST_TEST(rows[0]["file"] == form.file);
    BOOST_TEST(read_vectors(form.name, folder / "v/" + std::string(form.file)).count() == 40u);
    for (size_t i = 0; i < std::size(rest_units); ++i) {
      const std::string unit = rest_units[i].unit;
      const std::string name = unit + std::filesystem::path(form.file).extension().string();
      const auto v = read_unit_vectors(form.name, folder / "v/" + name);
      BOOST_TEST(rows[i + 1]["file"] == name);
      BOOST_TEST(rows[i + 1]["unit"] == unit);
      BOOST_TEST(rows[i + 1]["count"] == v.count);
      BOOST_TEST(said.find(name + ": " + std::to_string(v.count) + " vectors of the unit " +
                           unit) != std::string::npos);
      BOOST_TEST(v.header.at("source").starts_with("llama_tied: model.layers.0."));
      if (unit == "softmax") BOOST_TEST(v.header.at("keys") == std::to_string(rows_read));
      if (form.name != "memh") continue;
      // By itself it is the same file; another seed gives another.
      vectors("w", {"--unit", unit});
      BOOST_TEST(read_file(folder / "w/" + name) == read_file(folder / "v/" + name));
      vectors("w", {"--unit", unit, "--seed", "2"});
      if (unit != "softmax")  // all of them are there
        BOOST_TEST(read_unit_vectors(form.name, folder / "w/" + name).words != v.words);
    }
  }
  check_refused(
      run_mxref({"vectors", "--kind", "model", "--model", model->string(), "--tokens", ids,
                 "--format", "mxfp4", "--out", folder / "v", "--json", folder / "v/rotary.memh"}),
      2, {"--json", "the file of vectors"});
}

BOOST_AUTO_TEST_SUITE_END()
