#pragma once
// An engine computes a matrix product of quantized operands. This header is its whole contract; the
// program (eval/cli) makes the one table of engines and hands it down.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "emu/block.h"
#include "emu/datapaths.h"

namespace mxref {

// A right operand (weights), prepared once by one engine for one datapath and kept. Holds all that
// the engine needs: the tensor that it was made of may be gone.
class PreparedOperand {
 public:
  virtual ~PreparedOperand() = default;
  int64_t rows = 0;  // N
  int64_t cols = 0;  // K
};

class Engine {
 public:
  virtual ~Engine() = default;
  virtual std::string_view name() const = 0;

  // Why this engine does not compute a × b on this datapath, where there is such a product
  // (no_product() of emu/gemm.h); empty where it does.
  virtual std::string refuses(const BlockFormat& a, const BlockFormat& b, int block,
                              const Datapath& datapath) const = 0;

  // b (N,K) → the engine's own form of it.
  virtual std::unique_ptr<PreparedOperand> prepare(const MxTensor& b,
                                                   const Datapath& datapath) const = 0;

  // a (M,K), b prepared by this engine (N,K), c (M,N) or empty → d (M,N), the whole product of
  // ARITHMETIC.md §2 and §4, pre-scale factor and C included. Throws UsageError where K or the
  // block lengths differ. Same bits for any number of threads. Not called from several threads at
  // once.
  virtual void multiply(const MxTensor& a, const PreparedOperand& b, std::span<const float> c,
                        std::span<float> d) = 0;

  // What the work so far cost on a simulated machine; zeros where the engine simulates none.
  struct Cost {
    int64_t cycles = 0;
    int64_t macs = 0;
  };
  virtual Cost cost() const { return {}; }
};

// The bits of a NaN that no result is: a buffer filled with it shows what an engine did not write,
// and holds no earlier answer.
inline constexpr uint32_t not_written = 0x7FDEAD00;

// Its name in the table: the engine that is the definition, with which every other is compared.
inline constexpr std::string_view definition = "ref";

std::unique_ptr<Engine> make_ref_engine();     // the scalar definition
std::unique_ptr<Engine> make_kernel_engine();  // vector kernels of current_isa()

// A row of the table of engines.
struct EngineEntry {
  std::string name;
  std::function<std::unique_ptr<Engine>()> make;
  std::string what = {};  // of a control: its fault
  bool is_slow = false;   // thousands of times slower than a vector kernel
};
using EngineTable = std::vector<EngineEntry>;

// The row of this name; for "plugin:FILE.so" one that loads the file when it is made, and throws
// InputError where that is no engine (emu/capi/plugin_engine.h). Throws UsageError on an unknown
// name.
EngineEntry engine_entry(const EngineTable& engines, std::string_view name);
std::unique_ptr<Engine> make_engine(const EngineTable& engines, std::string_view name);
// Why the engine does not compute this product, or why there is none; empty where it does.
std::string refusal(const Engine& engine, const BlockFormat& a, const BlockFormat& b, int block,
                    const Datapath& datapath);
// Throws UsageError with the reason where there is one.
void require(const Engine& engine, const BlockFormat& a, const BlockFormat& b, int block,
             const Datapath& datapath);

}  // namespace mxref
