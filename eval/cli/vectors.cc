// mxref vectors: golden vectors for somebody's own RTL.

#include "emu/vectors/vectors.h"

#include <fmt/format.h>

#include <map>

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

struct VectorsSettings {
  const BlockFormat *format = nullptr, *format_b = nullptr;  // b null: as a
  const Datapath* chosen_datapath = nullptr;                 // null: the first
  int64_t count = 0;                                         // 0: not said
  uint64_t seed = 1;
  const Unit* unit = nullptr;  // null: whole blocks
  Conversion conversion;       // of the unit quantize
  bool coverage = false;
  const VectorForm* form = &vector_forms[0];
  std::string model;             // of the kind "model"
  std::filesystem::path tokens;  // likewise, optional
  std::filesystem::path out, json;

  const BlockFormat& b() const { return format_b ? *format_b : *format; }
  const Datapath& datapath() const { return chosen_datapath ? *chosen_datapath : datapaths[0]; }
};

constexpr int64_t max_vectors = 100'000'000;

constexpr int64_t default_count = 1000;  // of the kinds that have no end

struct VectorKind {
  std::string_view name;
  Vectors (*make)(const VectorsSettings& options, const EngineTable& engines);
};

Vectors make_random(const VectorsSettings& o, const EngineTable&) {
  return random_vectors(*o.format, o.b(), o.datapath(), o.count ? o.count : default_count, o.seed);
}
Vectors make_directed(const VectorsSettings& o, const EngineTable&) {
  return directed_vectors(*o.format, o.b(), o.datapath(), o.count, o.seed);
}
Vectors make_exhaustive(const VectorsSettings& o, const EngineTable&) {
  return exhaustive_vectors(*o.format, o.b(), o.datapath(), o.count, o.seed);
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
Vectors make_of_model(const VectorsSettings& o, const EngineTable& engines) {
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
    const Vectors some = model_vectors(products[i].a, products[i].b, o.datapath(), share, o.seed);
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

bool is_of_model(const VectorKind* kind) { return kind && kind->make == make_of_model; }

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

// The units of the rest know neither formats nor what else is said of blocks.
void check_options_of_rest(const VectorsSettings& options) {
  for (const auto& [option, given] : {std::pair{"--format", options.format != nullptr},
                                      {"--format-b", options.format_b != nullptr}})
    if (given)
      throw UsageError(fmt::format("{} is that of blocks; --unit {} computes in binary32", option,
                                   options.unit->name));
}

void check_options(const VectorsSettings& options, const VectorKind* kind) {
  const bool of_model = is_of_model(kind);
  if (of_model != !options.model.empty())
    throw UsageError("--kind model takes its operands from --model MODEL, and no other kind does");
  if (options.model.empty() && !options.tokens.empty())
    throw UsageError("--tokens are read by the model of --kind model");
  const bool converts = options.unit && options.unit->name == "quantize";
  if (!converts && options.conversion != Conversion{})
    throw UsageError("--scale-rule, --rounding and --prescale are those of --unit quantize");
  if (!options.unit || options.unit->formats > 0) {
    if (!options.format) throw UsageError("--format is required");
  } else {
    check_options_of_rest(options);
  }
  if (!options.unit) return;
  if (options.chosen_datapath && options.unit->name != "accumulate")
    throw UsageError("--datapath is that of whole blocks and of --unit accumulate");
  if (options.format_b && options.unit->formats == 1)
    throw UsageError(fmt::format("--unit {} has one format: --format", options.unit->name));
  if (options.coverage)
    throw UsageError("--coverage counts the corner cases of whole blocks, not those of --unit");
  const std::string_view kinds = options.unit->kinds;
  if (kind && kinds.find(kind->name) == kinds.npos)
    throw UsageError(
        fmt::format("--unit {} has --kind {}, not {}", options.unit->name, kinds, kind->name));
}

// A unit's file has its name: multiply.memh.
std::string file_of(const VectorsSettings& options, const Unit& unit) {
  return std::string(unit.name) + std::filesystem::path(options.form->file).extension().string();
}

nlohmann::ordered_json write_blocks(const VectorsSettings& options, const VectorKind& kind,
                                    const EngineTable& engines) {
  const std::filesystem::path file = options.out / options.form->file;
  const Vectors vectors = kind.make(options, engines);
  options.form->write(vectors, file);
  fmt::print("{}: {} vectors of {} × {} on {}\n", file.string(), vectors.count(),
             vectors.format_a->name, vectors.format_b->name, vectors.datapath->name);
  nlohmann::ordered_json row{
      {"file", options.form->file},         {"kind", vectors.kind},
      {"count", vectors.count()},           {"format_a", vectors.format_a->name},
      {"format_b", vectors.format_b->name}, {"datapath", vectors.datapath->name}};
  if (options.coverage || kind.make == make_directed) report_coverage(vectors, row);
  return row;
}

// rows: of the kind model, else null.
nlohmann::ordered_json write_unit(const VectorsSettings& options, const Unit& unit,
                                  const VectorKind* kind, const UnitRows* rows) {
  UnitRequest request{
      .a = options.format,
      .b = options.format_b ? options.format_b : options.format,
      .datapath = &options.datapath(),
      .conversion = options.conversion,
      .kind = std::string(kind ? kind->name : unit.kinds.substr(0, unit.kinds.find(','))),
      .count = options.count,
      .seed = options.seed,
      .rows = rows};
  if (unit.formats > 0) {
    request.conversion.format = options.format;
    request.conversion.block = options.format->block;
    request.conversion.seed = options.seed;
  }
  const VectorTable table = unit.make(request);
  const std::filesystem::path file = options.out / file_of(options, unit);
  options.form->write_table(table, file);
  fmt::print("{}: {} vectors of the unit {}\n", file.string(), table.count, unit.name);
  nlohmann::ordered_json row{{"file", file.filename().string()}};
  for (const auto& [field, value] : table.header) row[field] = value;
  row["count"] = table.count;
  return row;
}

// Those of --unit; beside the blocks of a model those of its rest.
std::vector<const Unit*> units_of(const VectorsSettings& options, bool of_model) {
  if (options.unit) return {options.unit};
  std::vector<const Unit*> of_rest;
  for (const Unit& unit : units)
    if (of_model && unit.formats == 0) of_rest.push_back(&unit);
  return of_rest;
}

std::map<std::string, UnitRows> make_rows(const VectorsSettings& o, const EngineTable& engines) {
  auto rows = rows_of_model(o.model, o.tokens, o.count ? o.count : default_count, o.seed, engines);
  for (auto& [unit, some] : rows) some.source = name_of_model(o.model) + ": " + some.source;
  return rows;
}

int vectors_command(const VectorsSettings& options, const VectorKind* kind,
                    const EngineTable& engines) {
  check_options(options, kind);
  const OutputFolder folder(options.out);
  const std::vector<const Unit*> written = units_of(options, is_of_model(kind));
  std::vector<NamedPath> outputs{{"--json", options.json}};
  if (!options.unit) outputs.push_back({"the file of vectors", options.out / options.form->file});
  for (const Unit* unit : written)
    outputs.push_back({"the file of vectors", options.out / file_of(options, *unit)});
  require_distinct(outputs, {{"--tokens", options.tokens}});
  require_writable(options.json);
  Record record("vectors");
  record.set_seed(options.seed);
  std::map<std::string, UnitRows> rows;
  if (is_of_model(kind)) rows = make_rows(options, engines);
  if (!options.unit) record.add(write_blocks(options, kind ? *kind : kinds[0], engines));
  for (const Unit* unit : written) {
    const auto found = rows.find(std::string(unit->name));
    record.add(write_unit(options, *unit, kind, found == rows.end() ? nullptr : &found->second));
  }
  record.write(options.json);
  return exit_good;
}

}  // namespace

Action define_vectors(CLI::App& app, const Context& context) {
  auto o = std::make_shared<VectorsSettings>();
  auto kind = std::make_shared<const VectorKind*>(nullptr);
  add_named(app, "--format", o->format, block_formats, "format",
            "format of a; required but for the units of the rest of a model");
  add_named(app, "--format-b", o->format_b, block_formats, "format",
            "format of b (default: that of a)");
  add_datapath(app, o->chosen_datapath,
               fmt::format("accumulation of blocks (default {})", datapaths[0].name));
  add_named(app, "--kind", *kind, kinds, "kind",
            "where the operands come from; directed: a grid of exponent edges and significand "
            "patterns, every code, and every corner case, named in the vector's comment; "
            "exhaustive: every pair of codes, or of two e2m1 codes, in a block of +0, and every "
            "pair of scales; model: blocks of a model's own products, and beside them a file for "
            "each unit of its rest (default random; of a unit the first that it has)");
  add_named(app, "--unit", o->unit, units, "unit",
            "vectors of one unit instead of whole blocks, in a file of its name: decode, multiply "
            "and scale_product hold all codes or pairs, accumulate a block's sum and accumulators "
            "(directed, exhaustive or random), quantize blocks to convert (directed or random); "
            "rms_norm, softmax, gated_silu and rotary are those of the rest of a model, strict, in "
            "binary32, and know no --format (directed, random, or of a model: rows drawn in it)");
  add_named(app, "--scale-rule", o->conversion.rule, scale_rules, "scale rule",
            "of --unit quantize");
  add_named(app, "--rounding", o->conversion.rounding, roundings, "rounding", "of --unit quantize");
  app.add_option_function<std::string>(
         "--prescale",
         [o](const std::string& text) { o->conversion.prescale = parse_prescale(text); },
         "of --unit quantize: elements are multiplied by this fraction, such as 3/4")
      ->type_name("P");
  app.add_option(
         "--model", o->model,
         "with --kind model: the model whose weights and activations are taken; its rest is "
         "caught in a pass in binary32")
      ->type_name("MODEL");
  add_input(app, "--tokens", o->tokens,
            "what that model reads: the first row of 'input_ids' I64 (B,T) in a safetensors file; "
            "default: a text of the asset calibration");
  add_number<int64_t>(
      app, "--count", o->count, 1, max_vectors,
      "vectors (default 1000; directed and exhaustive: at most so many, default all; of a model's "
      "rest: of each unit at most so many, no row twice)");
  add_seed(app, o->seed, "seed of the operands");
  add_named(app, "--as", o->form, vector_forms, "file form", "form of the file");
  add_output(app, "--out", o->out, "folder; made where it does not exist")
      ->required()
      ->type_name("DIR");
  app.add_flag("--coverage", o->coverage,
               "tell which corner cases the set reaches, as --kind directed does by itself");
  add_json(app, o->json);
  return [o, kind, &context] { return vectors_command(*o, *kind, context.engines); };
}

}  // namespace mxref
