#pragma once
// Writes a trace (emu/audit/trace.h) while a model computes.

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "emu/audit/trace.h"

namespace mxref {

// Throws UsageError where `folder` holds files but no trace, which would be replaced; InputError
// where its index is damaged, or it cannot be made or written.
void require_place_for_trace(const std::filesystem::path& folder);

class TraceWriter {
 public:
  // Of a pass of `batch` sequences of `tokens` tokens: each tensor becomes (batch, tokens, width).
  // Makes the folder, not its parents; of a trace that is there the files that its index names are
  // taken away. Throws as above.
  TraceWriter(std::filesystem::path folder, int64_t batch, int64_t tokens);
  // Without finish() nothing of the trace stays.
  ~TraceWriter();
  TraceWriter(const TraceWriter&) = delete;
  TraceWriter& operator=(const TraceWriter&) = delete;

  // `values` (rows, width) of a tensor of a module, copied. Sequences that are computed one after
  // the other may come in parts, in their order; a module is kept in memory until its `output` is
  // whole, then written.
  void add(const std::string& module, std::string_view tensor, int64_t rows,
           std::span<const float> values);

  // Writes the index, with the fields of `facts`, a JSON object. Every module must be whole.
  void finish(const std::string& facts);

 private:
  struct Tensor {
    int64_t rows = 0;
    std::vector<float> values;
  };
  using Tensors = std::map<std::string, Tensor>;

  void write(TraceModule& module, const Tensors& tensors);

  std::filesystem::path folder_;
  int64_t batch_, tokens_;
  bool made_ = false, finished_ = false;
  std::vector<TraceModule> modules_;  // in the order in which they came
  std::map<std::string, size_t> places_;
  std::map<std::string, Tensors> waiting_;  // not whole yet
};

}  // namespace mxref
