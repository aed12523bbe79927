#include "emu/systemc/mx_accelerator.h"

namespace mxref {

using namespace accelerator;

MxAccelerator::MxAccelerator(const sc_core::sc_module_name& name, const Design& design)
    : sc_module(name), design_(design), host_(design_), array_("array", design_.array) {
  array_.clk_i(clk_i);
  bind(array_, array_pins_);
  row_.data.resize(size_t(design_.array.shape.cols));
  SC_METHOD(rising_edge);
  sensitive << clk_i.pos();
  dont_initialize();
  SC_METHOD(drive_array);
  sensitive << rst_ni << m_axis_tready_i << registers_changed_;
}

bool MxAccelerator::host_writes_memory() const {
  return bus_.writes() && host_.write_error(bus_.aw_addr, bus_.is_whole(), running_) == 0 &&
         place_of(design_, bus_.aw_addr).region != region("registers");
}

bool MxAccelerator::stream_is_blocked() const {
  return packet_.writes() && (host_writes_memory() || running_.uses(packet_.place.buffer));
}

bool MxAccelerator::row_ready() const {
  return !running_.job.stream || ((!row_.valid || m_axis_tready_i.read()) && !row_.cuts);
}

// Everything that happens at the edge follows from the registers before it, so what it is comes
// first and the registers change behind it.
void MxAccelerator::rising_edge() {
  if (!rst_ni.read()) return reset();
  const bool writes = bus_.writes(), reads = bus_.read == Bus::fetch;
  uint8_t error = 0;
  const bool beat_taken = beat_valid_ && array_pins_.in_ready.read();
  const bool row_taken = array_pins_.out_valid.read() && row_ready();
  const bool fetches = running_.busy && running_.blocks_left > 0 && (!beat_valid_ || beat_taken);
  const bool tile_done = row_taken && array_pins_.out_last.read();
  bool done = running_.job.last ? running_.busy && tile_done
                                : running_.busy && running_.blocks_left == 0 && beat_taken;
  const bool packet_ended = stream_leaves() && packet_.last;
  const Running before = running_;

  // Reads of the memory see it as it was.
  if (fetches) fetch();
  const uint32_t read_word = reads ? host_.read(bus_.ar_addr, before) : 0;
  HostSide::Request request;
  const uint8_t write_error =
      writes ? host_.write_error(bus_.aw_addr, bus_.is_whole(), before) : uint8_t(0);
  if (writes && write_error == 0) request = host_.request_of(bus_.aw_addr, bus_.w_data);
  const uint8_t start_error = request.start ? host_.start_error(before) : uint8_t(0);
  const bool starts = request.start && start_error == 0;
  done = done && !request.abort;

  move_packet(error);
  if (reads && host_.read_error(bus_.ar_addr)) error = host_.read_error(bus_.ar_addr);
  if (write_error) error = write_error;
  if (start_error) error = start_error;
  if (request.clears_error) host_.clear_error();
  if (error) host_.raise(error);
  if (done)
    host_.set_done(true);
  else if (starts || request.clears_done)
    host_.set_done(false);
  count(beat_taken, row_taken, packet_ended);
  if (request.clears_counters) host_.counters = {};
  if (row_taken)
    for (int c = 0; c < design_.array.shape.cols; ++c)
      host_.set_memory_word(
          {true, region("d"), before.job.result_buffer, int(array_pins_.out_row.read()), c, 0},
          array_pins_.out_data.read()[size_t(c)]);
  move_row(row_taken, request.abort);

  if (fetches) --running_.blocks_left;
  beat_valid_ = fetches || (beat_valid_ && !beat_taken);
  if (starts) {
    running_ = running_.with(host_.next_job());
  } else if (done) {
    running_.busy = false;
    running_.open = !running_.job.last;
  }
  if (request.abort) running_.busy = running_.open = beat_valid_ = false;
  if (writes && write_error == 0) host_.write(bus_.aw_addr, bus_.w_data);
  if (writes) bus_.b_resp = HostSide::answer(write_error);
  if (reads) {
    bus_.r_resp = HostSide::answer(host_.read_error(bus_.ar_addr));
    bus_.r_data = read_word;
  }
  move_bus();
  drive_outputs();
}

void MxAccelerator::reset() {
  host_.reset();
  running_.busy = running_.open = beat_valid_ = false;
  running_.blocks_left = 0;
  bus_.aw_valid = bus_.w_valid = bus_.b_valid = false;
  bus_.read = Bus::idle;
  packet_.valid = packet_.inside = packet_.skips = packet_.past_end = false;
  row_.valid = row_.in_packet = row_.cuts = false;
  drive_outputs();
}

void MxAccelerator::fetch() {
  ArrayInputs pins(design_.array);
  host_.put_beat(running_.job, int(running_.job.blocks - running_.blocks_left), pins);
  const auto put = [](auto& signal, const auto& lanes) {
    std::decay_t<decltype(signal.read())> value;
    value.assign(lanes.begin(), lanes.end());
    signal.write(value);
  };
  array_pins_.in_first.write(pins.in_first);
  array_pins_.in_last.write(pins.in_last);
  array_pins_.in_preload.write(pins.in_preload);
  array_pins_.in_lanes.write(pins.in_lanes);
  array_pins_.format_a.write(pins.format_a);
  array_pins_.format_b.write(pins.format_b);
  array_pins_.out_type.write(uint8_t(pins.out_type));
  put(array_pins_.a_codes, pins.a_codes);
  put(array_pins_.a_scales, pins.a_scales);
  put(array_pins_.b_codes, pins.b_codes);
  put(array_pins_.b_scales, pins.b_scales);
  put(array_pins_.c, pins.c);
}

// The word in the register leaves, and the next is taken.
void MxAccelerator::move_packet(uint8_t& error) {
  const bool leaves = stream_leaves(), ready = !packet_.valid || leaves;
  if (leaves && !packet_.inside) {
    packet_.place = place_of(design_, packet_.data);
    const uint32_t r = packet_.place.region;
    packet_.skips = !packet_.place.is_mapped || r == region("registers") || r == region("d");
    packet_.past_end = false;
    if (packet_.skips) error = error_code("stream_address");
  } else if (leaves && packet_.writes()) {
    host_.set_memory_word(packet_.place, packet_.data);
    packet_.past_end = !advance(design_, packet_.place);
  } else if (leaves && !packet_.skips) {
    error = error_code("stream_too_long");
    packet_.skips = true;
  }
  if (leaves) packet_.inside = !packet_.last;
  if (!ready) return;
  packet_.valid = s_axis_tvalid_i.read();
  if (!packet_.valid) return;
  packet_.data = s_axis_tdata_i.read();
  packet_.last = s_axis_tlast_i.read();
}

// The end of a packet that was cut off leaves before rows of the next; its data mean nothing.
void MxAccelerator::move_row(bool row_taken, bool aborts) {
  if (row_taken && running_.job.stream) {
    row_.valid = true;
    row_.is_cut = false;
    row_.last = array_pins_.out_last.read();
    row_.data = array_pins_.out_data.read();
    row_.in_packet = !row_.last;
  } else if (row_.cuts && (!row_.valid || m_axis_tready_i.read())) {
    row_.valid = row_.last = row_.is_cut = true;
    row_.cuts = false;
  } else if (m_axis_tready_i.read()) {
    row_.valid = false;
  }
  if (!aborts) return;
  row_.cuts = row_.cuts || row_.in_packet;
  row_.in_packet = false;
}

void MxAccelerator::move_bus() {
  const bool writes = bus_.writes();
  if (s_axi_awvalid_i.read() && !bus_.aw_valid) {
    bus_.aw_valid = true;
    bus_.aw_addr = s_axi_awaddr_i.read();
  } else if (writes) {
    bus_.aw_valid = false;
  }
  if (s_axi_wvalid_i.read() && !bus_.w_valid) {
    bus_.w_valid = true;
    bus_.w_data = s_axi_wdata_i.read();
    bus_.w_strb = s_axi_wstrb_i.read();
  } else if (writes) {
    bus_.w_valid = false;
  }
  if (writes)
    bus_.b_valid = true;
  else if (s_axi_bready_i.read())
    bus_.b_valid = false;

  switch (bus_.read) {
    case Bus::idle:
      if (!s_axi_arvalid_i.read()) break;
      bus_.ar_addr = s_axi_araddr_i.read();
      bus_.read = Bus::fetch;
      break;
    case Bus::fetch:
      bus_.read = Bus::select;
      break;
    case Bus::select:
      bus_.read = Bus::answer;
      break;
    case Bus::answer:
      if (s_axi_rready_i.read()) bus_.read = Bus::idle;
      break;
  }
}

void MxAccelerator::count(bool beat_taken, bool row_taken, bool packet_ended) {
  Counters& counters = host_.counters;
  counters.busy_cycles += running_.busy;
  counters.stalled_cycles += beat_valid_ && !beat_taken;
  counters.beats += beat_taken;
  counters.rows_out += row_taken;
  counters.packets += packet_ended;
}

void MxAccelerator::drive_array() {
  array_pins_.rst_n.write(rst_ni.read() && !aborts_.read());
  array_pins_.out_ready.write(row_ready());
}

void MxAccelerator::drive_outputs() {
  s_axi_awready_o.write(!bus_.aw_valid);
  s_axi_wready_o.write(!bus_.w_valid);
  s_axi_bvalid_o.write(bus_.b_valid);
  s_axi_bresp_o.write(bus_.b_resp);
  s_axi_arready_o.write(bus_.read == Bus::idle);
  s_axi_rvalid_o.write(bus_.read == Bus::answer);
  s_axi_rresp_o.write(bus_.r_resp);
  s_axi_rdata_o.write(bus_.r_data);
  s_axis_tready_o.write(!packet_.valid || stream_leaves());
  m_axis_tvalid_o.write(row_.valid);
  m_axis_tdata_o.write(row_.data);
  m_axis_tlast_o.write(row_.last);
  m_axis_tuser_o.write(row_.is_cut);
  irq_o.write(host_.interrupt());
  array_pins_.in_valid.write(beat_valid_);
  aborts_.write(bus_.writes() && host_.write_error(bus_.aw_addr, bus_.is_whole(), running_) == 0 &&
                host_.request_of(bus_.aw_addr, bus_.w_data).abort);
  registers_changed_.notify(sc_core::SC_ZERO_TIME);
}

}  // namespace mxref
