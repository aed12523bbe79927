#include "eval/study/grid.h"

#include <algorithm>
#include <set>

#include "emu/block.h"
#include "emu/datapaths.h"
#include "emu/files/atomic_file.h"
#include "emu/files/sha256.h"
#include "eval/study/grid_fields.h"
#include "eval/tasks/noise_floor.h"
#include "golden/checkpoint/checkpoint.h"
#include "golden/recipe.h"

namespace mxref {
namespace {

using nlohmann::json;

constexpr int64_t most_tokens = int64_t(1) << 20, most_units = int64_t(1) << 40;
constexpr std::string_view tokens_prefix = "tokens:";

// work(), whose errors then say where.
template <typename Work>
auto within(const std::string& where, const Work& work) {
  try {
    return work();
  } catch (const UsageError& e) {
    throw UsageError(where + ": " + e.what());
  } catch (const InputError& e) {
    throw InputError(where + ": " + e.what());
  }
}

std::string text_of(const json& value, const std::string& where) {
  if (!value.is_string() || value.get<std::string>().empty())
    throw UsageError(where + ": " + shown(value) + " is no text");
  return value;
}

template <typename Row>
void add(std::vector<Row>& rows, Row row, const std::string& where) {
  for (const Row& other : rows)
    if (other.name == row.name)
      throw UsageError(where + ": a second one of the name '" + row.name +
                       "'; \"name\" gives another");
  rows.push_back(std::move(row));
}

// A text stands for an object with this one field.
json as_object(const json& value, const char* field) {
  return value.is_string() ? json{{field, value}} : value;
}

GridModel parse_model(const json& value, const std::string& where, const GridSources& sources) {
  const json object = as_object(value, "model");
  const Fields fields(object, where, {"model", "name"});
  const std::string given = fields.text("model");
  return within(where, [&] {
    GridModel model{fields.text("name", given), sources.model_path(given), "", ""};
    const auto checkpoint = open_checkpoint(model.path);
    const auto& config = checkpoint->config();
    if (config.contains("mxref") || config.contains("quantization_config"))
      throw InputError(given + ": is quantized already; a study begins with an unquantized model");
    model.sha256 = checkpoint->sha256();
    model.config_sha256 = sha256(config.dump());
    return model;
  });
}

std::string option_text(const json& value, const std::string& where) {
  if (value.is_string()) return value;
  if (value.is_number() || value.is_boolean()) return value.dump();
  throw UsageError(where + ": " + shown(value) + " is no text, number, true or false");
}

GridMethod parse_method(const json& value, const std::string& where) {
  const json object = as_object(value, "method");
  const Fields fields(object, where, {"method", "options", "name"});
  GridMethod row;
  row.method = within(where, [&] { return &method(fields.text("method")); });
  std::string shown_options;
  if (fields.has("options")) {
    const json& options = object["options"];
    if (!options.is_object()) throw UsageError(where + ".options: is no object");
    for (const auto& [key, text] : options.items()) {
      row.options[key] = option_text(text, where + ".options." + key);
      shown_options += " " + key + "=" + row.options[key];
    }
  }
  within(where + ".options", [&] { return OptionValues(row.method->options(), row.options); });
  row.name = fields.text("name", std::string(row.method->name) + shown_options);
  return row;
}

GridRecipe parse_grid_recipe(const json& value, const std::string& where,
                             const GridSources& sources) {
  const json object = as_object(value, "recipe");
  const Fields fields(object, where, {"recipe", "set", "name"});
  GridRecipe row;
  row.recipe = fields.text("recipe");
  row.name = row.recipe;
  if (fields.has("set"))
    fields.each("set", [&](const json& setting, const std::string& path) {
      row.settings.push_back(text_of(setting, path));
      row.name += " " + row.settings.back();
    });
  row.name = fields.text("name", row.name);
  within(where, [&] {
    engine_entry(sources.engines, parse_recipe(row.recipe, row.settings).implementation);
    return 0;
  });
  return row;
}

GridDatapath parse_datapath(const json& value, const std::string& where) {
  return within(where, [&] {
    if (value.is_object()) {
      const std::string name(datapath(value.dump()).name);
      return GridDatapath{name, name};
    }
    const std::string name = text_of(value, where);
    std::vector<std::string_view> valid{"fake_quant"};
    for (const Datapath& row : datapaths) valid.push_back(row.name);
    if (std::find(valid.begin(), valid.end(), name) == valid.end())
      throw UsageError(unknown_name("datapath", name, valid));
    return GridDatapath{name, name};
  });
}

GridCalibration parse_calibration(const json& value, const std::string& where,
                                  const GridSources& sources) {
  const Fields fields(value, where, {"text", "samples", "length", "seed", "name"});
  GridCalibration row;
  row.text = fields.text("text");
  row.draw.samples = fields.number("samples", default_samples, int64_t(1), most_tokens);
  row.draw.length = fields.number("length", default_sample_length, int64_t(2), most_tokens);
  row.draw.seed = fields.number("seed", uint64_t(0), uint64_t(0), UINT64_MAX);
  row.name = fields.text("name", row.text + ", " + std::to_string(row.draw.samples) + " × " +
                                     std::to_string(row.draw.length));
  row.draw.text_sha256 =
      within(where, [&] { return sha256(sources.calibration_text(row.text).text); });
  return row;
}

GridTask parse_grid_task(const json& value, const std::string& where, const TaskOptions& absent,
                         const GridSources& sources) {
  const json object = as_object(value, "task");
  const Fields fields(object, where, {"task", "window", "limit", "name"});
  const std::string text = fields.text("task");
  GridTask row;
  row.options.window = fields.number("window", absent.window, int64_t(2), most_tokens);
  row.options.limit = fields.number("limit", absent.limit, int64_t(1), most_units);
  row.tokens = text.starts_with(tokens_prefix);
  within(where, [&] {
    if (row.tokens) {
      const std::string file = text.substr(tokens_prefix.size());
      row.source = {perplexity_name, file, file};
    } else {
      row.source = parse_task(text, sources.default_task);
    }
    row.sha256 = sha256_of_file(row.source.file);
    return 0;
  });
  row.name = fields.text("name", row.source.name);
  return row;
}

std::vector<uint64_t> parse_seeds(const Fields& fields, uint64_t absent) {
  if (!fields.has("seeds")) return {absent};
  std::vector<uint64_t> seeds;
  fields.each("seeds", [&](const json& value, const std::string& where) {
    if (!value.is_number_unsigned())
      throw UsageError(where + ": " + shown(value) + " is no number from 0 to 2^64-1");
    const uint64_t seed = value;
    if (std::ranges::find(seeds, seed) != seeds.end())
      throw UsageError(where + ": " + shown(value) + " stands there twice");
    seeds.push_back(seed);
  });
  return seeds;
}

// What no single field shows.
void check(const Grid& grid) {
  if (grid.statistics && grid.calibrations.empty())
    throw UsageError("statistics: need a 'calibration', on which inputs are looked at");
  for (const GridMethod& row : grid.methods)
    if (row.method->needs_calibration() && grid.calibrations.empty())
      throw UsageError("methods: '" + row.name + "' needs a 'calibration', and the grid has none");
}

Grid parse(const json& file, const GridSources& sources) {
  const Fields fields(file, "",
                      {"models", "methods", "recipes", "scale_rules", "datapaths", "calibration",
                       "tasks", "window", "limit", "noise", "statistics", "seed", "seeds"});
  Grid grid;
  // Names first: what is wrong with them shows before large files are read.
  grid.noise = fields.number("noise", int64_t(0), int64_t(0), most_noise_runs);
  grid.statistics = fields.flag("statistics");
  grid.seed = fields.number("seed", uint64_t(0), uint64_t(0), UINT64_MAX);
  grid.seeds = parse_seeds(fields, grid.seed);
  if (fields.has("methods")) {
    fields.each("methods", [&](const json& value, const std::string& where) {
      add(grid.methods, parse_method(value, where), where);
    });
  } else {
    grid.methods.push_back({"rtn", &method("rtn"), {}});
  }
  fields.each("recipes", [&](const json& value, const std::string& where) {
    add(grid.recipes, parse_grid_recipe(value, where, sources), where);
  });
  if (fields.has("scale_rules"))
    fields.each("scale_rules", [&](const json& value, const std::string& where) {
      const std::string name = text_of(value, where);
      within(where, [&] { return &scale_rule(name); });
      if (std::ranges::find(grid.scale_rules, name) != grid.scale_rules.end())
        throw UsageError(where + ": '" + name + "' stands there twice");
      grid.scale_rules.push_back(name);
    });
  if (fields.has("datapaths"))
    fields.each("datapaths", [&](const json& value, const std::string& where) {
      add(grid.datapaths, parse_datapath(value, where), where);
    });
  TaskOptions options;
  options.window = fields.number("window", options.window, int64_t(2), most_tokens);
  options.limit = fields.number("limit", options.limit, int64_t(1), most_units);
  fields.each("tasks", [&](const json& value, const std::string& where) {
    add(grid.tasks, parse_grid_task(value, where, options, sources), where);
  });
  if (fields.has("calibration")) {
    const json& given = file["calibration"];
    const json list{{"calibration", given.is_array() ? given : json::array({given})}};
    Fields(list, "", {"calibration"})
        .each("calibration", [&](const json& value, const std::string& where) {
          add(grid.calibrations, parse_calibration(value, where, sources), where);
        });
  }
  check(grid);
  fields.each("models", [&](const json& value, const std::string& where) {
    add(grid.models, parse_model(value, where, sources), where);
  });
  return grid;
}

}  // namespace

Grid read_grid(const std::filesystem::path& path, const GridSources& sources) {
  const std::string text = read_file(path);
  const json file = parse_json_object(path.string(), text);
  try {
    Grid grid = parse(file, sources);
    grid.file = nlohmann::ordered_json::parse(text);
    grid.file_sha256 = sha256(text);
    return grid;
  } catch (const UsageError& e) {
    throw InputError(path.string() + ": " + e.what());
  } catch (const InputError& e) {
    throw InputError(path.string() + ": " + e.what());
  }
}

std::string describe_grid() {
  return R"(GRID.json: cells are all of models × methods × recipes × scale rules × datapaths × calibrations; each
model in binary32 (fp32) is a cell of its own, with which the others are compared.
  models       asset, folder or GGUF file; or {"model", "name"}, the name for tables
  methods      as of `ptq` (default ["rtn"]); or {"method", "options": {"damping": "0.02"}, "name"}
  recipes      as --recipe; or {"recipe", "set": ["weights.scale_rule=even"], "name"}
  scale_rules  for both sides of each recipe; absent: as the recipe has them
  datapaths    names, descriptions, or fake_quant; absent: as the recipe has it
  calibration  {"text", "samples": 128, "length": 512, "seed": 0, "name"}, or a list of them; text as --calibration
  tasks        as --task, or tokens:FILE.safetensors; or {"task", "window", "limit", "name"}
  window, limit  of the tasks that state none
  noise        so many more runs of each task (as --noise)
  statistics   true: kurtosis, crest factor and error of blocks, before and after the change
  seed         of methods, noise and intervals
  seeds        list: methods that draw at random (rotations, learned values) have a cell for each; absent: only seed
An example:
  {"models": ["smollm2"], "methods": ["rtn", "gptq"], "recipes": ["w8a8", "w4a4"],
   "calibration": {"text": "calibration", "samples": 64, "length": 512},
   "tasks": [{"task": "perplexity", "limit": 40}, {"task": "piqa", "limit": 500}]}
)";
}

}  // namespace mxref
