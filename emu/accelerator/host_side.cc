#include "emu/accelerator/host_side.h"

#include <algorithm>
#include <string>

namespace mxref::accelerator {
namespace {

bool is_codes(uint32_t r) { return r == region("a_codes") || r == region("b_codes"); }
bool is_scales(uint32_t r) { return r == region("a_scales") || r == region("b_scales"); }
bool is_of_a(uint32_t r) { return r == region("a_codes") || r == region("a_scales"); }

constexpr uint32_t low_bits(uint32_t word, int count) { return word & ((1u << count) - 1); }

const Register* register_at(uint32_t offset) {
  const auto found = std::ranges::find(registers, offset, &Register::offset);
  return found == registers.end() ? nullptr : &*found;
}
bool is_writable(const Register& r) {
  return r.access != Access::read_only || r.offset == register_offset("status");
}

// Sizes of a region: of its majors, its minors, the words of one.
struct Extent {
  int major, minor, word;
};
Extent extent_of(const Design& design, uint32_t r) {
  const ArrayShape shape = design.array.shape;
  if (is_codes(r) || is_scales(r))
    return {design.depth, is_of_a(r) ? shape.rows : shape.cols,
            is_codes(r) ? design.array.lanes() / 4 : 1};
  return {shape.rows, shape.cols, 1};
}

}  // namespace

Place place_of(const Design& design, uint32_t address) {
  Place place;
  place.region = address >> region_shift;
  if (address >= regions.size() << region_shift || address % 4 != 0) return place;
  const uint32_t offset = low_bits(address, region_shift);
  if (place.region == region("registers")) {
    place.is_mapped = register_at(offset) != nullptr;
    return place;
  }
  place.buffer = int(offset >> buffer_shift);
  uint32_t index = low_bits(offset, buffer_shift) / 4;
  if (is_codes(place.region)) {
    place.word = int(low_bits(index, word_bits));
    index >>= word_bits;
  }
  place.minor = int(low_bits(index, minor_bits));
  place.major = int(index >> minor_bits);  // what must be zero is above all extents
  const Extent extent = extent_of(design, place.region);
  place.is_mapped =
      place.major < extent.major && place.minor < extent.minor && place.word < extent.word;
  return place;
}

uint32_t address_of(const Place& place) {
  uint32_t index = uint32_t(place.major) << minor_bits | uint32_t(place.minor);
  if (is_codes(place.region)) index = index << word_bits | uint32_t(place.word);
  return place.region << region_shift | uint32_t(place.buffer) << buffer_shift | index * 4;
}

bool advance(const Design& design, Place& place) {
  const Extent extent = extent_of(design, place.region);
  if (++place.word < extent.word) return true;
  place.word = 0;
  if (++place.minor < extent.minor) return true;
  place.minor = 0;
  return ++place.major < extent.major;
}

HostSide::HostSide(const Design& design) : design_(design), memory_(1u << (address_bits - 2)) {
  const auto check = [](const char* what, int value, int most) {
    if (value < 1 || value > most)
      throw UsageError("an accelerator of " + std::to_string(value) + " " + what + ": from 1 to " +
                       std::to_string(most));
  };
  check("rows", design.array.shape.rows, max_rows);
  check("columns", design.array.shape.cols, max_cols);
  check("blocks in a buffer", design.depth, max_depth);
}

uint8_t HostSide::write_error(uint32_t address, bool is_whole, const Running& running) const {
  const Place place = place_of(design_, address);
  if (!place.is_mapped) return error_code("unmapped");
  if (!is_whole) return error_code("partial_write");
  const bool is_register = place.region == region("registers");
  if (is_register ? !is_writable(*register_at(address)) : place.region == region("d"))
    return error_code("read_only");
  if (!is_register && running.uses(place.buffer)) return error_code("buffer_in_use");
  return 0;
}

uint8_t HostSide::read_error(uint32_t address) const {
  return place_of(design_, address).is_mapped ? 0 : error_code("unmapped");
}

uint8_t HostSide::answer(uint8_t error) {
  return error == 0 ? okay : error == error_code("unmapped") ? decerr : slverr;
}

HostSide::Request HostSide::request_of(uint32_t address, uint32_t data) const {
  Request request;
  if (address == register_offset("control")) {
    request.abort = get(field("control.abort"), data);
    request.start = get(field("control.start"), data) && !request.abort;
    request.clears_counters = get(field("control.clear_counters"), data);
  } else if (address == register_offset("status")) {
    request.clears_done = get(field("status.done"), data);
    request.clears_error = get(field("status.error"), data);
  }
  return request;
}

void HostSide::write(uint32_t address, uint32_t data) {
  const Place place = place_of(design_, address);
  if (place.region != region("registers")) return set_memory_word(place, data);
  const uint32_t kept = data & writable_bits(*register_at(address));
  if (address == register_offset("interrupt")) interrupt_ = kept;
  if (address == register_offset("job")) job_ = kept;
  if (address == register_offset("formats")) formats_ = kept;
  if (address == register_offset("length")) length_ = kept;
}

// A scale has a byte: the rest of its word is not there, whoever wrote it.
uint32_t HostSide::memory_word(const Place& place) const {
  const uint32_t word = memory_[address_of(place) / 4];
  return is_scales(place.region) ? word & 0xFF : word;
}

uint32_t HostSide::read(uint32_t address, const Running& running) const {
  const Place place = place_of(design_, address);
  if (!place.is_mapped) return 0;
  if (place.region == region("registers")) return read_register(address, running);
  return memory_word(place);
}

uint32_t HostSide::read_register(uint32_t offset, const Running& running) const {
  const ArrayDesign& array = design_.array;
  // What belongs to `aligned` alone reads as zeros elsewhere.
  const bool is_aligned = array.datapath->kind == Accumulation::aligned;
  const Alignment alignment = is_aligned ? array.datapath->alignment : Alignment{.group = 0};
  switch (offset) {
    case register_offset("identity"):
      return identity_word;
    case register_offset("version"):
      return put(field("version.major"), version_major) |
             put(field("version.minor"), version_minor);
    case register_offset("sets"):
      return put(field("sets.a"), uint32_t(array.formats_a.to_ulong())) |
             put(field("sets.b"), uint32_t(array.formats_b.to_ulong()));
    case register_offset("datapath"):
      return put(field("datapath.kind"), uint32_t(array.datapath->kind)) |
             put(field("datapath.ftz"), array.datapath->ftz) |
             put(field("datapath.rounding"), uint32_t(alignment.output)) |
             put(field("datapath.group"), uint32_t(alignment.group)) |
             put(field("datapath.terms"), uint32_t(alignment.terms));
    case register_offset("alignment"):
      return put(field("alignment.fraction_bits"), uint32_t(alignment.fraction_bits)) |
             put(field("alignment.e_zero"), uint32_t(alignment.e_zero));
    case register_offset("shape"):
      return put(field("shape.rows"), uint32_t(array.shape.rows)) |
             put(field("shape.cols"), uint32_t(array.shape.cols)) |
             put(field("shape.lanes"), uint32_t(array.lanes())) |
             put(field("shape.depth"), uint32_t(design_.depth));
    case register_offset("status"):
      return put(field("status.busy"), running.busy) | put(field("status.open"), running.open) |
             put(field("status.done"), done_) | put(field("status.error"), error_code_ != 0) |
             put(field("status.error_code"), error_code_);
    case register_offset("interrupt"):
      return interrupt_;
    case register_offset("job"):
      return job_;
    case register_offset("formats"):
      return formats_;
    case register_offset("length"):
      return length_;
    case register_offset("busy_cycles"):
      return counters.busy_cycles;
    case register_offset("stalled_cycles"):
      return counters.stalled_cycles;
    case register_offset("beats"):
      return counters.beats;
    case register_offset("rows_out"):
      return counters.rows_out;
    case register_offset("packets"):
      return counters.packets;
    default:
      return 0;
  }
}

Job HostSide::next_job() const {
  return {.first = get(field("job.first"), job_) != 0,
          .last = get(field("job.last"), job_) != 0,
          .preload = get(field("job.preload"), job_) != 0,
          .stream = get(field("job.stream"), job_) != 0,
          .buffer = int(get(field("job.buffer"), job_)),
          .result_buffer = int(get(field("job.result_buffer"), job_)),
          .format_a = get(field("formats.a"), formats_),
          .format_b = get(field("formats.b"), formats_),
          .out_type = get(field("formats.out_type"), formats_),
          .blocks = get(field("length.blocks"), length_),
          .last_elements = get(field("length.last_elements"), length_)};
}

uint8_t HostSide::start_error(const Running& running) const {
  const Job job = next_job();
  if (running.busy) return error_code("start_while_busy");
  if (job.format_a >= block_formats.size() || job.format_b >= block_formats.size())
    return error_code("unknown_format");
  if (!design_.array.formats_a[job.format_a] || !design_.array.formats_b[job.format_b])
    return error_code("format_not_built");
  const BlockFormat &a = block_formats[job.format_a], &b = block_formats[job.format_b];
  if (a.has_tensor_scale() != b.has_tensor_scale()) return error_code("formats_do_not_meet");
  if (job.out_type > uint32_t(OutType::f16)) return error_code("unknown_out_type");
  if (job.blocks == 0) return error_code("no_blocks");
  if (job.blocks > uint32_t(design_.depth)) return error_code("too_many_blocks");
  if (job.last_elements == 0 || job.last_elements > uint32_t(a.block))
    return error_code("bad_last_elements");
  if (job.last_elements != uint32_t(a.block) && !job.last) return error_code("short_block_inside");
  if (job.first && running.open) return error_code("tile_already_open");
  if (!job.first && !running.open) return error_code("no_tile_open");
  if (!job.first && job.preload) return error_code("preload_without_first");
  const Job& open = running.job;
  if (!job.first && (job.format_a != open.format_a || job.format_b != open.format_b ||
                     job.out_type != open.out_type))
    return error_code("formats_changed");
  if (running.with(job).tile_blocks > design_.array.most_blocks())
    return error_code("tile_too_long");
  return 0;
}

void HostSide::raise(uint8_t error) {
  if (error_code_ == 0) error_code_ = error;
}

bool HostSide::interrupt() const {
  return (done_ && get(field("interrupt.done"), interrupt_)) ||
         (error_code_ != 0 && get(field("interrupt.error"), interrupt_));
}

void HostSide::reset() {
  interrupt_ = job_ = formats_ = length_ = 0;
  done_ = false;
  error_code_ = 0;
  counters = {};
}

void HostSide::put_beat(const Job& job, int block, ArrayInputs& pins) const {
  const auto lanes = size_t(design_.array.lanes());
  const auto put_side = [&](uint32_t codes_region, uint32_t scales_region, int rows,
                            std::vector<uint8_t>& codes, std::vector<uint8_t>& scales) {
    for (int row = 0; row < rows; ++row) {
      for (size_t i = 0; i < lanes; ++i) {
        const Place place{true, codes_region, job.buffer, block, row, int(i / 4)};
        codes[size_t(row) * lanes + i] = uint8_t(memory_word(place) >> i % 4 * 8);
      }
      scales[size_t(row)] = uint8_t(memory_word({true, scales_region, job.buffer, block, row, 0}));
    }
  };
  const ArrayShape shape = design_.array.shape;
  put_side(region("a_codes"), region("a_scales"), shape.rows, pins.a_codes, pins.a_scales);
  put_side(region("b_codes"), region("b_scales"), shape.cols, pins.b_codes, pins.b_scales);
  for (int r = 0; r < shape.rows; ++r)
    for (int c = 0; c < shape.cols; ++c)
      pins.c[size_t(r) * size_t(shape.cols) + size_t(c)] =
          memory_word({true, region("c"), job.buffer, r, c, 0});
  pins.in_first = job.first && block == 0;
  pins.in_last = job.last && block == int(job.blocks) - 1;
  pins.in_preload = job.preload;
  pins.in_lanes =
      uint8_t(block == int(job.blocks) - 1 ? job.last_elements : block_formats[job.format_a].block);
  pins.format_a = uint8_t(job.format_a);
  pins.format_b = uint8_t(job.format_b);
  pins.out_type = OutType(job.out_type);
}

}  // namespace mxref::accelerator
