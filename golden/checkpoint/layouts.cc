#include "golden/checkpoint/layouts.h"

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <set>

#include "emu/binary32.h"
#include "emu/error.h"
#include "emu/files/atomic_file.h"
#include "emu/files/quantized.h"
#include "emu/quantize.h"
#include "golden/checkpoint/compressed_tensors.h"
#include "golden/checkpoint/containers.h"
#include "golden/checkpoint/layout_parts.h"
#include "golden/checkpoint/own_layouts.h"
#include "golden/checkpoint/quantization_config.h"
#include "golden/checkpoint/tokenizer_files.h"
#include "golden/stored_recipe.h"

namespace mxref {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

// The types of unquantized tensors, in which others take a model to be.
struct PlainType {
  DType type;
  std::string_view word;  // of "dtype" in config.json
};
constexpr std::array plain_types{PlainType{DType::BF16, "bfloat16"},
                                 PlainType{DType::F16, "float16"},
                                 PlainType{DType::F32, "float32"}};

// bits of a value → bits of the type, and back.
uint16_t to_half(DType type, uint32_t bits) {
  return type == DType::BF16 ? binary32::to_bfloat16_rne(bits) : binary32::to_binary16_rne(bits);
}
uint32_t from_half(DType type, uint16_t half) {
  return type == DType::BF16 ? uint32_t(half) << 16 : binary32::from_binary16(half);
}

std::vector<uint8_t> encode(DType type, const std::vector<float>& values) {
  std::vector<uint8_t> bytes(values.size() * size_of(type));
  if (type == DType::F32) {
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
  }
  for (size_t i = 0; i < values.size(); ++i) {
    const uint16_t half = to_half(type, std::bit_cast<uint32_t>(values[i]));
    std::memcpy(bytes.data() + i * sizeof half, &half, sizeof half);
  }
  return bytes;
}

// Whether a type has all of the values.
bool holds(DType type, const std::vector<float>& values) {
  return type == DType::F32 || std::ranges::all_of(values, [&](float value) {
           const auto bits = std::bit_cast<uint32_t>(value);
           return from_half(type, to_half(type, bits)) == bits;
         });
}

void add_plain(SafetensorsWriter& writer, const std::string& name, const HostTensor& tensor,
               DType type) {
  writer.add(name, type, tensor.shape, writer.keep(encode(type, tensor.values)));
}

// The type of a tensor that is not quantized: as the source stores it, else the narrowest.
DType preferred_type(const Checkpoint& source, const std::string& name) {
  if (source.has(name))
    for (const PlainType& row : plain_types)
      if (source.stored_type(name) == name_of(row.type)) return row.type;
  return DType::BF16;
}

// "LAYER.weight" → LAYER; nullopt for other names.
std::optional<std::string> layer_of(const std::string& tensor) {
  constexpr std::string_view suffix = own_layouts::weight_suffix;
  if (!tensor.ends_with(suffix)) return std::nullopt;
  return tensor.substr(0, tensor.size() - suffix.size());
}

bool has_transforms(const Checkpoint& model) {
  const auto own = model.config().find("mxref");
  return own != model.config().end() && own->is_object() && own->contains("transforms") &&
         !(*own)["transforms"].empty();
}

std::string refused_by(Layout layout, const std::string& what) {
  return what + ", which the layout " + std::string(name_of(layout)) +
         " does not hold; the layout mxref does";
}

void set_dtype(json& config, std::string_view word) {
  if (config.contains("torch_dtype")) config["torch_dtype"] = word;
  config["dtype"] = word;
}

// A folder beside its place, gone unless it is given its name.
class PartialFolder {
 public:
  explicit PartialFolder(const fs::path& out) : out_(out), path_(out) {
    path_ += ".partial-" + std::to_string(getpid());
    std::error_code error;
    fs::remove_all(path_, error);
    if (!fs::create_directory(path_, error))
      throw InputError(out.string() + ": cannot be written: " + error.message());
  }
  ~PartialFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  PartialFolder(const PartialFolder&) = delete;
  PartialFolder& operator=(const PartialFolder&) = delete;

  const fs::path& path() const { return path_; }
  void give_name() const {
    std::error_code error;
    fs::rename(path_, out_, error);  // an empty folder that is there is replaced
    if (error) throw InputError(out_.string() + ": cannot be written: " + error.message());
  }

 private:
  fs::path out_, path_;
};

class PartsMaker {
 public:
  PartsMaker(const Checkpoint& model, Layout layout, const Checkpoint& source)
      : model_(model), layout_(layout), source_(source) {}

  ModelParts make() {
    parts_.config = model_.config();
    parts_.config.erase("quantization_config");
    parts_.weights.set_metadata("format", "pt");
    if (layout_ == Layout::dequantized) dequantized_type_ = type_of_dequantized();
    for (const std::string& name : model_.names()) {
      if (auto codes = model_.quantized(name))
        add_quantized_layer(name, *std::move(codes));
      else
        add_plain_tensor(name);
    }
    describe();
    return std::move(parts_);
  }

 private:
  void add_quantized_layer(const std::string& name, MxTensor codes) {
    const std::string layer = *layer_of(name);
    refuse_non_finite(model_.path(), name, dequantize(codes));
    conversions_[layer] = codes.conversion;
    if (layout_ == Layout::compressed_tensors) {
      compressed_tensors::add_layer({layer, std::move(codes)}, parts_);
    } else if (layout_ == Layout::mxref) {
      const bool packed = codes.element().bits() < 8;
      add_quantized(parts_.weights, layer, parts_.kept.emplace_back(std::move(codes)), packed);
    } else {
      if (!parts_.scales) parts_.scales.emplace();
      add_plain(parts_.weights, name, {codes.shape, dequantize(codes)}, dequantized_type_);
      types_.insert(dequantized_type_);
      add_scales(*parts_.scales, layer, parts_.kept.emplace_back(std::move(codes)));
    }
  }

  void add_plain_tensor(const std::string& name) {
    const HostTensor tensor = model_.tensor(name);
    const DType preferred = preferred_type(source_, name);
    const DType type = holds(preferred, tensor.values) ? preferred : DType::F32;
    add_plain(parts_.weights, name, tensor, type);
    types_.insert(type);
    if (compressed_tensors::is_linear(name, tensor.shape)) ignored_.push_back(*layer_of(name));
  }

  // bfloat16 where it holds what all codes stand for.
  DType type_of_dequantized() const {
    for (const std::string& name : model_.names())
      if (const auto codes = model_.quantized(name);
          codes && !holds(DType::BF16, dequantize(*codes)))
        return DType::F32;
    return DType::BF16;
  }

  void describe() {
    json& config = parts_.config;
    if (layout_ == Layout::compressed_tensors && !conversions_.empty()) {
      if (!conversions_.contains("lm_head") && std::ranges::count(ignored_, "lm_head") == 0)
        ignored_.push_back("lm_head");
      compressed_tensors::describe(conversions_, ignored_, stored_recipe(model_), config);
      set_dtype(config, "bfloat16");  // what the library decompresses to
    } else if (layout_ == Layout::mxref && !conversions_.empty()) {
      config["quantization_config"] = {{"quant_method", own_layouts::quant_method}};
    } else if (layout_ == Layout::dequantized) {
      const DType type = types_.size() == 1 ? *types_.begin() : DType::F32;
      set_dtype(config, std::ranges::find(plain_types, type, &PlainType::type)->word);
    }
  }

  const Checkpoint& model_;
  Layout layout_;
  const Checkpoint& source_;
  ModelParts parts_;
  std::map<std::string, Conversion> conversions_;  // by layer
  std::vector<std::string> ignored_;
  std::set<DType> types_;
  DType dequantized_type_ = DType::F32;
};

}  // namespace

std::string_view name_of(Layout layout) {
  return std::ranges::find(layouts, layout, &LayoutRow::layout)->name;
}
Layout find_layout(std::string_view name) { return find_by_name(layouts, "layout", name).layout; }

std::string objection_to(const Checkpoint& model, Layout layout) {
  if (layout != Layout::mxref && has_transforms(model))
    return refused_by(layout, "the model has on-line transforms (mxref.transforms)");
  for (const std::string& name : model.names()) {
    auto codes = model.quantized(name);
    if (!codes) continue;
    const auto layer = layer_of(name);
    if (!layer)
      return "tensor '" + name + "' is quantized; layouts hold quantized tensors 'LAYER.weight'";
    if (layout != Layout::compressed_tensors) continue;
    const std::string objection = compressed_tensors::objection_to({*layer, *std::move(codes)});
    if (!objection.empty()) return refused_by(layout, objection);
  }
  return "";
}

Layout default_layout(const Checkpoint& model) {
  const bool fits = objection_to(model, Layout::compressed_tensors).empty();
  return fits ? Layout::compressed_tensors : Layout::mxref;
}

void require_place_for_model(const fs::path& out) {
  std::error_code error;
  if (fs::exists(fs::symlink_status(out, error)) &&
      !(fs::is_directory(out, error) && fs::is_empty(out, error)))
    throw InputError(out.string() +
                     ": is there already; expected a folder that is empty or not there yet");
  const fs::path parent = out.has_parent_path() ? out.parent_path() : ".";
  if (!fs::is_directory(parent, error) || access(parent.c_str(), W_OK) != 0)
    throw InputError(out.string() + ": cannot be written: '" + parent.string() +
                     "' is no folder that can be written in");
}

void write_model(const Checkpoint& model, Layout layout, const fs::path& source,
                 const fs::path& out) {
  const fs::path place = out.has_filename() ? out : out.parent_path();
  require_place_for_model(place);
  if (const std::string objection = objection_to(model, layout); !objection.empty())
    throw UsageError(objection);
  const ModelParts parts = PartsMaker(model, layout, *open_checkpoint(source)).make();
  const PartialFolder folder(place);
  parts.weights.write(folder.path() / "model.safetensors");
  if (parts.scales) parts.scales->write(folder.path() / own_layouts::scales_file);
  write_atomically(folder.path() / "config.json", parts.config.dump(2) + "\n");
  write_tokenizer(source, folder.path());
  folder.give_name();
}

}  // namespace mxref
