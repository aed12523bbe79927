#pragma once
// The containers behind open_checkpoint().

#include <algorithm>
#include <map>

#include "emu/error.h"
#include "golden/checkpoint/checkpoint.h"

namespace mxref {

// What they take, in messages.
inline constexpr auto model_forms =
    "a Hugging Face folder (config.json, *.safetensors) or a GGUF file";

std::unique_ptr<Checkpoint> open_hugging_face(const std::filesystem::path& folder);
std::unique_ptr<Checkpoint> open_gguf(const std::filesystem::path& file);

// Throws InputError that names file and tensor where a value is NaN or Inf.
void refuse_non_finite(const std::filesystem::path& path, const std::string& name,
                       const std::vector<float>& values);

// A checkpoint that knows the place of each tensor in its files: Place::shape(), type(), bytes()
// that it takes there, and what its container needs to read it.
template <typename Place>
class PlacedCheckpoint : public Checkpoint {
 public:
  std::vector<std::string> names() const override {
    std::vector<std::string> names;
    for (const auto& [name, place] : places_) names.push_back(name);
    return names;
  }
  bool has(const std::string& name) const override { return places_.contains(name); }
  std::vector<int64_t> shape(const std::string& name) const override { return at(name).shape(); }
  std::string stored_type(const std::string& name) const override {
    return std::string(at(name).type());
  }
  std::vector<Storage> storage() const override {
    std::vector<Storage> rows;
    for (const auto& [name, place] : places_) {
      auto row = std::ranges::find(rows, place.type(), &Storage::type);
      if (row == rows.end()) row = rows.insert(row, {.type = std::string(place.type())});
      int64_t values = 1;
      for (int64_t extent : place.shape()) values *= extent;
      row->values += values;
      row->bytes += place.bytes();
    }
    std::ranges::stable_sort(rows, std::ranges::greater(), &Storage::values);
    return rows;
  }

 protected:
  const Place& at(const std::string& name) const {
    const auto found = places_.find(name);
    if (found == places_.end())
      throw InputError(path().string() + ": has no tensor '" + name + "'");
    return found->second;
  }

  std::map<std::string, Place> places_;  // by their names in Hugging Face
};

}  // namespace mxref
