#pragma once
// What is audited: something that computes products or conversions.

#include <memory>

#include "emu/audit/conversion.h"
#include "emu/audit/product.h"
#include "emu/engine.h"

namespace mxref {

enum class AuditOperation { product, conversion };
struct AuditOperationName {
  std::string_view name;
  AuditOperation operation;
};
inline constexpr std::array audit_operations{
    AuditOperationName{"product", AuditOperation::product},
    AuditOperationName{"conversion", AuditOperation::conversion},
};

// One of the two is computed; the other throws UsageError.
class Simulator {
 public:
  virtual ~Simulator() = default;
  virtual std::string name() const = 0;
  // Why it does not take such operands; empty where it does.
  virtual std::string refuses(const BlockFormat&, const BlockFormat&, int, const Datapath&) const {
    return "";
  }
  virtual ProductAnswer multiply(const ProductInput& input, const Datapath& datapath);
  virtual MxTensor convert(const ConversionInput& input);
};

// A simulator with a fault that is known from published tools, and one of common practice.
struct BuiltinSimulator {
  std::string_view name;
  std::optional<AuditOperation> operation;  // nothing: both
  std::string_view what;
  std::unique_ptr<Simulator> (*make)();
};
extern const std::array<BuiltinSimulator, 8> builtin_simulators;

std::unique_ptr<Simulator> make_engine_simulator(std::unique_ptr<Engine> engine);

}  // namespace mxref
