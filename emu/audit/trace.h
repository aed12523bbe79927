#pragma once
// Traces of a model's forward pass, and where two of them part. A trace is a folder: for each
// module MODULE.safetensors with what went in (`input`, or `input.0`, `input.1` …) and what came
// out (`output`), F32; and index.json, which lists the modules in the order in which they were
// computed, with their files and shapes, beside the facts of the run.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "emu/files/safetensors.h"

namespace mxref {

inline constexpr const char* trace_index = "index.json";
// In the folder of a trace: where its files lie until it is whole. What an interrupted run left
// there counts for nothing.
inline constexpr const char* trace_unfinished = "unfinished";
inline constexpr const char* trace_schema = "mxref-trace/1";
inline constexpr const char* trace_output = "output";

struct TraceModule {
  std::string name;
  std::map<std::string, std::vector<int64_t>> shapes;  // of its tensors: the inputs come first
  std::string file() const { return name + ".safetensors"; }
};

struct Trace {
  std::filesystem::path folder;
  std::vector<TraceModule> modules;  // in the order of computation
  // What the index says of the run: "recipe.datapath" → "\"fused\"".
  std::map<std::string, std::string> facts;

  std::filesystem::path index() const { return folder / trace_index; }
};

// Reads the index. Throws InputError that names the file, the field and the form that was expected,
// where it is missing or says anything else than a trace does.
Trace open_trace(const std::filesystem::path& folder);

// The file of a module. Throws InputError that names file and tensor where it is missing or
// damaged, or does not hold the tensors that the index says, F32.
SafetensorsFile open_module(const Trace& trace, const TraceModule& module);

struct TraceDifference {
  size_t module;            // its place in the trace
  int64_t inputs, outputs;  // values that differ
};

// The first value that differs.
struct TracePlace {
  std::string tensor;
  std::vector<int64_t> shape;
  int64_t place;      // in the order of memory: row · width + element
  uint32_t a, b;      // bits of binary32
  int64_t different;  // in this tensor

  int64_t values() const;  // of this tensor
  int64_t width() const { return shape.empty() ? 1 : shape.back(); }
  int64_t row() const { return place / width(); }
  int64_t element() const { return place % width(); }
  std::vector<int64_t> index() const;  // one for each dimension
};

struct TraceFact {
  std::string name, a, b;  // empty where one of the two does not have it
};

struct TraceReport {
  int64_t modules = 0, compared = 0, different = 0;
  std::vector<TraceDifference> differing;  // modules, in the order of computation
  std::optional<TracePlace> first;         // of the first of them: of an input before the output
  std::vector<TraceFact> facts;            // that differ

  // Whether the first module that differs got the same inputs in both.
  bool starts_there() const { return first && differing.front().inputs == 0; }
};

// Bit for bit, file by file: no more than a module of each is in memory. Throws InputError as
// open_module does, and where the modules, their order or their shapes are not the same.
TraceReport compare_traces(const Trace& a, const Trace& b,
                           const std::function<void(int64_t modules_done)>& progress = {});

}  // namespace mxref
