#include "emu/engine.h"

#include "emu/gemm.h"

namespace mxref {
namespace {

struct RefOperand : PreparedOperand {
  MxTensor b;
  const Datapath* datapath;
};

class RefEngine : public Engine {
 public:
  std::string_view name() const override { return "ref"; }
  std::string refuses(const BlockFormat&, const BlockFormat&, int, const Datapath&) const override {
    return "";
  }
  std::unique_ptr<PreparedOperand> prepare(const MxTensor& b,
                                           const Datapath& datapath) const override {
    auto operand = std::make_unique<RefOperand>();
    operand->rows = b.rows();
    operand->cols = b.cols();
    operand->b = b;
    operand->datapath = &datapath;
    return operand;
  }
  void multiply(const MxTensor& a, const PreparedOperand& b, std::span<const float> c,
                std::span<float> d) override {
    const auto& operand = dynamic_cast<const RefOperand&>(b);
    gemm_ref(a, operand.b, *operand.datapath, c, d);
  }
};

}  // namespace

std::unique_ptr<Engine> make_ref_engine() { return std::make_unique<RefEngine>(); }

std::unique_ptr<Engine> make_engine(const EngineTable& engines, std::string_view name) {
  return find_by_name(engines, "engine", name).make();
}

void require(const Engine& engine, const BlockFormat& a, const BlockFormat& b, int block,
             const Datapath& datapath) {
  const std::string reason = engine.refuses(a, b, block, datapath);
  if (!reason.empty())
    throw UsageError("engine '" + std::string(engine.name()) + "' does not take " +
                     std::string(a.name) + " × " + std::string(b.name) + " on datapath '" +
                     std::string(datapath.name) + "': " + reason);
}

}  // namespace mxref
