#include "golden/checkpoint/memory_checkpoint.h"

#include <algorithm>

#include "emu/error.h"
#include "emu/quantize.h"
#include "golden/checkpoint/containers.h"

namespace mxref {

void MemoryCheckpoint::set(const std::string& name, HostTensor values) {
  refuse_non_finite(path_, name, values.values);
  entries_[name] = {std::move(values), std::nullopt};
}

void MemoryCheckpoint::set(const std::string& name, MxTensor codes) {
  entries_[name] = {{}, std::move(codes)};
}

const MemoryCheckpoint::Entry& MemoryCheckpoint::entry(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) throw InputError(path_.string() + ": has no tensor '" + name + "'");
  return found->second;
}

std::vector<std::string> MemoryCheckpoint::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) names.push_back(name);
  return names;
}

std::vector<int64_t> MemoryCheckpoint::shape(const std::string& name) const {
  const Entry& found = entry(name);
  return found.codes ? found.codes->shape : found.values.shape;
}

HostTensor MemoryCheckpoint::tensor(const std::string& name) const {
  const Entry& found = entry(name);
  if (!found.codes) return found.values;
  return {found.codes->shape, dequantize(*found.codes)};
}

std::optional<MxTensor> MemoryCheckpoint::quantized(const std::string& name) const {
  return entry(name).codes;
}

const HostTensor& MemoryCheckpoint::values(const std::string& name) const {
  const Entry& found = entry(name);
  if (found.codes)
    throw InputError(path_.string() + ": tensor '" + name + "' is quantized; expected values");
  return found.values;
}

std::vector<Storage> MemoryCheckpoint::storage() const {
  std::vector<Storage> rows;
  for (const auto& [name, entry] : entries_) {
    const std::string type = entry.codes ? std::string(entry.codes->format().name) : "F32";
    auto row = std::ranges::find(rows, type, &Storage::type);
    if (row == rows.end()) row = rows.insert(row, {.type = type});
    const int64_t values =
        entry.codes ? int64_t(entry.codes->codes.size()) : int64_t(entry.values.values.size());
    row->values += values;
    row->bytes += entry.codes ? (values * entry.codes->element().bits() + 7) / 8 +
                                    int64_t(entry.codes->scales.size())
                              : values * int64_t(sizeof(float));
  }
  std::ranges::stable_sort(rows, std::ranges::greater(), &Storage::values);
  return rows;
}

}  // namespace mxref
