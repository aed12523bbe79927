#include "emu/audit/trace.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "emu/error.h"
#include "emu/files/json_file.h"
#include "emu/files/quantized.h"

namespace mxref {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

// A name that is a file of the folder, and of no other.
bool is_module_name(const std::string& name) {
  return !name.empty() && name.front() != '.' && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) || c == '.' || c == '_' || c == '-';
  });
}

bool is_tensor_name(const std::string& name) {
  constexpr std::string_view numbered = "input.";
  if (name == "input" || name == trace_output) return true;
  return name.size() > numbered.size() && name.starts_with(numbered) &&
         std::all_of(name.begin() + numbered.size(), name.end(),
                     [](unsigned char c) { return std::isdigit(c); });
}

std::vector<int64_t> parse_shape(const fs::path& index, const std::string& module,
                                 const std::string& tensor, const json& list) {
  if (!is_tensor_name(tensor))
    refuse_file(index, module + " has the tensor '" + shown_text(tensor) +
                           "'; expected input, input.0, input.1 … and output");
  const std::string where = module + ": tensor '" + tensor + "' ";
  if (!list.is_array()) refuse_file(index, where + "is " + shown(list) + "; expected a shape");
  std::vector<int64_t> shape;
  for (const json& extent : list) {
    if (!extent.is_number_unsigned() || extent.get<uint64_t>() > INT64_MAX)
      refuse_file(index, where + "holds " + shown(extent) + "; expected integers of at least 0");
    shape.push_back(extent.get<int64_t>());
  }
  return shape;
}

TraceModule parse_module(const fs::path& index, const std::string& where, const json& entry) {
  for (const char* field : {"module", "file", "tensors"})
    if (!entry.is_object() || !entry.contains(field))
      refuse_file(index, where + " has no '" + field + "'");
  const json &name = entry["module"], &tensors = entry["tensors"];
  if (!name.is_string() || !is_module_name(name.get<std::string>()))
    refuse_file(index, where + " is called " + shown(name) + "; expected such as \"model.norm\"");
  TraceModule module{name.get<std::string>(), {}};
  if (entry["file"] != module.file())
    refuse_file(index, where + " has the file " + shown(entry["file"]) + "; expected \"" +
                           shown_text(module.file()) + "\"");
  if (!tensors.is_object()) refuse_file(index, where + ": tensors is no object");
  for (const auto& [tensor, shape] : tensors.items())
    module.shapes[tensor] = parse_shape(index, where, tensor, shape);
  if (!module.shapes.contains(trace_output)) refuse_file(index, where + " has no tensor 'output'");
  return module;
}

// {"recipe": {"datapath": "fused"}} → "recipe.datapath" → "\"fused\"".
std::map<std::string, std::string> flat_facts(const json& index) {
  std::map<std::string, std::string> facts;
  const json flat = index.flatten();
  for (const auto& [pointer, value] : flat.items()) {
    std::string name = pointer.substr(1);
    std::ranges::replace(name, '/', '.');
    facts[name] = value.dump();
  }
  return facts;
}

// Values that differ, and the place of the first; both hold as many binary32.
struct Differences {
  int64_t count = 0, first = -1;
};
Differences differences(std::span<const std::byte> a, std::span<const std::byte> b) {
  Differences found;
  if (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0) return found;
  for (size_t i = 0; i < a.size() / sizeof(uint32_t); ++i) {
    if (std::memcmp(&a[i * sizeof(uint32_t)], &b[i * sizeof(uint32_t)], sizeof(uint32_t)) == 0)
      continue;
    if (found.count++ == 0) found.first = int64_t(i);
  }
  return found;
}

uint32_t word_at(std::span<const std::byte> bytes, int64_t place) {
  uint32_t word = 0;
  std::memcpy(&word, bytes.data() + size_t(place) * sizeof word, sizeof word);
  return word;
}

void require_same_modules(const Trace& a, const Trace& b) {
  const auto name_at = [](const Trace& trace, size_t i) {
    return i < trace.modules.size() ? "'" + trace.modules[i].name + "'" : "none";
  };
  for (size_t i = 0; i < std::max(a.modules.size(), b.modules.size()); ++i)
    if (name_at(a, i) != name_at(b, i))
      refuse_file(b.index(), "module " + std::to_string(i) + " is " + name_at(b, i) +
                                 "; expected " + name_at(a, i) + ", as in " + a.index().string());
}

void require_same_shape(const fs::path& file, const TraceModule& module, const std::string& tensor,
                        const std::vector<int64_t>& expected, const fs::path& expected_by) {
  const std::string as_in = ", as in " + expected_by.string();
  const auto found = module.shapes.find(tensor);
  if (found == module.shapes.end()) refuse_file(file, "has no tensor '" + tensor + "'" + as_in);
  if (found->second != expected)
    refuse_file(file, "tensor '" + tensor + "' has shape " + to_string(found->second) +
                          "; expected " + to_string(expected) + as_in);
}

void require_same_shapes(const Trace& a, const Trace& b) {
  for (size_t i = 0; i < a.modules.size(); ++i) {
    const TraceModule &of_a = a.modules[i], &of_b = b.modules[i];
    const fs::path file_a = a.folder / of_a.file(), file_b = b.folder / of_b.file();
    for (const auto& [tensor, shape] : of_a.shapes)
      require_same_shape(file_b, of_b, tensor, shape, file_a);
    for (const auto& [tensor, shape] : of_b.shapes)
      require_same_shape(file_a, of_a, tensor, shape, file_b);
  }
}

std::vector<TraceFact> differing_facts(const Trace& a, const Trace& b) {
  std::map<std::string, TraceFact> facts;
  for (const auto& [name, value] : a.facts) facts[name] = {name, value, ""};
  for (const auto& [name, value] : b.facts) {
    facts[name].name = name;
    facts[name].b = value;
  }
  std::vector<TraceFact> differing;
  for (const auto& [name, fact] : facts)
    if (fact.a != fact.b) differing.push_back(fact);
  return differing;
}

}  // namespace

int64_t TracePlace::values() const {
  int64_t values = 1;
  for (int64_t extent : shape) values *= extent;
  return values;
}

std::vector<int64_t> TracePlace::index() const {
  std::vector<int64_t> index(shape.size());
  int64_t rest = place;
  for (size_t i = shape.size(); i-- > 0; rest /= shape[i]) index[i] = rest % shape[i];
  return index;
}

Trace open_trace(const fs::path& folder) {
  Trace trace{folder, {}, {}};
  const fs::path index = trace.index();
  std::error_code ignored;
  if (!fs::exists(index, ignored) && fs::exists(folder / trace_unfinished, ignored))
    refuse_file(folder,
                "holds a trace that an interrupted run did not finish; expected a whole one");
  json read = read_json_object(index);
  if (!read.contains("schema") || read["schema"] != trace_schema)
    refuse_file(index, "is no index of a trace; expected \"schema\": \"" +
                           std::string(trace_schema) + "\"");
  if (!read.contains("modules") || !read["modules"].is_array() || read["modules"].empty())
    refuse_file(index, "has no list 'modules'");
  std::set<std::string> names;
  for (const json& entry : read["modules"]) {
    const std::string where = "module " + std::to_string(trace.modules.size());
    trace.modules.push_back(parse_module(index, where, entry));
    const std::string& name = trace.modules.back().name;
    if (!names.insert(name).second)
      refuse_file(index,
                  where + " is '" + shown_text(name) + "', which comes before; expected once");
  }
  read.erase("modules");
  trace.facts = flat_facts(read);
  return trace;
}

SafetensorsFile open_module(const Trace& trace, const TraceModule& module) {
  SafetensorsFile file = SafetensorsFile::open(trace.folder / module.file());
  for (const auto& [name, shape] : module.shapes) {
    const TensorView& tensor = file.at(name);
    const std::string where = "tensor '" + name + "' ";
    if (tensor.dtype != DType::F32)
      refuse_file(file.path(),
                  where + "is " + std::string(name_of(tensor.dtype)) + "; expected F32");
    if (tensor.shape != shape)
      refuse_file(file.path(), where + "has shape " + to_string(tensor.shape) + "; expected " +
                                   to_string(shape) + ", as " + trace_index + " says");
  }
  for (const TensorView& tensor : file.tensors())
    if (!module.shapes.contains(tensor.name))
      refuse_file(file.path(), "tensor '" + shown_text(tensor.name) + "' is not in " + trace_index);
  return file;
}

TraceReport compare_traces(const Trace& a, const Trace& b,
                           const std::function<void(int64_t)>& progress) {
  require_same_modules(a, b);
  require_same_shapes(a, b);
  TraceReport report;
  report.facts = differing_facts(a, b);
  for (size_t i = 0; i < a.modules.size(); ++i) {
    const SafetensorsFile file_a = open_module(a, a.modules[i]);
    const SafetensorsFile file_b = open_module(b, b.modules[i]);
    TraceDifference difference{i, 0, 0};
    for (const auto& [name, shape] : a.modules[i].shapes) {
      const auto bytes_a = file_a.at(name).bytes, bytes_b = file_b.at(name).bytes;
      const Differences found = differences(bytes_a, bytes_b);
      (name == trace_output ? difference.outputs : difference.inputs) += found.count;
      report.compared += int64_t(bytes_a.size() / sizeof(uint32_t));
      if (found.count > 0 && !report.first)
        report.first = TracePlace{name,
                                  shape,
                                  found.first,
                                  word_at(bytes_a, found.first),
                                  word_at(bytes_b, found.first),
                                  found.count};
    }
    report.different += difference.inputs + difference.outputs;
    if (difference.inputs + difference.outputs > 0) report.differing.push_back(difference);
    ++report.modules;
    if (progress) progress(report.modules);
  }
  return report;
}

}  // namespace mxref
