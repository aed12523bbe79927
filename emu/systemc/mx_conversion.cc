#include "emu/systemc/mx_conversion.h"

#include <algorithm>
#include <bit>

namespace mxref {

bool ConversionPipeline::moves(size_t i) const {
  if (!stages_[i]) return false;
  if (i + 1 < stages_.size()) return takes(i + 1);
  return cycle_ + 1 >= stages_[i]->cycles && results_.size() < buffered;
}

bool ConversionPipeline::is_ready() const { return takes(0); }

void ConversionPipeline::reset() {
  std::ranges::fill(stages_, std::nullopt);
  results_.clear();
}

// The last register first: each then finds its neighbours as they were before the edge.
void ConversionPipeline::clock(const std::optional<Entry>& entry, bool out_ready) {
  std::vector<bool> moving(stages_.size());
  for (size_t i = 0; i < stages_.size(); ++i) moving[i] = moves(i);
  const bool taken = entry && is_ready();
  if (out_ready && !results_.empty()) results_.pop_front();
  if (moving.back()) results_.push_back(stages_.back()->block);
  const bool stays = stages_.back() && !moving.back();
  cycle_ = stays ? std::min(cycle_ + 1, stages_.back()->cycles - 1) : 0;
  for (size_t i = stages_.size(); i-- > 0;) {
    if (moving[i]) stages_[i].reset();
    if (i > 0 && moving[i - 1]) stages_[i] = stages_[i - 1];
  }
  if (taken) stages_.front() = entry;
}

MxConversion::MxConversion(const sc_core::sc_module_name& name, const ConversionDesign& design,
                           int stages)
    : sc_module(name), design_(design), pipeline_(stages) {
  SC_METHOD(rising_edge);
  sensitive << clk_i.pos();
  dont_initialize();
}

std::optional<ConversionPipeline::Entry> MxConversion::entry() {
  if (!in_valid_i.read()) return std::nullopt;
  ConversionBeat beat;
  beat.lanes = in_lanes_i.read();
  beat.format = format_i.read();
  beat.prescale = prescale_i.read();
  beat.tensor_scale = std::bit_cast<float>(tensor_scale_i.read());
  take_pins(beat);
  return ConversionPipeline::Entry{convert(design_, beat), conversion_cycles(design_, beat)};
}

void MxConversion::rising_edge() {
  if (!rst_ni.read())
    pipeline_.reset();
  else if (pipeline_.is_ready())
    pipeline_.clock(entry(), out_ready_i.read());
  else
    pipeline_.clock(std::nullopt, out_ready_i.read());
  in_ready_o.write(pipeline_.is_ready());
  const ConvertedBlock* block = pipeline_.result();
  out_valid_o.write(block != nullptr);
  if (!block) return;
  out_lanes_o.write(block->lanes);
  drive(*block);
}

void MxQuantizer::take_pins(ConversionBeat& beat) {
  std::ranges::copy(in_data_i.read(), beat.data.begin());
  beat.is_bfloat16 = in_type_i.read();
  beat.rule = rule_i.read();
  beat.rounding = rounding_i.read();
  beat.seed = seed_i.read();
  beat.index = index_i.read();
}
void MxQuantizer::drive(const ConvertedBlock& block) {
  Lanes<uint8_t> codes;
  codes.assign(block.codes.begin(), block.codes.begin() + design_.lanes());
  out_codes_o.write(codes);
  out_scale_o.write(block.scale);
}

void MxDequantizer::take_pins(ConversionBeat& beat) {
  std::ranges::copy(in_codes_i.read(), beat.codes.begin());
  beat.scale = in_scale_i.read();
}
void MxDequantizer::drive(const ConvertedBlock& block) {
  Lanes<uint32_t> data;
  data.assign(block.data.begin(), block.data.begin() + design_.lanes());
  out_data_o.write(data);
}

}  // namespace mxref
