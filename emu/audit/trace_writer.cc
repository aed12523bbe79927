#include "emu/audit/trace_writer.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "emu/error.h"
#include "emu/files/atomic_file.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;
namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(fs::symlink_status(path, error));
}

void take_away(const fs::path& file) {
  std::error_code error;
  fs::remove(file, error);
  if (error) refuse_file(file, "cannot be taken away: " + error.message());
}

// Also of "x/".
fs::path parent_of(const fs::path& folder) {
  const fs::path whole = fs::absolute(folder).lexically_normal();
  return whole.has_filename() ? whole.parent_path() : whole.parent_path().parent_path();
}

// Nothing, or what an interrupted run left.
bool is_free(const fs::path& folder) {
  return std::ranges::all_of(fs::directory_iterator(folder), [](const fs::directory_entry& entry) {
    return entry.path().filename() == trace_unfinished;
  });
}

}  // namespace

void require_place_for_trace(const fs::path& folder) {
  std::error_code error;
  const bool exists = is_there(folder);
  const fs::path checked = exists ? folder : parent_of(folder);
  if (!fs::is_directory(checked, error))
    refuse_file(folder, "no folder to write a trace into: '" + checked.string() + "' is none");
  if (access(checked.c_str(), W_OK) != 0)
    refuse_file(folder, std::string("no folder to write a trace into: ") + std::strerror(errno));
  if (!exists || is_free(folder)) return;
  if (!is_there(folder / trace_index))
    throw UsageError(folder.string() + ": holds files, but no " + trace_index +
                     " of a trace that could be replaced; expected an empty folder, or a new one");
  open_trace(folder);
}

TraceWriter::TraceWriter(fs::path folder, int64_t batch, int64_t tokens)
    : folder_(std::move(folder)),
      unfinished_(folder_ / trace_unfinished),
      batch_(batch),
      tokens_(tokens) {
  require_place_for_trace(folder_);
  std::error_code error;
  made_ = fs::create_directory(folder_, error);
  if (error) refuse_file(folder_, "cannot be made: " + error.message());
  if (is_there(folder_ / trace_index))
    for (const TraceModule& module : open_trace(folder_).modules)
      replaced_.insert(folder_ / module.file());
  fs::remove_all(unfinished_, error);
  if (!error) fs::create_directory(unfinished_, error);
  if (error) refuse_file(unfinished_, "cannot be made: " + error.message());
}

TraceWriter::~TraceWriter() {
  std::error_code ignored;
  fs::remove_all(unfinished_, ignored);
  if (made_ && !finished_) fs::remove(folder_, ignored);
}

void TraceWriter::add(const std::string& module, std::string_view tensor,
                      std::span<const float> values) {
  if (values_.empty()) {
    if (std::ranges::any_of(modules_, [&](const auto& m) { return m.name == module; }))
      throw std::logic_error("the module " + module + " comes again");
    modules_.push_back({module, {}});
  } else if (modules_.back().name != module) {
    throw std::logic_error("the module " + modules_.back().name + " has no output");
  }
  if (int64_t(values.size()) % (batch_ * tokens_) != 0)
    throw std::logic_error("the module " + module + " has no values of every token");
  values_[std::string(tensor)] = {values.begin(), values.end()};
  if (tensor == trace_output) write_module();
}

void TraceWriter::write_module() {
  TraceModule& module = modules_.back();
  const fs::path place = folder_ / module.file();
  if (is_there(place) && !replaced_.contains(place))
    refuse_file(place, "is there already, and no trace that would be replaced names it");
  std::map<std::string, std::vector<int64_t>> shapes;
  SafetensorsWriter writer;
  for (const auto& [name, values] : values_) {
    shapes[name] = {batch_, tokens_, int64_t(values.size()) / (batch_ * tokens_)};
    writer.add(name, DType::F32, shapes[name], values);
  }
  writer.write(unfinished_ / module.file());
  module.shapes = std::move(shapes);
  values_.clear();
}

void TraceWriter::finish(const std::string& facts) {
  if (!values_.empty())
    throw std::logic_error("the module " + modules_.back().name + " has no output");
  ordered_json index{{"schema", trace_schema}}, modules = ordered_json::array();
  index.update(ordered_json::parse(facts));
  for (const TraceModule& module : modules_)
    modules.push_back(
        {{"module", module.name}, {"file", module.file()}, {"tensors", module.shapes}});
  index["modules"] = std::move(modules);
  // At any time an index is there that names all files of traces, though some may be missing.
  for (const fs::path& file : replaced_) take_away(file);
  write_atomically(
      folder_ / trace_index,
      index.dump(2, ' ', /*ensure_ascii=*/false, ordered_json::error_handler_t::replace) + "\n");
  for (const TraceModule& module : modules_) {
    std::error_code error;
    fs::rename(unfinished_ / module.file(), folder_ / module.file(), error);
    if (error) refuse_file(folder_ / module.file(), "cannot be put there: " + error.message());
  }
  finished_ = true;
}

}  // namespace mxref
