#include "rtl_models/engine/rtl_engine.h"

#include <vector>

#include "emu/array_driver.h"
#include "emu/array_engine.h"
#include "rtl_models/engine/verilated_array.h"
#include "rtl_models/rtl/faults.h"

namespace mxref {
namespace {

constexpr int arrays = 2;

// An array of the bench whose fault input is held at a number.
class FaultyArray : public ArrayPort {
 public:
  FaultyArray(const BenchSource& source, uint8_t fault)
      : array_(source.make()), inputs_(source.design), fault_(fault) {}
  const ArrayDesign& design() const override { return array_->design(); }
  const ArrayOutputs& outputs() const override { return array_->outputs(); }
  void clock(const ArrayInputs& inputs) override {
    inputs_ = inputs;
    inputs_.fault = fault_;
    array_->clock(inputs_);
  }

 private:
  std::unique_ptr<BenchArray> array_;
  ArrayInputs inputs_;
  uint8_t fault_;
};

// The first of some arrays that computes a product.
ArrayChoice first_of(std::vector<ArraySource> sources) {
  return [sources = std::make_shared<const std::vector<ArraySource>>(std::move(sources))](
             const BlockFormat& a, const BlockFormat& b, int block, const Datapath& datapath,
             std::string& reason) -> const ArraySource* {
    for (const ArraySource& source : *sources) {
      reason = array_refuses(source.design, a, b, block, datapath);
      if (reason.empty()) return &source;
    }
    return nullptr;
  };
}

}  // namespace

std::unique_ptr<Engine> make_rtl_engine() {
  // The array of its own where it serves; else the larger of the bench's.
  std::vector<ArraySource> sources{{engine_array_design(), make_engine_array}};
  for (auto bench = bench_arrays().rbegin(); bench != bench_arrays().rend(); ++bench)
    sources.push_back({bench->design, [bench] { return bench->make(); }});
  return make_array_engine("rtl", arrays, first_of(std::move(sources)));
}

std::unique_ptr<Engine> make_faulty_rtl_engine(std::string_view fault) {
  const auto number = uint8_t(&find_by_name(faults, "fault", fault) - faults.data() + 1);
  std::vector<ArraySource> sources;
  for (const BenchSource& bench : bench_arrays())
    sources.push_back(
        {bench.design, [&bench, number] { return std::make_unique<FaultyArray>(bench, number); }});
  return make_array_engine("rtl", arrays, first_of(std::move(sources)));
}

}  // namespace mxref
