#pragma once
// What a host sees of the accelerator: registers, regions of the tile memory, error codes. This
// table is the one source: the SystemVerilog package, the C header and the memory map in
// rtl_models/accelerator/README.md are printed from it, and the models and the driver look up here.
// To add a register, a field or an error, add a row (and what it does).

#include <array>
#include <cstdint>
#include <string_view>

#include "emu/error.h"

namespace mxref::accelerator {

inline constexpr uint32_t identity_word = 0x4D585246;  // "MXRF"
inline constexpr uint32_t version_major = 1, version_minor = 0;

// --- addresses of bytes: {region, offset in it}
inline constexpr int address_bits = 20;
inline constexpr int region_shift = 17;
// The offset of a word in a region of the tile memory, whatever the array's shape: {buffer, major,
// minor, word, two zeros}. Of codes major is the block, minor the row (of B: the column), a word
// four codes. Of scales {buffer, block, row, two zeros}: one in the low byte of a word. Of C and D
// {buffer, row, column, two zeros}.
inline constexpr int buffer_shift = 16;
inline constexpr int word_bits = 3;
inline constexpr int minor_bits = 5;  // 32 rows or columns at most
inline constexpr int major_bits = 6;  // 64 blocks at most
inline constexpr int max_rows = 1 << minor_bits, max_cols = max_rows, max_depth = 1 << major_bits;
static_assert(2 + word_bits + minor_bits + major_bits == buffer_shift);
static_assert(buffer_shift + 1 == region_shift && region_shift + 3 == address_bits);

enum class Access {
  read_only,
  read_write,
  write_only,     // reads as 0
  write_1_clear,  // a field that hardware sets
};
inline constexpr std::array access_words{"RO", "RW", "WO", "W1C"};

struct Region {
  std::string_view name;
  Access access;
  std::string_view what;
};
// A region's number is its row.
inline constexpr std::array regions{
    Region{"registers", Access::read_write, "the registers below"},
    Region{"a_codes", Access::read_write,
           "codes of A, four a word: {buffer, block[5:0], row[4:0], word[2:0]}"},
    Region{"b_codes", Access::read_write,
           "codes of B, four a word: {buffer, block[5:0], column[4:0], word[2:0]}"},
    Region{"a_scales", Access::read_write,
           "scales of A, one in bits 7:0 of a word: {buffer, 000, block[5:0], row[4:0]}"},
    Region{"b_scales", Access::read_write,
           "scales of B, one in bits 7:0 of a word: {buffer, 000, block[5:0], column[4:0]}"},
    Region{"c", Access::read_write,
           "where accumulators start, binary32: {buffer, 0000, row[4:0], column[4:0]}"},
    Region{"d", Access::read_only, "results: {buffer, 0000, row[4:0], column[4:0]}"},
};
static_assert(names_are_distinct(regions));

struct Register {
  std::string_view name;
  uint32_t offset;  // in region 0
  Access access;    // of its fields, where they do not say otherwise
  std::string_view what;
};
inline constexpr std::array registers{
    Register{"identity", 0x00, Access::read_only, "`0x4d585246`, \"MXRF\""},
    Register{"version", 0x04, Access::read_only, "of this map"},
    Register{"sets", 0x08, Access::read_only,
             "formats that are built for each side, bit f for row f of `mx_pkg`"},
    Register{"datapath", 0x0C, Access::read_only, "the datapath that is built"},
    Register{"alignment", 0x10, Access::read_only, "the rest of an `aligned` datapath"},
    Register{"shape", 0x14, Access::read_only, "what the array and the tile memory hold"},
    Register{"control", 0x20, Access::write_only, "what to do now"},
    Register{"status", 0x24, Access::read_only, "what became of it"},
    Register{"interrupt", 0x28, Access::read_write, "what raises the interrupt"},
    Register{"job", 0x2C, Access::read_write, "how the next job runs, taken with its start"},
    Register{"formats", 0x30, Access::read_write, "of the next job"},
    Register{"length", 0x34, Access::read_write, "of the next job"},
    Register{"busy_cycles", 0x40, Access::read_only, "cycles in which a job ran, modulo 2^32"},
    Register{"stalled_cycles", 0x44, Access::read_only,
             "cycles in which the array took no beat "
             "that waited"},
    Register{"beats", 0x48, Access::read_only, "blocks that the array took"},
    Register{"rows_out", 0x4C, Access::read_only, "rows of results that left the array"},
    Register{"packets", 0x50, Access::read_only,
             "packets of the operand stream that have ended, good or not"},
};
static_assert(names_are_distinct(registers));
inline constexpr uint32_t register_bytes = 0x80;

struct Field {
  std::string_view name;  // "register.field"
  int low, width;
  std::string_view what;
  Access access = Access::read_write;  // of `status` alone: its fields differ
};
inline constexpr std::array fields{
    Field{"version.minor", 0, 16, ""},
    Field{"version.major", 16, 16, "another one is another map"},
    Field{"sets.a", 0, 16, ""},
    Field{"sets.b", 16, 16, ""},
    Field{"datapath.kind", 0, 3, "row of the kinds of accumulation: 0 is fused"},
    Field{"datapath.ftz", 3, 1, "subnormal results are flushed"},
    Field{"datapath.rounding", 4, 2, "of `aligned`: rz, rz13, rne"},
    Field{"datapath.group", 8, 8, "of `aligned`"},
    Field{"datapath.terms", 16, 16, "of `aligned`"},
    Field{"alignment.fraction_bits", 0, 8, ""},
    Field{"alignment.e_zero", 16, 16, "two's complement"},
    Field{"shape.rows", 0, 8, ""},
    Field{"shape.cols", 8, 8, ""},
    Field{"shape.lanes", 16, 8, "codes of a row in a block, the longest format's"},
    Field{"shape.depth", 24, 8, "blocks of a buffer"},
    Field{"control.start", 0, 1, "begin the job that `job`, `formats`, `length` describe"},
    Field{"control.abort", 1, 1,
          "end the job and the tile, empty the array; a start beside it is ignored"},
    Field{"control.clear_counters", 2, 1, "counters to 0"},
    Field{"status.busy", 0, 1, "a job runs", Access::read_only},
    Field{"status.open", 1, 1, "a tile is open: its last job has not ended", Access::read_only},
    Field{"status.done", 2, 1, "a job has ended; a start clears it too", Access::write_1_clear},
    Field{"status.error", 3, 1, "something was refused; writing 1 clears the code too",
          Access::write_1_clear},
    Field{"status.error_code", 8, 8, "of the first error since it was cleared", Access::read_only},
    Field{"interrupt.done", 0, 1, "with `status.done`"},
    Field{"interrupt.error", 1, 1, "with `status.error`"},
    Field{"job.first", 0, 1, "it opens a tile"},
    Field{"job.last", 1, 1, "it ends the tile: results follow"},
    Field{"job.preload", 2, 1, "with first: accumulators start at C, else at +0"},
    Field{"job.buffer", 3, 1, "which of the buffers of A, B and C it reads"},
    Field{"job.result_buffer", 4, 1, "with last: which buffer of D takes the results"},
    Field{"job.stream", 5, 1, "with last: rows of results leave by the stream too"},
    Field{"formats.a", 0, 4, "row of `mx_pkg`"},
    Field{"formats.b", 4, 4, "row of `mx_pkg`"},
    Field{"formats.out_type", 8, 2, "0 binary32, 1 bfloat16, 2 binary16 (in the low half)"},
    Field{"length.blocks", 0, 8, "1 to depth"},
    Field{"length.last_elements", 8, 8,
          "elements of the job's last block; less than a block with last alone"},
};
static_assert(names_are_distinct(fields));

// A code of status.error_code is its row. What a start gets wrong is found in this order.
struct Error {
  std::string_view name;
  std::string_view what;
};
inline constexpr std::array errors{
    Error{"none", "no error"},
    Error{"start_while_busy", "start while a job runs"},
    Error{"unknown_format", "a format that is no row of the table"},
    Error{"format_not_built", "a format that this side was not built for"},
    Error{"formats_do_not_meet", "nvfp4 with another format"},
    Error{"unknown_out_type", "an out_type that is none"},
    Error{"no_blocks", "a job of no blocks"},
    Error{"too_many_blocks", "more blocks than a buffer holds"},
    Error{"bad_last_elements", "a last block of no elements, or of more than the format's block"},
    Error{"short_block_inside", "a short last block in a job that does not end its tile"},
    Error{"tile_already_open", "first while a tile is open"},
    Error{"no_tile_open", "a job without first while no tile is open"},
    Error{"preload_without_first", "preload in a job that does not open a tile"},
    Error{"formats_changed", "formats or out_type other than the open tile's"},
    Error{"read_only", "a write to what can only be read (SLVERR)"},
    Error{"unmapped", "an address that is none (DECERR)"},
    Error{"partial_write", "a write without all four strobes (SLVERR)"},
    Error{"buffer_in_use", "a write to the buffer that the running job still reads (SLVERR)"},
    Error{"stream_address", "a packet whose first word is no address of A, B or C"},
    Error{"stream_too_long", "a packet that runs past the end of its buffer"},
    Error{"tile_too_long", "on the datapath `exact`, more than 65536 blocks of a tile"},
};
static_assert(names_are_distinct(errors));

// --- looked up by name while the program is compiled; an unknown name does not compile
template <typename Table>
consteval size_t row_of(const Table& table, std::string_view name) {
  for (size_t i = 0; i < table.size(); ++i)
    if (table[i].name == name) return i;
  throw "no such row";
}
consteval uint32_t register_offset(std::string_view name) {
  return registers[row_of(registers, name)].offset;
}
consteval Field field(std::string_view name) { return fields[row_of(fields, name)]; }
consteval uint8_t error_code(std::string_view name) { return uint8_t(row_of(errors, name)); }
consteval uint32_t region(std::string_view name) { return uint32_t(row_of(regions, name)); }

constexpr uint32_t mask(const Field& f) {
  return (f.width == 32 ? ~0u : (1u << f.width) - 1) << f.low;
}
constexpr uint32_t get(const Field& f, uint32_t word) { return (word & mask(f)) >> f.low; }
constexpr uint32_t put(const Field& f, uint32_t value) { return (value << f.low) & mask(f); }
// Bits of a register that a write changes: those of its fields.
constexpr uint32_t writable_bits(const Register& r) {
  uint32_t bits = 0;
  for (const Field& f : fields)
    if (f.name.starts_with(r.name) && f.name[r.name.size()] == '.') bits |= mask(f);
  return bits;
}

}  // namespace mxref::accelerator
