#include "rtl_models/engine/rtl_engine.h"

#include "emu/array_engine.h"
#include "rtl_models/engine/verilated_array.h"
#include "rtl_models/rtl/faults.h"

namespace mxref {
namespace {

constexpr int arrays = 2;

// An array of the bench whose fault input is held at a number.
class FaultyArray : public ArrayPort {
 public:
  FaultyArray(ArrayShape shape, uint8_t fault)
      : array_(make_bench_array(shape)), inputs_(shape), fault_(fault) {}
  ArrayShape shape() const override { return array_->shape(); }
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

}  // namespace

std::unique_ptr<Engine> make_rtl_engine() {
  return make_array_engine("rtl", engine_array_shape, arrays, make_engine_array);
}

std::unique_ptr<Engine> make_faulty_rtl_engine(std::string_view fault) {
  const auto number = uint8_t(&find_by_name(faults, "fault", fault) - faults.data() + 1);
  const ArrayShape shape = bench_shapes().back();
  return make_array_engine("rtl", shape, arrays, [shape, number] {
    return std::make_unique<FaultyArray>(shape, number);
  });
}

}  // namespace mxref
