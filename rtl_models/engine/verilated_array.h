#pragma once
// The Verilated arrays that were built, behind the pins of emu/array_port.h.

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
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
  // array, of a variant the functional alone; another has no points.
  virtual std::string coverage() = 0;
};

// An array that was built, and how to make one.
struct BenchSource {
  ArrayDesign design;
  std::function<std::unique_ptr<BenchArray>(const ArrayDesign& design)> make_of;
  bool is_covered = false;
  std::unique_ptr<BenchArray> make() const { return make_of(design); }
};
// All formats at run time; a datapath of every kind, at a small and at a ragged shape each.
const std::vector<BenchSource>& bench_arrays();
// The arrays that collect coverage, one of each datapath and variant: many times slower than the
// others where it is that of lines and toggles too.
const std::vector<BenchSource>& covered_arrays();

// Throws InputError where there is no place for the temporary file that coverage goes through.
void require_place_for_coverage();

// The array of the engine `rtl` for its own formats on `fused`: no assertions, coverage or faults.
const ArrayDesign& engine_array_design();
std::unique_ptr<ArrayPort> make_engine_array();

}  // namespace mxref
