#include "emu/crosscheck/controls.h"

#include <algorithm>
#include <bit>

#include "emu/gemm.h"
#include "emu/product_engine.h"

namespace mxref {
namespace {

// The lowest bit of the last result.
void planted_fault(const MxTensor& a, const MxTensor& b, const Datapath& datapath,
                   std::span<const float> c, std::span<float> d) {
  gemm_ref(a, b, datapath, c, d);
  d.back() = std::bit_cast<float>(std::bit_cast<uint32_t>(d.back()) ^ 1);
}

void all_zeros(const MxTensor&, const MxTensor&, const Datapath&, std::span<const float>,
               std::span<float> d) {
  std::fill(d.begin(), d.end(), 0.0f);
}

// Rounds at another place: after each element where the datapath does not, else once a block.
void rounds_elsewhere(const MxTensor& a, const MxTensor& b, const Datapath& datapath,
                      std::span<const float> c, std::span<float> d) {
  const bool is_sequential = datapath.kind == Accumulation::sequential;
  gemm_ref(a, b, mxref::datapath(is_sequential ? "fused" : "sequential"), c, d);
}

EngineEntry entry(std::string_view name, std::string_view what, ProductEngine::Product product) {
  return {std::string(name),
          [name, product] { return std::make_unique<ProductEngine>(name, product); },
          std::string(what)};
}

}  // namespace

const EngineTable& control_engines() {
  static const EngineTable table{
      entry("planted_fault", "the lowest bit of one result is flipped", planted_fault),
      entry("all_zeros", "every result is zero", all_zeros),
      entry("rounds_elsewhere",
            "rounds after each element, or once a block where the datapath is sequential",
            rounds_elsewhere)};
  return table;
}

}  // namespace mxref
