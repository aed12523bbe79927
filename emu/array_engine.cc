#include "emu/array_engine.h"

#include <algorithm>
#include <bit>
#include <exception>
#include <map>

#include "emu/array_driver.h"
#include "emu/gemm.h"

namespace mxref {
namespace {

struct PreparedBeats : PreparedOperand {
  MxTensor b;
  const Datapath* datapath;
  // By columns and lanes of the array: which array it meets, a says. Made when first needed.
  mutable std::map<std::pair<int, int>, ArrayOperand> beats;

  const ArrayOperand& beats_for(const ArrayDesign& design) const {
    const auto [place, is_new] = beats.try_emplace({design.shape.cols, design.lanes()});
    if (is_new) place->second = cut_into_beats(b, design.shape.cols, design.lanes());
    return place->second;
  }
};

class ArrayEngine : public Engine {
 public:
  ArrayEngine(std::string_view name, int arrays, ArrayChoice choose)
      : name_(name), arrays_each_(arrays), choose_(std::move(choose)) {}

  std::string_view name() const override { return name_; }
  std::string refuses(const BlockFormat& a, const BlockFormat& b, int block,
                      const Datapath& datapath) const override {
    std::string reason;
    choose_(a, b, block, datapath, reason);
    return reason;
  }
  std::unique_ptr<PreparedOperand> prepare(const MxTensor& b,
                                           const Datapath& datapath) const override {
    require(*this, b.format(), b.format(), b.block(), datapath);
    auto operand = std::make_unique<PreparedBeats>();
    operand->rows = b.rows();
    operand->cols = b.cols();
    operand->b = b;
    operand->datapath = &datapath;
    return operand;
  }
  void multiply(const MxTensor& a, const PreparedOperand& prepared, std::span<const float> c,
                std::span<float> d) override {
    const auto& operand = dynamic_cast<const PreparedBeats&>(prepared);
    const MxTensor& b = operand.b;
    check_operands(a, b);
    const ArraySource& from = source(a.format(), b.format(), a.block(), *operand.datapath);
    if (a.blocks_per_row() > from.design.most_blocks())
      throw UsageError("K of " + std::to_string(a.cols()) +
                       ": the sum of an array of `exact` has room for " +
                       std::to_string(from.design.most_blocks()) + " blocks");
    // With a factor the accumulators start at +0 and C is added last (ARITHMETIC.md §2, §6).
    const bool factor = has_last_step(a, b);
    run(from, cut_into_beats(a, from.design.shape.rows, from.design.lanes()),
        operand.beats_for(from.design), factor ? std::span<const float>() : c, d);
    cost_.macs += a.rows() * b.rows() * b.cols();
    if (!factor) return;
    for (size_t i = 0; i < d.size(); ++i) {
      const auto m = int64_t(i) / b.rows(), n = int64_t(i) % b.rows();
      const uint32_t start = c.empty() ? 0 : std::bit_cast<uint32_t>(c[i]);
      d[i] = std::bit_cast<float>(last_step(*operand.datapath, std::bit_cast<uint32_t>(d[i]),
                                            factor_of(a, m, b, n), start));
    }
  }
  Cost cost() const override { return cost_; }

 private:
  const ArraySource& source(const BlockFormat& a, const BlockFormat& b, int block,
                            const Datapath& datapath) const {
    std::string reason;
    const ArraySource* found = choose_(a, b, block, datapath, reason);
    if (!found) throw UsageError(name_ + ": " + reason);
    return *found;
  }

  void run(const ArraySource& from, const ArrayOperand& a, const ArrayOperand& b,
           std::span<const float> c, std::span<float> d) {
    const int64_t tiles = a.groups() * b.groups();
    const int64_t ranges = std::min(tiles, int64_t(arrays_each_));
    std::vector<std::unique_ptr<ArrayPort>>& arrays = arrays_[&from];
    while (int64_t(arrays.size()) < ranges) arrays.push_back(from.make());
    int64_t cycles = 0;
    std::exception_ptr failure;
#pragma omp parallel for schedule(static) reduction(+ : cycles) if (ranges > 1)
    for (int64_t i = 0; i < ranges; ++i) {
      try {
        const TileRange range{tiles * i / ranges, tiles * (i + 1) / ranges};
        cycles += run_tiles(*arrays[size_t(i)], a, b, range, c, d);
      } catch (...) {  // an exception must not leave a parallel loop
#pragma omp critical
        failure = std::current_exception();
      }
    }
    if (failure) std::rethrow_exception(failure);
    cost_.cycles += cycles;
  }

  std::string name_;
  int arrays_each_;
  ArrayChoice choose_;
  std::map<const ArraySource*, std::vector<std::unique_ptr<ArrayPort>>> arrays_;
  Cost cost_;
};

}  // namespace

std::unique_ptr<Engine> make_array_engine(std::string_view name, int arrays, ArrayChoice choose) {
  return std::make_unique<ArrayEngine>(name, arrays, std::move(choose));
}

}  // namespace mxref
