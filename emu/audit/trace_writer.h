#pragma once
// Writes a trace (emu/audit/trace.h) while a model computes.

#include <filesystem>
#include <map>
#include <set>
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
  // Makes the folder, not its parents; a trace that is there stays until finish(). Throws as above.
  TraceWriter(std::filesystem::path folder, int64_t batch, int64_t tokens);
  // Without finish() nothing of the new trace stays.
  ~TraceWriter();
  TraceWriter(const TraceWriter&) = delete;
  TraceWriter& operator=(const TraceWriter&) = delete;

  // `values` (batch · tokens, width) of a tensor of a module, copied. With its `output`, which
  // comes last, a module is written. Throws std::logic_error where one comes before another has its
  // output, or again.
  void add(const std::string& module, std::string_view tensor, std::span<const float> values);

  // Takes away the files of a trace that is there, those that its index names, and puts the new
  // ones and the index, with the fields of `facts`, a JSON object, in their place. Every module
  // must have its output.
  void finish(const std::string& facts);

 private:
  void write_module();

  std::filesystem::path folder_, unfinished_;
  std::set<std::filesystem::path> replaced_;  // files of the trace that is there
  int64_t batch_, tokens_;
  bool made_ = false, finished_ = false;
  std::vector<TraceModule> modules_;                  // in the order in which they came
  std::map<std::string, std::vector<float>> values_;  // of the last, until it is written
};

}  // namespace mxref
