#include "emu/accelerator/driver.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <string>
#include <vector>

#include "emu/accelerator/host_side.h"
#include "emu/gemm.h"

namespace mxref::accelerator {

BusError bus_error(bool is_write, uint32_t address, uint32_t data, uint8_t answer) {
  const char* what = answer == decerr ? "DECERR" : "SLVERR";
  char text[100];
  if (is_write)
    std::snprintf(text, sizeof text, "write of 0x%08x to 0x%05x: %s", data, address, what);
  else
    std::snprintf(text, sizeof text, "read of 0x%05x: %s", address, what);
  return BusError(text);
}

Driver::Driver(Mmio& mmio) : mmio_(mmio) {
  char text[120];
  if (const uint32_t word = mmio_.read32(register_offset("identity")); word != identity_word) {
    std::snprintf(text, sizeof text, "no accelerator here: identity 0x%08x, expected 0x%08x", word,
                  identity_word);
    throw HardwareError(text);
  }
  const uint32_t version = mmio_.read32(register_offset("version"));
  if (const uint32_t major = get(field("version.major"), version); major != version_major) {
    std::snprintf(text, sizeof text, "the accelerator's registers are of version %u, expected %u",
                  major, version_major);
    throw HardwareError(text);
  }
  const uint32_t shape = mmio_.read32(register_offset("shape"));
  shape_ = {int(get(field("shape.rows"), shape)), int(get(field("shape.cols"), shape))};
  lanes_ = int(get(field("shape.lanes"), shape));
  depth_ = int(get(field("shape.depth"), shape));
  // What the last step needs of the datapath.
  const uint32_t built = mmio_.read32(register_offset("datapath"));
  datapath_.kind = Accumulation(get(field("datapath.kind"), built));
  datapath_.ftz = get(field("datapath.ftz"), built) != 0;
  give_up();  // what somebody else has left
}

void Driver::give_up() {
  mmio_.write32(register_offset("control"), mask(field("control.abort")));
  mmio_.write32(register_offset("status"), mask(field("status.error")));
}

// What is left of a product is for the hardware to refuse.
void Driver::check_beats(const MxTensor& x) const {
  const std::string name(x.format().name);
  if (x.block() != x.format().block)
    throw UsageError("the accelerator takes " + name + " in blocks of " +
                     std::to_string(x.format().block) + " alone");
  if (x.block() > lanes_)
    throw UsageError("the accelerator has " + std::to_string(lanes_) + " lanes, too few for " +
                     name);
}

// While a job runs the next one's operands are loaded and the tile before is collected.
void Driver::multiply(const MxTensor& a, const MxTensor& b, std::span<const float> c,
                      std::span<float> d) {
  check_operands(a, b);
  check_beats(a);
  check_beats(b);
  const bool factor = has_last_step(a, b);  // then C is added last (ARITHMETIC.md §2, §6)
  const ArrayOperand beats_a = cut_into_beats(a, shape_.rows, lanes_);
  const ArrayOperand beats_b = cut_into_beats(b, shape_.cols, lanes_);
  const Product product{beats_a, beats_b, factor ? std::span<const float>() : c, d};
  std::vector<Step> steps;
  int64_t tile = 0;
  for (int64_t group_a = 0; group_a < beats_a.groups(); ++group_a)
    for (int64_t group_b = 0; group_b < beats_b.groups(); ++group_b, ++tile)
      for (int64_t block = 0; block < beats_a.blocks; block += depth_) {
        const int64_t blocks = std::min<int64_t>(depth_, beats_a.blocks - block);
        steps.push_back({group_a, group_b, block, blocks, block == 0,
                         block + blocks == beats_a.blocks, int(steps.size() % 2), int(tile % 2)});
      }
  for (size_t i = 0; i < steps.size(); ++i) {
    if (i == 0) load(product, steps[i]);
    start(product, steps[i]);
    if (i + 1 < steps.size()) load(product, steps[i + 1]);
    if (i > 0) collect(product, steps[i - 1]);
    wait();
  }
  if (!steps.empty()) collect(product, steps.back());
  if (!factor) return;
  for (size_t i = 0; i < d.size(); ++i) {
    const auto m = int64_t(i) / b.rows(), n = int64_t(i) % b.rows();
    const uint32_t begin = c.empty() ? 0 : std::bit_cast<uint32_t>(c[i]);
    d[i] = std::bit_cast<float>(
        last_step(datapath_, std::bit_cast<uint32_t>(d[i]), factor_of(a, m, b, n), begin));
  }
}

void Driver::load(const Product& product, const Step& step) {
  load_side(region("a_codes"), region("a_scales"), product.a, step.group_a, step);
  load_side(region("b_codes"), region("b_scales"), product.b, step.group_b, step);
  if (!step.first || product.c.empty()) return;
  const int64_t M = product.a.rows, N = product.b.rows;
  for (int r = 0; r < shape_.rows; ++r)
    for (int col = 0; col < shape_.cols; ++col) {
      const int64_t m = step.group_a * shape_.rows + r, n = step.group_b * shape_.cols + col;
      const float begin = m < M && n < N ? product.c[size_t(m * N + n)] : 0.0f;
      mmio_.write32(address_of(region("c"), step.buffer, r, col), std::bit_cast<uint32_t>(begin));
    }
}

void Driver::load_side(uint32_t codes, uint32_t scales, const ArrayOperand& operand, int64_t group,
                       const Step& step) {
  for (int block = 0; block < int(step.blocks); ++block) {
    const auto block_codes = operand.beat_codes(group, step.block + block);
    const auto block_scales = operand.beat_scales(group, step.block + block);
    for (int row = 0; row < operand.height; ++row) {
      for (int word = 0; word < lanes_ / 4; ++word) {
        uint32_t data = 0;
        for (int i = 0; i < 4; ++i)
          data |= uint32_t(block_codes[size_t(row) * size_t(lanes_) + size_t(word * 4 + i)])
                  << i * 8;
        mmio_.write32(address_of(codes, step.buffer, block, row, word), data);
      }
      mmio_.write32(address_of(scales, step.buffer, block, row), block_scales[size_t(row)]);
    }
  }
}

void Driver::start(const Product& product, const Step& step) {
  mmio_.write32(register_offset("formats"),
                put(field("formats.a"), uint32_t(format_number(*product.a.format))) |
                    put(field("formats.b"), uint32_t(format_number(*product.b.format))));
  mmio_.write32(register_offset("job"),
                put(field("job.first"), step.first) | put(field("job.last"), step.last) |
                    put(field("job.preload"), step.first && !product.c.empty()) |
                    put(field("job.buffer"), uint32_t(step.buffer)) |
                    put(field("job.result_buffer"), uint32_t(step.result_buffer)));
  const int last_elements = product.a.block_lanes(step.block + step.blocks - 1);
  mmio_.write32(register_offset("length"),
                put(field("length.blocks"), uint32_t(step.blocks)) |
                    put(field("length.last_elements"), uint32_t(last_elements)));
  mmio_.write32(register_offset("control"), mask(field("control.start")));
  throw_on_error(mmio_.read32(register_offset("status")));
}

void Driver::wait() {
  constexpr int patience_polls = 100'000;  // no job of a sound accelerator lasts as long
  for (int i = 0; i < patience_polls; ++i) {
    const uint32_t status = mmio_.read32(register_offset("status"));
    throw_on_error(status);
    if (!get(field("status.busy"), status)) return;
  }
  give_up();
  throw HardwareError("the accelerator stopped answering: a job does not end");
}

void Driver::collect(const Product& product, const Step& step) {
  if (!step.last) return;
  const int64_t M = product.a.rows, N = product.b.rows;
  for (int r = 0; r < shape_.rows; ++r)
    for (int col = 0; col < shape_.cols; ++col) {
      const int64_t m = step.group_a * shape_.rows + r, n = step.group_b * shape_.cols + col;
      if (m < M && n < N)
        product.d[size_t(m * N + n)] =
            std::bit_cast<float>(mmio_.read32(address_of(region("d"), step.result_buffer, r, col)));
    }
}

void Driver::throw_on_error(uint32_t status) {
  if (!get(field("status.error"), status)) return;
  give_up();
  const uint32_t code = get(field("status.error_code"), status);
  if (code >= errors.size())
    throw HardwareError("the accelerator reports the unknown error " + std::to_string(code));
  throw HardwareError("the accelerator refuses: " + std::string(errors[code].what) + " (" +
                      std::string(errors[code].name) + ")");
}

Driver::Counters Driver::counters() {
  return {mmio_.read32(register_offset("busy_cycles")),
          mmio_.read32(register_offset("stalled_cycles")), mmio_.read32(register_offset("beats")),
          mmio_.read32(register_offset("rows_out"))};
}

void Driver::clear_counters() {
  mmio_.write32(register_offset("control"), mask(field("control.clear_counters")));
}

}  // namespace mxref::accelerator
