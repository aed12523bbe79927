#include "emu/array_engine.h"

#include <algorithm>
#include <bit>
#include <exception>

#include "emu/array_driver.h"
#include "emu/gemm.h"

namespace mxref {
namespace {

struct PreparedBeats : PreparedOperand {
  MxTensor header;  // of b: what it is made of, without codes and scales
  ArrayOperand beats;
  const Datapath* datapath;
};

class ArrayEngine : public Engine {
 public:
  ArrayEngine(std::string_view name, ArrayShape shape, int arrays,
              std::function<std::unique_ptr<ArrayPort>()> make_array)
      : name_(name), shape_(shape), arrays_(size_t(arrays)), make_array_(std::move(make_array)) {}

  std::string_view name() const override { return name_; }
  std::string refuses(const BlockFormat& a, const BlockFormat& b, int block,
                      const Datapath& datapath) const override {
    return array_refuses(a, b, block, datapath);
  }
  std::unique_ptr<PreparedOperand> prepare(const MxTensor& b,
                                           const Datapath& datapath) const override {
    require(*this, b.format(), b.format(), b.block(), datapath);
    auto operand = std::make_unique<PreparedBeats>();
    operand->rows = b.rows();
    operand->cols = b.cols();
    operand->header = {b.conversion, b.shape, {}, {}};
    operand->datapath = &datapath;
    operand->beats = cut_into_beats(b, shape_.cols);
    return operand;
  }
  void multiply(const MxTensor& a, const PreparedOperand& b, std::span<const float> c,
                std::span<float> d) override {
    const auto& operand = dynamic_cast<const PreparedBeats&>(b);
    check_operands(a, operand.header);
    // With pre-scales the accumulators start at +0 and C is added last (ARITHMETIC.md §2).
    const bool factor = has_last_step(a, operand.header);
    run(cut_into_beats(a, shape_.rows), operand.beats, factor ? std::span<const float>() : c, d);
    cost_.macs += a.rows() * b.rows * b.cols;
    if (!factor) return;
    for (size_t i = 0; i < d.size(); ++i) {
      const uint32_t start = c.empty() ? 0 : std::bit_cast<uint32_t>(c[i]);
      d[i] = std::bit_cast<float>(last_step(*operand.datapath, std::bit_cast<uint32_t>(d[i]),
                                            factor_of(a, 0, operand.header, 0), start));
    }
  }
  Cost cost() const override { return cost_; }

 private:
  void run(const ArrayOperand& a, const ArrayOperand& b, std::span<const float> c,
           std::span<float> d) {
    const int64_t tiles = a.groups() * b.groups();
    const int64_t ranges = std::min(tiles, int64_t(arrays_.size()));
    for (int64_t i = 0; i < ranges; ++i)
      if (!arrays_[size_t(i)]) arrays_[size_t(i)] = make_array_();
    int64_t cycles = 0;
    std::exception_ptr failure;
#pragma omp parallel for schedule(static) reduction(+ : cycles) if (ranges > 1)
    for (int64_t i = 0; i < ranges; ++i) {
      try {
        const TileRange range{tiles * i / ranges, tiles * (i + 1) / ranges};
        cycles += run_tiles(*arrays_[size_t(i)], a, b, range, c, d);
      } catch (...) {  // an exception must not leave a parallel loop
#pragma omp critical
        failure = std::current_exception();
      }
    }
    if (failure) std::rethrow_exception(failure);
    cost_.cycles += cycles;
  }

  std::string_view name_;
  ArrayShape shape_;
  std::vector<std::unique_ptr<ArrayPort>> arrays_;  // made when first needed
  std::function<std::unique_ptr<ArrayPort>()> make_array_;
  Cost cost_;
};

}  // namespace

std::unique_ptr<Engine> make_array_engine(std::string_view name, ArrayShape shape, int arrays,
                                          std::function<std::unique_ptr<ArrayPort>()> make_array) {
  return std::make_unique<ArrayEngine>(name, shape, arrays, std::move(make_array));
}

}  // namespace mxref
