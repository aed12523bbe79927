#pragma once
// A job of the accelerator, and its start by the registers.

#include "emu/accelerator/driver.h"
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

}  // namespace mxref::accelerator
