#include "emu/accelerator/functional.h"

namespace mxref::accelerator {

Functional::Functional(const Design& design)
    : design_(design), host_(design_), cutter_(design_.array), accumulators_(design_.array) {}

uint8_t Functional::write(uint32_t address, uint32_t data, bool is_whole) {
  const uint8_t error = host_.write_error(address, is_whole, running_);
  if (error != 0) {
    host_.raise(error);
    return HostSide::answer(error);
  }
  const HostSide::Request request = host_.request_of(address, data);
  host_.write(address, data);
  if (request.clears_counters) host_.counters = {};
  if (request.clears_done) host_.set_done(false);
  if (request.clears_error) host_.clear_error();
  if (request.abort) {
    running_.busy = running_.open = false;
    cutter_.reset();
  }
  if (request.start) {
    const uint8_t wrong = host_.start_error(running_);
    host_.raise(wrong);
    if (wrong == 0) start();
  }
  return okay;
}

uint8_t Functional::read(uint32_t address, uint32_t& data) {
  const uint8_t error = host_.read_error(address);
  host_.raise(error);
  data = host_.read(address, running_);
  return HostSide::answer(error);
}

// The whole job at once; until it is finished its operands may not be written.
void Functional::start() {
  host_.set_done(false);
  running_ = running_.with(host_.next_job());
  const Job& job = running_.job;
  const ArrayShape shape = design_.array.shape;
  ArrayInputs pins(design_.array);
  int64_t steps = 0, steps_before_last_block = 0;
  for (int block = 0; block < int(job.blocks); ++block) {
    steps_before_last_block = steps;
    host_.put_beat(job, block, pins);
    take_beat(pins, beat_);
    for (bool is_last = false; !is_last; ++steps) {
      is_last = cutter_.is_last(beat_);
      ArrayStep step = cutter_.next(beat_);
      if (step.continues)
        append(step_, step);
      else
        step_ = std::move(step);
      if (step_.is_full) accumulators_.apply(step_);
    }
  }
  if (job.last)
    for (int r = 0; r < shape.rows; ++r)
      for (int c = 0; c < shape.cols; ++c)
        host_.set_memory_word(
            {true, region("d"), job.result_buffer, r, c, 0},
            to_out_type(accumulators_.values()[size_t(r) * size_t(shape.cols) + size_t(c)],
                        OutType(job.out_type)));
  // A cycle to read the first block, one for each step until the last beat is taken. A tile's last
  // step stands in the result buffer four cycles after it stood in the beat's register, where it
  // leaves a row a cycle (rtl_models/README.md).
  job_cycles_ = job.last ? 4 + steps + shape.rows : 2 + steps_before_last_block;
}

void Functional::finish() {
  if (!running_.busy) return;
  const Job& job = running_.job;
  running_.busy = false;
  running_.open = !job.last;
  running_.blocks_left = 0;
  host_.set_done(true);
  host_.counters.busy_cycles += uint32_t(job_cycles_);
  host_.counters.beats += job.blocks;
  if (job.last) host_.counters.rows_out += uint32_t(design_.array.shape.rows);
}

}  // namespace mxref::accelerator
