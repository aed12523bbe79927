#pragma once
// What somebody's simulator was given and what it answered, held against the definition, and the
// hypotheses about the differences. A difference has the class of a hypothesis that gives exactly
// the bits that were got, never one guessed from its size; zeros, NaN and Inf have one of their
// own.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mxref {

enum class DifferenceClass {
  octave,
  bias,
  tie,
  rounding_direction,
  saturation,
  order,
  subnormal,
  zero_sign,
  nan,
  other
};
struct DifferenceClassName {
  DifferenceClass difference;
  std::string_view name;
};
inline constexpr std::array difference_classes{
    DifferenceClassName{DifferenceClass::octave, "scale off by one octave"},
    DifferenceClassName{DifferenceClass::bias, "scale off by the bias"},
    DifferenceClassName{DifferenceClass::tie, "tie"},
    DifferenceClassName{DifferenceClass::rounding_direction, "rounding direction"},
    DifferenceClassName{DifferenceClass::saturation, "saturation"},
    DifferenceClassName{DifferenceClass::order, "order of summation"},
    DifferenceClassName{DifferenceClass::subnormal, "lost subnormal"},
    DifferenceClassName{DifferenceClass::zero_sign, "zero sign"},
    DifferenceClassName{DifferenceClass::nan, "NaN"},
    DifferenceClassName{DifferenceClass::other, "other"},
};
constexpr std::string_view name_of(DifferenceClass difference) {
  for (const auto& row : difference_classes)
    if (row.difference == difference) return row.name;
  __builtin_unreachable();
}

// Another definition, which a simulator may have followed.
struct Hypothesis {
  std::string name;
  DifferenceClass difference;
  std::string what;
  // Of two faults at once: a difference that one of them gives has the class of that one.
  bool is_combined = false;
};

// Results that belong together: one element of a product; of a block the scale, then its codes; or
// one tensor scale.
struct AuditUnit {
  std::vector<uint32_t> expected, got;
  bool differs() const { return expected != got; }
};

// One product or conversion with its answer.
class AuditCase {
 public:
  virtual ~AuditCase() = default;
  virtual int64_t units() const = 0;
  virtual AuditUnit unit(int64_t index) const = 0;
  // Cases of one operation have the same ones.
  virtual std::vector<Hypothesis> hypotheses() const = 0;
  // Of each result of the unit, whether the hypothesis gives what was got; any NaN is as good as
  // another.
  virtual std::vector<bool> gives(size_t hypothesis, int64_t index) const = 0;
  // Classes that the bits alone decide: before the hypotheses (two zeros, two NaNs), and where none
  // of them gives what was got.
  virtual std::optional<DifferenceClass> plain_class(const AuditUnit& unit, size_t place) const = 0;
  virtual DifferenceClass remaining_class(const AuditUnit& unit, size_t place) const = 0;
  // |got - expected| in units of the last place of what was expected; nothing where one of them is
  // no finite number.
  virtual std::optional<double> error_ulp(const AuditUnit& unit, size_t place) const = 0;
  // How much the unit's input holds: the smallest failing one is shown.
  virtual int64_t input_size(int64_t index) const = 0;
};

}  // namespace mxref
