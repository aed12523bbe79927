// mxref quantize: F32, F16 or BF16 tensors → codes, scales and metadata.

#include "emu/quantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <list>

#include "emu/binary32.h"
#include "emu/e8m0.h"
#include "emu/files/atomic_file.h"
#include "emu/files/quantized.h"
#include "eval/cli/command.h"
#include "eval/cli/options.h"
#include "eval/report/record.h"

namespace mxref {
namespace {

struct TensorScale {
  std::string_view name;
  bool by_row;
};
constexpr std::array tensor_scales{TensorScale{"tensor", false}, TensorScale{"row", true}};

struct QuantizeSettings {
  std::filesystem::path in, out, json;
  const BlockFormat* format = nullptr;
  const ScaleRule* rule = nullptr;  // null: the first
  const Rounding* rounding = &roundings[0];
  Prescale prescale;
  int block = 0;  // 0: the format's own
  uint64_t seed = 0;
  bool relabel = false, packed = false;
  const TensorScale* tensor_scale = nullptr;  // of a format that has one
};

// Elements that make their block NaN, and these blocks.
struct NonFinite {
  int64_t nan = 0, infinite = 0, blocks = 0;

  NonFinite& operator+=(const NonFinite& more) {
    nan += more.nan;
    infinite += more.infinite;
    blocks += more.blocks;
    return *this;
  }
};

NonFinite non_finite(const std::vector<float>& x, const MxTensor& q) {
  NonFinite found;
  for (float value : x) {
    found.nan += binary32::is_nan(std::bit_cast<uint32_t>(value));
    found.infinite += binary32::is_inf(std::bit_cast<uint32_t>(value));
  }
  found.blocks = std::ranges::count(q.scales, q.format().scale->nan);
  return found;
}

// Throws UsageError where the options contradict each other.
Conversion conversion_of(const QuantizeSettings& options) {
  const bool has_tensor_scale = options.format->has_tensor_scale();
  if (has_tensor_scale && options.rule)
    throw UsageError("--scale-rule does not apply to " + std::string(options.format->name));
  if (!has_tensor_scale && options.tensor_scale)
    throw UsageError("--tensor-scale does not apply to " + std::string(options.format->name));
  const Conversion conversion{.format = options.format,
                              .rule = options.rule ? options.rule : &scale_rules[0],
                              .rounding = options.rounding,
                              .prescale = options.prescale,
                              .block = options.block ? options.block : options.format->block,
                              .relabel = options.relabel,
                              .seed = options.seed,
                              .scale_by_row = options.tensor_scale && options.tensor_scale->by_row};
  check_conversion(conversion);
  return conversion;
}

int quantize_command(const QuantizeSettings& options) {
  require_writable(options.out);
  require_writable(options.json);
  Record record("quantize");
  record.set_seed(options.seed);
  const Conversion conversion = conversion_of(options);

  const SafetensorsFile in = SafetensorsFile::open(options.in);
  if (in.tensors().empty()) throw InputError(options.in.string() + ": holds no tensor");
  std::list<MxTensor> tensors;  // the writer refers to them
  SafetensorsWriter writer;
  NonFinite all;
  for (const TensorView& t : in.tensors()) {
    if (t.shape.empty() || t.elements() == 0)
      throw InputError(options.in.string() + ": tensor '" + t.name + "' of shape " +
                       to_string(t.shape) + (t.shape.empty() ? " is a scalar" : " is empty") +
                       "; expected at least one dimension and one element");
    const std::vector<float> x = to_binary32(in, t);
    tensors.push_back(quantize(x, t.shape, conversion));
    const NonFinite here = non_finite(x, tensors.back());
    all += here;
    add_quantized(writer, t.name, tensors.back(), options.packed);
    record.add({{"tensor", t.name},
                {"shape", t.shape},
                {"format", conversion.format->name},
                {"block", conversion.block},
                {"scale_rule", conversion.rule->name},
                {"rounding", conversion.rounding->name},
                {"prescale", to_string(conversion.prescale)},
                {"relabel", conversion.relabel},
                {"tensor_scales", tensors.back().tensor_scales.size()},
                {"nan", here.nan},
                {"infinite", here.infinite},
                {"nan_blocks", here.blocks}});
  }
  writer.write(options.out);
  record.write(options.json);
  fmt::print("{}: {} tensor(s) in {}", options.out.string(), tensors.size(), options.format->name);
  if (all.blocks > 0)
    fmt::print("; {} NaN and {} Inf in the input make {} block(s) NaN", all.nan, all.infinite,
               all.blocks);
  fmt::print("\n");
  return exit_good;
}

}  // namespace

Action define_quantize(CLI::App& app, const Context&) {
  auto o = std::make_shared<QuantizeSettings>();
  add_input(app, "--in", o->in,
            "safetensors; every tensor F32, F16 or BF16; a NaN or Inf makes its block NaN, and is "
            "counted")
      ->required();
  add_output(
      app, "--out", o->out,
      "safetensors: NAME.codes U8 of the tensor's shape, a code a byte; NAME.scales U8, E8M0, one "
      "for each block of the last dimension, whose last block may be shorter")
      ->required();
  add_named(app, "--format", o->format, block_formats, "format", "element format")->required();
  add_named(app, "--scale-rule", o->rule, scale_rules, "scale rule",
            "how a scale is found (default floor)");
  add_named(app, "--rounding", o->rounding, roundings, "rounding", "how an element is rounded");
  app.add_option_function<std::string>(
         "--prescale", [o](const std::string& text) { o->prescale = parse_prescale(text); },
         "pre-scale p of the elements, a fraction such as 3/4 (default 1)")
      ->type_name("P");
  app.add_option_function<std::string>(
         "--block", [o](const std::string& text) { o->block = parse_block_length(text); },
         "block length (default: the format's own): " + block_length_list())
      ->type_name("N");
  app.add_flag("--relabel", o->relabel,
               "with a pre-scale: take the scale from the elements p · x, not from x; a control of "
               "experiments, "
               "in which the pre-scale then only gives values another name");
  add_named(app, "--tensor-scale", o->tensor_scale, tensor_scales, "tensor scale",
            "of nvfp4: one scale for the tensor, or one for each row (a left operand)");
  app.add_flag(
      "--packed", o->packed,
      "write NAME.packed instead, the codes of a row without gaps, element 0 in the lowest "
      "bits");
  add_seed(app, o->seed, "seed of a stochastic rounding");
  add_threads(app);
  add_isa(app);
  add_json(app, o->json);
  return [o] { return quantize_command(*o); };
}

}  // namespace mxref
