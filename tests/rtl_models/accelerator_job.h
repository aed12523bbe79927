#pragma once
// A job of the accelerator, its start by the registers, and a stand-in for the hardware.

#include "emu/accelerator/driver.h"
#include "emu/accelerator/functional.h"
#include "emu/accelerator/host_side.h"

namespace mxref::accelerator {

inline const Job good_job{.first = true, .last = true, .blocks = 3, .last_elements = 32};

// What the job registers hold, as one starts it.
inline void start(Mmio& mmio, const Job& job) {
  mmio.write32(register_offset("job"),
               put(field("job.first"), job.first) | put(field("job.last"), job.last) |
                   put(field("job.preload"), job.preload) | put(field("job.stream"), job.stream));
  mmio.write32(register_offset("formats"), put(field("formats.a"), job.format_a) |
                                               put(field("formats.b"), job.format_b) |
                                               put(field("formats.out_type"), job.out_type));
  mmio.write32(register_offset("length"),
               put(field("length.blocks"), job.blocks) |
                   put(field("length.last_elements"), job.last_elements));
  mmio.write32(register_offset("control"), mask(field("control.start")));
}

// A stand-in for hardware: a job ends when the status is read for the second time.
class StubMmio : public Mmio {
 public:
  explicit StubMmio(const Design& design) : functional(design) {}
  uint32_t read32(uint32_t address) override {
    ++reads;
    if (address == register_offset("status") && ends_jobs && ++polls % 2 == 0) functional.finish();
    uint32_t data = 0;
    if (const uint8_t answer = functional.read(address, data))
      throw bus_error(false, address, 0, answer);
    if (address == register_offset("identity")) return data ^ wrong_identity;
    return data;
  }
  void write32(uint32_t address, uint32_t data) override {
    ++writes;
    if (const uint8_t answer = functional.write(address, data))
      throw bus_error(true, address, data, answer);
  }
  Functional functional;
  bool ends_jobs = true;
  uint32_t wrong_identity = 0;
  int64_t reads = 0, writes = 0, polls = 0;
};

}  // namespace mxref::accelerator
