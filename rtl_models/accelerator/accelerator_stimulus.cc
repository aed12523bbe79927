#include "rtl_models/accelerator/accelerator_stimulus.h"

#include <iterator>

namespace mxref {

using namespace accelerator;

AcceleratorStimulus::AcceleratorStimulus(const Design& design, uint64_t seed)
    : design_(design), random_(seed) {}

const Inputs& AcceleratorStimulus::next(const Outputs& out) {
  constexpr uint64_t cycles_between_resets = 5000;
  if (reset_cycles_ == 0 && below(cycles_between_resets) == 0) reset_cycles_ = 1 + int(below(3));
  if (reset_cycles_ > 0) {
    reset();
    return pins_;
  }
  if (pins_.rst_n) count_transfers();
  pins_.rst_n = true;
  at_edge_ = out;
  if (phase_cycles_-- == 0) {
    constexpr int stalls[] = {0, 0, 20, 60, 90};
    phase_cycles_ = 100 + int(below(300));
    stall_percent_ = stalls[below(std::size(stalls))];
  }
  if (actions_.empty()) plan();
  put_write();
  put_read();
  put_stream();
  pins_.bready = !chance(stall_percent_);
  pins_.rready = !chance(stall_percent_);
  pins_.m_tready = !chance(stall_percent_) && hold_cycles_ == 0;
  if (hold_cycles_ > 0) --hold_cycles_;
  return pins_;
}

// In reset no valid is high; all that was planned is forgotten.
void AcceleratorStimulus::reset() {
  --reset_cycles_;
  pins_ = Inputs{};
  pins_.rst_n = false;
  pins_.bready = chance(50);
  pins_.m_tready = chance(50);
  actions_.clear();
  stream_.clear();
  hold_cycles_ = 0;
  address_half_.clear();
  data_half_.clear();
  writes_open_ = 0;
  read_address_ = ~0u;
  status_is_fresh_ = false;
}

// What the last edge moved.
void AcceleratorStimulus::count_transfers() {
  const Outputs& out = at_edge_;
  if (pins_.awvalid && out.awready) {
    pins_.awvalid = false;
    address_half_.pop_front();
  }
  if (pins_.wvalid && out.wready) {
    pins_.wvalid = false;
    data_half_.pop_front();
  }
  if (out.bvalid && pins_.bready) --writes_open_;
  if (pins_.arvalid && out.arready) pins_.arvalid = false;
  if (out.rvalid && pins_.rready) {
    if (read_address_ == register_offset("status")) {
      status_ = out.rdata;
      status_is_fresh_ = true;
    }
    read_address_ = ~0u;
  }
  if (pins_.s_tvalid && out.s_tready) {
    pins_.s_tvalid = false;
    stream_.pop_front();
  }
}

void AcceleratorStimulus::put_write() {
  while (!actions_.empty()) {
    Action& action = actions_.front();
    if (action.kind == Action::wait) {
      if (action.cycles-- > 0) break;
    } else if (action.kind == Action::wait_idle) {
      if (writes_open_ > 0 || !status_is_fresh_ || get(field("status.busy"), status_)) break;
    } else if (action.kind == Action::hold_results) {
      hold_cycles_ = action.cycles;
    } else {
      if (writes_open_ >= 3) break;
      address_half_.push_back(action.data);
      data_half_.push_back(action.data);
      ++writes_open_;
      status_is_fresh_ = false;
    }
    actions_.pop_front();
  }
  if (!pins_.awvalid && !address_half_.empty() && !chance(stall_percent_)) {
    pins_.awvalid = true;
    pins_.awaddr = address_half_.front().address;
  }
  if (!pins_.wvalid && !data_half_.empty() && !chance(stall_percent_)) {
    pins_.wvalid = true;
    pins_.wdata = data_half_.front().data;
    pins_.wstrb = data_half_.front().strobes;
  }
}

void AcceleratorStimulus::put_read() {
  if (read_address_ != ~0u || pins_.arvalid) return;
  const bool waits = !actions_.empty() && actions_.front().kind == Action::wait_idle;
  if (!waits && chance(50)) return;
  // A status that was read before the last write is none.
  if (waits || chance(30))
    pins_.araddr = writes_open_ == 0 || !waits ? register_offset("status") : 0;
  else if (chance(40))
    pins_.araddr = registers[below(registers.size())].offset;
  else if (chance(10))
    pins_.araddr = wrong_place();
  else
    pins_.araddr = random_place(/*is_operand=*/false);
  pins_.arvalid = true;
  read_address_ = pins_.araddr;
}

void AcceleratorStimulus::put_stream() {
  if (pins_.s_tvalid || chance(stall_percent_)) return;
  if (stream_.empty()) {
    if (!chance(2)) return;
    plan_packet();
  }
  pins_.s_tvalid = true;
  std::tie(pins_.s_tdata, pins_.s_tlast) = stream_.front();
}

uint32_t AcceleratorStimulus::random_place(bool is_operand) {
  for (;;) {
    const uint32_t address = address_of(uint32_t(1 + below(is_operand ? 5 : 6)), int(below(2)),
                                        int(below(uint64_t(design_.depth))),
                                        int(below(uint64_t(design_.array.shape.cols))), 0) +
                             uint32_t(below(8) * 4);
    if (place_of(design_, address).is_mapped) return address;
  }
}

// A bit beside a place: mostly of a row, block or region that is not there. Or any address.
uint32_t AcceleratorStimulus::wrong_place() {
  if (chance(30)) return uint32_t(below(1u << address_bits));
  return random_place(/*is_operand=*/false) ^ 1u << below(address_bits);
}

// Scales near 1, so that sums are numbers; all others now and then.
uint32_t AcceleratorStimulus::random_word(uint32_t address) {
  const uint32_t r = address >> region_shift;
  const bool is_scale = r == region("a_scales") || r == region("b_scales");
  if (is_scale && !chance(10)) return uint32_t(120 + below(16));
  return uint32_t(random_());
}

void AcceleratorStimulus::plan() {
  if (chance(20)) {  // some words of a buffer
    for (uint64_t i = below(8); i > 0; --i) {
      const uint32_t address = random_place(/*is_operand=*/true);
      add(address, random_word(address));
    }
  }
  if (chance(30)) add(register_offset("interrupt"), uint32_t(below(4)));
  if (chance(25)) plan_mistake();
  if (chance(50)) add(register_offset("status"), uint32_t(random_()));
  if (chance(4))
    plan_cut();
  else
    plan_job();
  if (chance(5)) add(register_offset("control"), uint32_t(random_()));
  if (chance(40)) actions_.push_back({Action::wait, {}, int(below(40))});
}

void AcceleratorStimulus::plan_job() {
  if (!chance(15)) {
    actions_.push_back({Action::wait_idle});
    actions_.push_back({Action::wait, {}, int(below(3))});
  }
  const bool is_open = get(field("status.open"), status_);
  uint32_t a = uint32_t(below(block_formats.size())), b = uint32_t(below(block_formats.size()));
  if (block_formats[a].scale != block_formats[b].scale && !chance(10)) b = a;
  const uint32_t length = uint32_t(block_formats[a].block);
  const bool is_last = chance(60), is_first = !is_open;
  uint32_t job =
      put(field("job.first"), is_first) | put(field("job.last"), is_last) |
      put(field("job.preload"), chance(is_first ? 50 : 4)) |
      (uint32_t(random_()) &
       (mask(field("job.buffer")) | mask(field("job.result_buffer")) | mask(field("job.stream"))));
  uint32_t formats = put(field("formats.a"), a) | put(field("formats.b"), b) |
                     put(field("formats.out_type"), uint32_t(below(3)));
  uint32_t elements = is_last && chance(50) ? uint32_t(1 + below(length)) : length;
  uint32_t blocks = uint32_t(1 + below(uint64_t(design_.depth)));
  if (chance(15)) {  // one thing is wrong, or just other
    switch (below(6)) {
      case 0:
        formats = uint32_t(random_());
        break;
      case 1:
        formats |= mask(field("formats.out_type"));
        break;
      case 2:
        blocks = chance(50) ? 0 : uint32_t(below(256));
        break;
      case 3:
        elements = chance(50) ? 0 : uint32_t(below(256));
        break;
      default:
        job = uint32_t(random_());
    }
  }
  // A job that goes on has its tile's formats, nearly always.
  if (!is_open || chance(5)) add(register_offset("formats"), formats);
  add(register_offset("job"), job);
  add(register_offset("length"),
      put(field("length.blocks"), blocks) | put(field("length.last_elements"), elements));
  add(register_offset("control"), mask(field("control.start")));
  if (chance(8)) {
    actions_.push_back({Action::wait, {}, int(below(12))});
    add(register_offset("control"), mask(field("control.abort")));
  }
}

// A tile whose rows the stream does not take is aborted, and the next one's rows wait behind it.
void AcceleratorStimulus::plan_cut() {
  const auto length = uint32_t(block_formats[0].block);
  const auto start = [&] {
    add(register_offset("control"), mask(field("control.start")));
    actions_.push_back({Action::wait, {}, int(below(150))});
  };
  actions_.push_back({Action::wait_idle});
  actions_.push_back({Action::hold_results, {}, 200 + int(below(400))});
  add(register_offset("control"), mask(field("control.abort")));
  add(register_offset("formats"), 0);
  add(register_offset("length"),
      put(field("length.blocks"), 1) | put(field("length.last_elements"), length));
  add(register_offset("job"),
      mask(field("job.first")) | mask(field("job.last")) | mask(field("job.stream")));
  start();
  add(register_offset("control"), mask(field("control.abort")));
  start();
}

void AcceleratorStimulus::plan_mistake() {
  switch (below(4)) {
    case 0:
      add(registers[below(registers.size())].offset, uint32_t(random_()) & ~3u);
      break;
    case 1:
      add(wrong_place(), uint32_t(random_()));
      break;
    case 2:
      actions_.push_back(
          {Action::write, {random_place(false), uint32_t(random_()), uint8_t(below(16))}});
      break;
    default:
      add(random_place(/*is_operand=*/false), uint32_t(random_()));
  }
}

// An operand of some length, from some place on; a wrong address or too many words now and then.
void AcceleratorStimulus::plan_packet() {
  uint32_t header = random_place(/*is_operand=*/true);
  if (chance(60)) header = address_of(uint32_t(1 + below(5)), int(below(2)), 0, 0);
  if (chance(10)) header = chance(50) ? wrong_place() : uint32_t(random_()) >> below(16);
  Place place = place_of(design_, header);
  stream_.emplace_back(header, chance(3));
  bool is_last = stream_.back().second;
  while (!is_last) {
    const uint32_t address = place.is_mapped ? address_of(place) : 0;
    place.is_mapped = place.is_mapped && advance(design_, place);
    is_last = place.is_mapped ? chance(2) : chance(60);
    stream_.emplace_back(random_word(address), is_last);
  }
}

}  // namespace mxref
