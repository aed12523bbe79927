#include "eval/validate/paired_engine.h"

#include <bit>
#include <cstdint>

namespace mxref {
namespace {

struct PairedOperand : PreparedOperand {
  std::unique_ptr<PreparedOperand> first, second;
};

class PairedEngine : public Engine {
 public:
  PairedEngine(std::unique_ptr<Engine> engine, std::unique_ptr<Engine> witness,
               std::shared_ptr<PairedLog> log)
      : engine_(std::move(engine)), witness_(std::move(witness)), log_(std::move(log)) {}

  std::string_view name() const override { return engine_->name(); }

  std::string refuses(const BlockFormat& a, const BlockFormat& b, int block,
                      const Datapath& datapath) const override {
    const std::string reason = engine_->refuses(a, b, block, datapath);
    return reason.empty() ? witness_->refuses(a, b, block, datapath) : reason;
  }

  std::unique_ptr<PreparedOperand> prepare(const MxTensor& b,
                                           const Datapath& datapath) const override {
    auto operand = std::make_unique<PairedOperand>();
    operand->rows = b.rows();
    operand->cols = b.cols();
    operand->first = engine_->prepare(b, datapath);
    operand->second = witness_->prepare(b, datapath);
    return operand;
  }

  void multiply(const MxTensor& a, const PreparedOperand& b, std::span<const float> c,
                std::span<float> d) override {
    const auto& operand = static_cast<const PairedOperand&>(b);
    const Cost before = engine_->cost();
    engine_->multiply(a, *operand.first, c, d);
    const Cost after = engine_->cost();
    std::vector<float> again(d.size());
    witness_->multiply(a, *operand.second, c, again);
    log_->calls.push_back({log_->module,
                           b.rows,
                           b.cols,
                           {after.cycles - before.cycles, after.macs - before.macs},
                           int64_t(d.size()),
                           count_differences(d, again)});
  }

  Cost cost() const override { return engine_->cost(); }

 private:
  std::unique_ptr<Engine> engine_, witness_;
  std::shared_ptr<PairedLog> log_;
};

}  // namespace

int64_t count_differences(std::span<const float> a, std::span<const float> b) {
  int64_t count = 0;
  for (size_t i = 0; i < a.size(); ++i)
    count += std::bit_cast<uint32_t>(a[i]) != std::bit_cast<uint32_t>(b[i]);
  return count;
}

std::unique_ptr<Engine> make_paired_engine(std::unique_ptr<Engine> engine,
                                           std::unique_ptr<Engine> witness,
                                           std::shared_ptr<PairedLog> log) {
  return std::make_unique<PairedEngine>(std::move(engine), std::move(witness), std::move(log));
}

}  // namespace mxref
