#pragma once
// The quantizer and the dequantizer as SystemC modules: the ports, the handshake and the registers
// of mx_quantize and mx_dequantize, conversions called from emu. No planted faults, so no fault_i.

#include <cstdint>
#include <deque>
#include <optional>
#include <systemc>
#include <vector>

#include "emu/conversion_port.h"
#include "emu/systemc/lanes.h"

namespace mxref {

// Registers in a row, each moving on when the next can take its block, and a buffer of two results.
class ConversionPipeline {
 public:
  struct Entry {
    ConvertedBlock block;
    int cycles = 1;  // in the last register
  };
  explicit ConversionPipeline(int stages) : stages_(size_t(stages)) {}

  bool is_ready() const;
  // The result that waits, or nullptr.
  const ConvertedBlock* result() const { return results_.empty() ? nullptr : &results_.front(); }
  void reset();
  // A rising edge. entry: what stands before the first register, taken where it is ready.
  void clock(const std::optional<Entry>& entry, bool out_ready);

 private:
  static constexpr size_t buffered = 2;
  // Whether the block in register i moves on at the coming edge.
  bool moves(size_t i) const;
  bool takes(size_t i) const { return !stages_[i] || moves(i); }

  std::vector<std::optional<Entry>> stages_;
  int cycle_ = 0;  // of the block in the last register
  std::deque<ConvertedBlock> results_;
};

class MxConversion : public sc_core::sc_module {
 public:
  sc_core::sc_in<bool> clk_i{"clk_i"}, rst_ni{"rst_ni"};
  sc_core::sc_in<bool> in_valid_i{"in_valid_i"};
  sc_core::sc_out<bool> in_ready_o{"in_ready_o"};
  sc_core::sc_in<uint8_t> in_lanes_i{"in_lanes_i"}, format_i{"format_i"};
  sc_core::sc_in<bool> prescale_i{"prescale_i"};
  sc_core::sc_in<uint32_t> tensor_scale_i{"tensor_scale_i"};
  sc_core::sc_out<bool> out_valid_o{"out_valid_o"};
  sc_core::sc_in<bool> out_ready_i{"out_ready_i"};
  sc_core::sc_out<uint8_t> out_lanes_o{"out_lanes_o"};

  SC_HAS_PROCESS(MxConversion);
  MxConversion(const sc_core::sc_module_name& name, const ConversionDesign& design, int stages);

 protected:
  virtual void take_pins(ConversionBeat& beat) = 0;
  virtual void drive(const ConvertedBlock& block) = 0;
  const ConversionDesign design_;

 private:
  void rising_edge();
  std::optional<ConversionPipeline::Entry> entry();
  ConversionPipeline pipeline_;
};

class MxQuantizer : public MxConversion {
 public:
  sc_core::sc_in<Lanes<uint32_t>> in_data_i{"in_data_i"};
  sc_core::sc_in<bool> in_type_i{"in_type_i"};
  sc_core::sc_in<uint8_t> rule_i{"rule_i"}, rounding_i{"rounding_i"};
  sc_core::sc_in<uint64_t> seed_i{"seed_i"}, index_i{"index_i"};
  sc_core::sc_out<Lanes<uint8_t>> out_codes_o{"out_codes_o"};
  sc_core::sc_out<uint8_t> out_scale_o{"out_scale_o"};

  MxQuantizer(const sc_core::sc_module_name& name, const ConversionDesign& design)
      : MxConversion(name, design, /*stages=*/3) {}

 private:
  void take_pins(ConversionBeat& beat) override;
  void drive(const ConvertedBlock& block) override;
};

class MxDequantizer : public MxConversion {
 public:
  sc_core::sc_in<Lanes<uint8_t>> in_codes_i{"in_codes_i"};
  sc_core::sc_in<uint8_t> in_scale_i{"in_scale_i"};
  sc_core::sc_out<Lanes<uint32_t>> out_data_o{"out_data_o"};

  MxDequantizer(const sc_core::sc_module_name& name, const ConversionDesign& design)
      : MxConversion(name, design, /*stages=*/2) {}

 private:
  void take_pins(ConversionBeat& beat) override;
  void drive(const ConvertedBlock& block) override;
};

}  // namespace mxref
