#pragma once
// What a study compares: the file GRID.json, read and checked before anything runs.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "emu/engine.h"
#include "eval/tasks/run_task.h"
#include "ptq/method.h"

namespace mxref {

// What the program knows and a grid names.
struct StudyText {
  std::string label, text;
};
struct GridSources {
  std::function<std::filesystem::path(const std::string& model)> model_path;
  std::function<TaskSource(const std::string& task)> default_task;
  std::function<StudyText(const std::string& source)> calibration_text;
  const EngineTable& engines;
};

// Each has the name under which tables show it: its "name" in the grid, or what it says.
struct GridModel {
  std::string name;
  std::filesystem::path path;
  std::string sha256, config_sha256;
};
struct GridMethod {
  std::string name;
  const Method* method = nullptr;
  std::map<std::string, std::string> options;
};
struct GridRecipe {
  std::string name, recipe;
  std::vector<std::string> settings;
};
struct GridDatapath {
  std::string name, datapath;
};
struct GridCalibration {
  std::string name, text;
  CalibrationDraw draw;
};
struct GridTask {
  std::string name;
  TaskSource source;
  TaskOptions options;
  bool tokens = false;  // the file holds ids, not text: "tokens:FILE.safetensors"
  std::string sha256;
};

struct Grid {
  nlohmann::ordered_json file;  // as it was read
  std::string file_sha256;
  std::vector<GridModel> models;
  std::vector<GridMethod> methods;
  std::vector<GridRecipe> recipes;
  std::vector<std::string> scale_rules;  // empty: as the recipe has them
  std::vector<GridDatapath> datapaths;   // the same
  std::vector<GridCalibration> calibrations;
  std::vector<GridTask> tasks;
  int64_t noise = 0;
  bool statistics = false;
  uint64_t seed = 0;
  std::vector<uint64_t> seeds;  // of what methods draw, a cell each
};

// Throws InputError with the path of the field: for an unknown field or name ("did you mean"), a
// wrong type, two of one name, a file that is missing, a method that needs calibration where there
// is none.
Grid read_grid(const std::filesystem::path& path, const GridSources& sources);

// The fields, and an example, for --help.
std::string describe_grid();

}  // namespace mxref
