#pragma once
// The driver of the accelerator: a product of any size, cut into tiles and jobs, over 32-bit
// accesses alone. The same code drives the RTL, the models and, with an Mmio over mapped memory, a
// device.

#include <cstdint>
#include <functional>
#include <span>
#include <stdexcept>

#include "emu/accelerator/registers.h"
#include "emu/array_driver.h"
#include "emu/datapaths.h"

namespace mxref::accelerator {

// Accesses of whole words. Throws BusError where the bus answers with an error.
class Mmio {
 public:
  virtual ~Mmio() = default;
  virtual uint32_t read32(uint32_t address) = 0;
  virtual void write32(uint32_t address, uint32_t data) = 0;
};

// What the hardware refused, in words; its error is cleared and its tile given up.
struct HardwareError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct BusError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// "write of 0x00000001 to 0x00004: SLVERR"
BusError bus_error(bool is_write, uint32_t address, uint32_t data, uint8_t answer);

class Driver {
 public:
  // Reads what was built. Throws HardwareError where it is no accelerator that this driver knows.
  explicit Driver(Mmio& mmio);

  ArrayShape shape() const { return shape_; }
  int depth() const { return depth_; }
  int lanes() const { return lanes_; }

  // a (M,K), b (N,K), c (M,N) or empty → d (M,N): what gemm_ref gives on the datapath that is
  // built, whose parameters the caller knows. Throws UsageError where a and b do not meet or do not
  // fit the array's beats, HardwareError where the hardware refuses them or stops answering.
  void multiply(const MxTensor& a, const MxTensor& b, std::span<const float> c, std::span<float> d);

  // Of all jobs since the counters were cleared.
  struct Counters {
    uint32_t busy_cycles = 0, stalled_cycles = 0, beats = 0, rows_out = 0;
  };
  Counters counters();
  void clear_counters();

 private:
  // One job of a product: blocks [block, block + blocks) of tile (group_a, group_b).
  struct Step {
    int64_t group_a = 0, group_b = 0, block = 0, blocks = 0;
    bool first = false, last = false;
    int buffer = 0, result_buffer = 0;
  };
  struct Product {
    const ArrayOperand &a, &b;
    std::span<const float> c;
    std::span<float> d;
  };
  void check_beats(const MxTensor& x) const;
  void load(const Product& product, const Step& step);
  void load_side(uint32_t codes, uint32_t scales, const ArrayOperand& operand, int64_t group,
                 const Step& step);
  void start(const Product& product, const Step& step);
  void wait();
  void collect(const Product& product, const Step& step);
  void throw_on_error(uint32_t status);
  // Whatever runs, stands open or is in error.
  void give_up();

  Mmio& mmio_;
  ArrayShape shape_;
  int lanes_ = 0, depth_ = 0;
  Datapath datapath_{};
};

}  // namespace mxref::accelerator
