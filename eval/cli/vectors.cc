// mxref vectors: golden vectors for somebody's own RTL.

#include "emu/vectors/vectors.h"

#include <fmt/format.h>

#include "emu/vectors/corner_cases.h"
#include "emu/vectors/units.h"

#include "emu/files/atomic_file.h"
#include "eval/cli/command.h"
#include "eval/cli/models_library.h"
#include "eval/cli/options.h"
#include "eval/cli/output_paths.h"
#include "eval/report/record.h"

namespace mxref {
namespace {

struct Options {
  const BlockFormat *format = nullptr, *format_b = nullptr;  // b null: as a
  const Datapath* datapath = &datapaths[0];
  int64_t count = 0;  // 0: not said
  uint64_t seed = 1;
  const Unit* unit = nullptr;  // null: whole blocks
  Conversion conversion;       // of the unit quantize
  bool coverage = false;
  const VectorForm* form = &vector_forms[0];
  std::string model;             // of the kind "model"
  std::filesystem::path tokens;  // likewise, optional
  std::filesystem::path out, json;

  const BlockFormat& b() const { return format_b ? *format_b : *format; }
};

constexpr int64_t max_count = 100'000'000;

constexpr int64_t default_count = 1000;  // of the kinds that have no end

struct VectorKind {
  std::string_view name;
  Vectors (*make)(const Options& options, const EngineTable& engines);
};

Vectors make_random(const Options& o, const EngineTable&) {
  return random_vectors(*o.format, o.b(), *o.datapath, o.count ? o.count : default_count, o.seed);
}
Vectors make_directed(const Options& o, const EngineTable&) {
  return directed_vectors(*o.format, o.b(), *o.datapath, o.count, o.seed);
}
Vectors make_exhaustive(const Options& o, const EngineTable&) {
  return exhaustive_vectors(*o.format, o.b(), *o.datapath, o.count, o.seed);
}

// The last part of a model's path, as one line of UTF-8 whatever the path holds.
std::string name_of_model(const std::string& model) {
  const std::filesystem::path path = std::filesystem::path(model) / "";  // a folder may end in "/"
  using nlohmann::json;
  const std::string quoted = json(path.parent_path().filename().string())
                                 .dump(-1, ' ', false, json::error_handler_t::replace);
  return quoted.substr(1, quoted.size() - 2);
}

// An equal share of each product that was caught, as far as it goes.
Vectors make_of_model(const Options& o, const EngineTable& engines) {
  const std::vector<GivenProduct> products =
      products_of_model(o.model, o.tokens, *o.format, o.b(), engines);
  const int64_t count = o.count ? o.count : default_count;
  Vectors all;
  std::string source = name_of_model(o.model);
  for (size_t i = 0; i < products.size(); ++i) {
    const auto n = int64_t(products.size());
    const int64_t share = count * int64_t(i + 1) / n - count * int64_t(i) / n;
    if (share == 0) continue;
    source += fmt::format("{} {} ({})", all.count() == 0 ? ":" : ",", products[i].source, share);
    const Vectors some = model_vectors(products[i].a, products[i].b, *o.datapath, share, o.seed);
    if (all.count() == 0)
      all = some;
    else
      append(all, some);
  }
  all.source = source;
  return all;
}

constexpr std::array kinds{
    VectorKind{"random", make_random},
    VectorKind{"directed", make_directed},
    VectorKind{"exhaustive", make_exhaustive},
    VectorKind{"model", make_of_model},
};
static_assert(names_are_distinct(kinds));

// Which corner cases the set reaches: printed, and into the record.
void report_coverage(const Vectors& vectors, nlohmann::ordered_json& row) {
  const Coverage coverage = coverage_of(vectors);
  fmt::print("reaches {} of the {} corner cases of {} × {} on {}\n", coverage.reached(),
             coverage.cases.size(), vectors.format_a->name, vectors.format_b->name,
             vectors.datapath->name);
  for (const std::string& name : coverage.missing()) fmt::print("  not reached: {}\n", name);
  nlohmann::ordered_json cases;
  for (size_t i = 0; i < coverage.cases.size(); ++i) cases[coverage.cases[i]] = coverage.vectors[i];
  row["corner_cases"] = cases;
  row["corner_cases_reached"] = coverage.reached();
}

void check_options(const Options& options, const VectorKind* kind) {
  const bool of_model = kind && kind->make == make_of_model;
  if (of_model != !options.model.empty())
    throw UsageError("--kind model takes its operands from --model MODEL, and no other kind does");
  if (options.model.empty() && !options.tokens.empty())
    throw UsageError("--tokens are read by the model of --kind model");
  const bool converts = options.unit && options.unit->name == "quantize";
  if (!converts && options.conversion != Conversion{})
    throw UsageError("--scale-rule, --rounding and --prescale are those of --unit quantize");
  if (!options.unit) return;
  if (options.format_b && (converts || options.unit->name == "decode"))
    throw UsageError(fmt::format("--unit {} has one format: --format", options.unit->name));
  if (options.coverage)
    throw UsageError("--coverage counts the corner cases of whole blocks, not those of --unit");
  const std::string_view kinds = options.unit->kinds;
  if (kind && kinds.find(kind->name) == kinds.npos)
    throw UsageError(
        fmt::format("--unit {} has --kind {}, not {}", options.unit->name, kinds, kind->name));
}

int run(const Options& options, const VectorKind* kind, const EngineTable& engines) {
  check_options(options, kind);
  const OutputFolder folder(options.out);
  // A unit's file has its name: multiply.memh.
  const std::string extension = std::filesystem::path(options.form->file).extension();
  const std::string name =
      options.unit ? std::string(options.unit->name) + extension : std::string(options.form->file);
  const std::filesystem::path file = options.out / name;
  require_distinct({{"--json", options.json}, {"the file of vectors", file}},
                   {{"--tokens", options.tokens}});
  require_writable(options.json);
  Record record("vectors");
  record.set_seed(options.seed);
  nlohmann::ordered_json row{{"file", name}};
  if (options.unit) {
    const std::string_view kinds = options.unit->kinds;
    UnitRequest request{options.format,
                        &options.b(),
                        options.datapath,
                        options.conversion,
                        std::string(kind ? kind->name : kinds.substr(0, kinds.find(','))),
                        options.count,
                        options.seed};
    request.conversion.format = options.format;
    request.conversion.block = options.format->block;
    request.conversion.seed = options.seed;
    const VectorTable table = options.unit->make(request);
    options.form->write_table(table, file);
    fmt::print("{}: {} vectors of the unit {}\n", file.string(), table.count, options.unit->name);
    for (const auto& [field, value] : table.header) row[field] = value;
    row["count"] = table.count;
  } else {
    if (!kind) kind = &kinds[0];
    const Vectors vectors = kind->make(options, engines);
    options.form->write(vectors, file);
    fmt::print("{}: {} vectors of {} × {} on {}\n", file.string(), vectors.count(),
               vectors.format_a->name, vectors.format_b->name, vectors.datapath->name);
    row.update({{"kind", vectors.kind},
                {"count", vectors.count()},
                {"format_a", vectors.format_a->name},
                {"format_b", vectors.format_b->name},
                {"datapath", vectors.datapath->name}});
    if (options.coverage || kind->make == make_directed) report_coverage(vectors, row);
  }
  record.add(row);
  record.write(options.json);
  return exit_good;
}

}  // namespace

Action define_vectors(CLI::App& app, const Context& context) {
  auto o = std::make_shared<Options>();
  auto kind = std::make_shared<const VectorKind*>(nullptr);
  add_named(app, "--format", o->format, block_formats, "format", "format of a")->required();
  add_named(app, "--format-b", o->format_b, block_formats, "format",
            "format of b (default: that of a)");
  add_datapath(app, o->datapath, "accumulation");
  add_named(app, "--kind", *kind, kinds, "kind",
            "where the operands come from; directed: a grid of exponent edges and significand "
            "patterns, every code, and every corner case, named in the vector's comment; "
            "exhaustive: every pair of codes, or of two e2m1 codes, in a block of +0, and every "
            "pair of scales (default random)");
  add_named(app, "--unit", o->unit, units, "unit",
            "vectors of one unit instead of whole blocks, in a file of its name: decode, multiply "
            "and scale_product hold all codes or pairs, accumulate a block's sum and accumulators "
            "(directed, exhaustive or random), quantize blocks to convert (directed or random)");
  add_named(app, "--scale-rule", o->conversion.rule, scale_rules, "scale rule",
            "of --unit quantize");
  add_named(app, "--rounding", o->conversion.rounding, roundings, "rounding", "of --unit quantize");
  app.add_option_function<std::string>(
         "--prescale",
         [o](const std::string& text) { o->conversion.prescale = parse_prescale(text); },
         "of --unit quantize: elements are multiplied by this fraction, such as 3/4")
      ->type_name("P");
  app.add_option("--model", o->model,
                 "with --kind model: the model whose weights and activations are taken")
      ->type_name("MODEL");
  add_input(app, "--tokens", o->tokens,
            "what that model reads: the first row of 'input_ids' I64 (B,T) in a safetensors file; "
            "default: a text of the asset calibration");
  add_number<int64_t>(
      app, "--count", o->count, 1, max_count,
      "vectors (default 1000; directed and exhaustive: at most so many, default all)");
  add_seed(app, o->seed, "seed of the operands");
  add_named(app, "--as", o->form, vector_forms, "file form", "form of the file");
  add_output(app, "--out", o->out, "folder; made where it does not exist")
      ->required()
      ->type_name("DIR");
  app.add_flag("--coverage", o->coverage,
               "tell which corner cases the set reaches, as --kind directed does by itself");
  add_json(app, o->json);
  return [o, kind, &context] { return run(*o, *kind, context.engines); };
}

}  // namespace mxref
