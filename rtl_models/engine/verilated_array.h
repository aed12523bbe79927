#pragma once
// The Verilated arrays that were built, behind the pins of emu/array_port.h.

#include <filesystem>
#include <memory>
#include <vector>

#include "emu/array_port.h"

namespace mxref {

// An array with assertions, faults and waves.
class BenchArray : public ArrayPort {
 public:
  // Cycles in which an assertion failed, since it was made.
  virtual int64_t assertions_failed() const = 0;
  // From now on every cycle goes to an FST file. Throws InputError where it cannot be written.
  virtual void open_waves(const std::filesystem::path& path) = 0;
  // Line, toggle and functional coverage so far, as Verilator's own tool reads it: of a covered
  // array; another has no points. Throws InputError where it cannot be written.
  virtual void write_coverage(const std::filesystem::path& path) = 0;
};

// Shapes at which make_bench_array() has one: a small and a ragged one.
const std::vector<ArrayShape>& bench_shapes();
// Throws UsageError where there is none of this shape.
std::unique_ptr<BenchArray> make_bench_array(ArrayShape shape);

// The array that collects coverage, many times slower than the others.
inline constexpr ArrayShape covered_array_shape{2, 3};
std::unique_ptr<BenchArray> make_covered_array();

// The array of the engine `rtl`: no assertions, coverage or faults.
inline constexpr ArrayShape engine_array_shape{8, 8};
std::unique_ptr<ArrayPort> make_engine_array();

}  // namespace mxref
