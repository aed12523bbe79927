#pragma once
// One model of a study with all that its cells have in common: tasks, calibration, the model as a
// method has changed it, its codes.

#include <functional>
#include <map>
#include <memory>

#include "eval/study/cells.h"
#include "golden/checkpoint/memory_checkpoint.h"

namespace mxref {

// Where the cells of a key (Cell::change_key, codes_key) keep what they learn.
std::filesystem::path state_folder(const std::filesystem::path& learned, const std::string& key);

class ModelBench {
 public:
  using StageProgress = decltype(MethodContext::progress);

  // Reads tasks and draws calibrations. `learned`: the folder where learners keep what they have.
  // Throws InputError, UsageError.
  ModelBench(const Grid& grid, const GridModel& model, const GridSources& sources,
             std::filesystem::path learned);

  const Checkpoint& source() const { return *source_; }
  const std::vector<LoadedTask>& tasks() const { return tasks_; }

  // The model of a cell, quantized by its method; the source where it has none. `later`: the cells
  // that are still to come, in the order of work, for which what they share is kept. `record` gets
  // "ptq", and "statistics" where the grid asks for them.
  const Checkpoint& prepare(const Cell& cell, const std::vector<const Cell*>& later,
                            const StageProgress& progress, nlohmann::ordered_json& record);
  // Frees what no cell can use any more.
  void release();

 private:
  struct Changed {
    std::string key, cell;
    PtqModel model;
    nlohmann::ordered_json record;
  };
  struct Quantized {
    std::string key, cell;
    std::unique_ptr<MemoryCheckpoint> model;
    nlohmann::ordered_json record, statistics;
  };
  MethodRequest request_of(const Cell& cell, const StageProgress& progress) const;
  void quantize(const Cell& cell, const std::vector<const Cell*>& later,
                const StageProgress& progress);
  // Of the cell's model before (`change` is empty) or after its change; read() is that model.
  nlohmann::ordered_json statistics_of(const Cell& cell, const std::string& change,
                                       const std::function<PtqModel()>& read);

  const Grid& grid_;
  std::filesystem::path learned_;
  std::unique_ptr<Checkpoint> source_;
  std::unique_ptr<Tokenizer> tokenizer_;
  std::vector<LoadedTask> tasks_;
  std::map<const GridCalibration*, Calibration> calibrations_;
  std::map<std::string, nlohmann::ordered_json> statistics_;  // by what they depend on
  std::unique_ptr<Changed> changed_;
  std::unique_ptr<Quantized> quantized_;
};

}  // namespace mxref
