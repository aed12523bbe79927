#include "emu/audit/conversion.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "emu/binary32.h"
#include "emu/quantize.h"

namespace mxref {

ConversionCase::ConversionCase(ConversionInput input, MxTensor answer)
    : input_(std::move(input)),
      answer_(std::move(answer)),
      expected_(quantize_ref(input_.x, input_.shape, input_.conversion)) {}

size_t ConversionCase::first_of(int64_t block) const {
  const int64_t in_row = expected_.blocks_per_row(), row = block / in_row;
  return size_t(row * expected_.cols() + block % in_row * expected_.block());
}

std::span<const float> ConversionCase::values(int64_t index) const {
  if (index >= blocks()) return input_.x;
  const int64_t in_row = index % expected_.blocks_per_row();
  const int64_t left = expected_.cols() - in_row * expected_.block();
  return std::span(input_.x).subspan(first_of(index),
                                     size_t(std::min<int64_t>(expected_.block(), left)));
}

ConversionInput ConversionCase::unit_input(int64_t index) const {
  const auto x = values(index);
  if (index >= blocks()) return input_;
  return {input_.conversion, {1, int64_t(x.size())}, {x.begin(), x.end()}};
}

MxTensor ConversionCase::unit_answer(int64_t index) const {
  if (index >= blocks()) return answer_;
  const auto first = answer_.codes.begin() + long(first_of(index));
  MxTensor one{input_.conversion,
               {1, int64_t(values(index).size())},
               {first, first + long(values(index).size())},
               {answer_.scales[size_t(index)]}};
  if (!answer_.tensor_scales.empty())
    one.tensor_scales = {answer_.tensor_scale(index / answer_.blocks_per_row())};
  return one;
}

AuditUnit ConversionCase::unit(int64_t index) const {
  if (index >= blocks()) {
    const auto i = size_t(index - blocks());
    return {{std::bit_cast<uint32_t>(expected_.tensor_scales[i])},
            {std::bit_cast<uint32_t>(answer_.tensor_scales[i])}};
  }
  const size_t first = first_of(index), count = values(index).size();
  AuditUnit unit{{expected_.scales[size_t(index)]}, {answer_.scales[size_t(index)]}};
  for (size_t i = first; i < first + count; ++i) {
    unit.expected.push_back(expected_.codes[i]);
    unit.got.push_back(answer_.codes[i]);
  }
  return unit;
}

std::vector<Hypothesis> ConversionCase::hypotheses() const {
  std::vector<Hypothesis> rows;
  for (const ConversionHypothesis& row : conversion_hypotheses()) rows.push_back(row.hypothesis);
  return rows;
}

std::vector<bool> ConversionCase::gives(size_t hypothesis, int64_t index) const {
  // No hypothesis has a tensor scale of its own.
  if (index >= blocks()) return {!unit(index).differs()};
  const size_t first = first_of(index);
  const std::span<const float> x = values(index);
  const auto coded = [&](const MxTensor& q) {
    const auto codes = std::span(q.codes).subspan(first, x.size());
    return CodedBlock{q.scales[size_t(index)], {codes.begin(), codes.end()}};
  };
  const ConversionBlock seen{input_.conversion,
                             x,
                             first,
                             expected_.tensor_scale(index / expected_.blocks_per_row()),
                             coded(expected_),
                             coded(answer_)};
  const auto given = conversion_hypotheses()[hypothesis].codes(seen);
  // A code under another scale is another value: it counts only under the scale that was got.
  const bool has_scale = given && given->scale == seen.got.scale;
  std::vector<bool> gives{has_scale};
  for (size_t i = 0; i < x.size(); ++i)
    gives.push_back(has_scale && given->codes[i] == seen.got.codes[i]);
  return gives;
}

std::optional<DifferenceClass> ConversionCase::plain_class(const AuditUnit& unit,
                                                           size_t place) const {
  const ElementFormat& f = *input_.conversion.format->element;
  if (place == 0 || f.sign != Sign::magnitude || unit.expected[0] != unit.got[0]) return {};
  if (f.magnitude(unit.expected[place]) == 0 && f.magnitude(unit.got[place]) == 0)
    return DifferenceClass::zero_sign;
  return {};
}

DifferenceClass ConversionCase::remaining_class(const AuditUnit& unit, size_t place) const {
  const BlockFormat& format = *input_.conversion.format;
  const ElementFormat& f = *format.element;
  if (unit.expected.size() == 1) return DifferenceClass::other;  // a tensor scale
  if (format.scale->is_nan(uint8_t(unit.expected[0])) || format.scale->is_nan(uint8_t(unit.got[0])))
    return DifferenceClass::nan;
  if (place == 0) return DifferenceClass::other;
  if (is_nan(f, unit.got[place])) return DifferenceClass::nan;
  if (is_inf(f, unit.got[place])) return DifferenceClass::saturation;
  return DifferenceClass::other;
}

std::optional<double> ConversionCase::error_ulp(const AuditUnit& unit, size_t place) const {
  // What a scale does wrong shows in the values of its elements.
  if (place == 0) return {};
  const BlockFormat& format = *input_.conversion.format;
  const ElementFormat& f = *format.element;
  const auto value = [&](const std::vector<uint32_t>& results) -> std::optional<double> {
    const auto scale = uint8_t(results[0]), code = uint8_t(results[place]);
    if (format.scale->is_nan(scale) || !is_finite(f, code)) return {};
    const auto s = format.scale->parts(scale);
    return std::ldexp(double(value_units(f, code)) * s.significand, s.exponent);
  };
  const auto expected = value(unit.expected), got = value(unit.got);
  if (!expected || !got) return {};
  const auto last = f.parts(f.magnitude(unit.expected[place]));
  const auto s = format.scale->parts(uint8_t(unit.expected[0]));
  const int ulp_units_log2 = last.exponent - f.unit_log2();
  // A ue4m3 scale may be 0, of which nothing is a part.
  const double scale = std::ldexp(double(std::max(s.significand, 1u)), s.exponent);
  return std::abs(*got - *expected) / std::ldexp(scale, ulp_units_log2);
}

int64_t ConversionCase::input_size(int64_t index) const {
  const auto x = values(index);
  return std::ranges::count_if(x, [](float v) { return v != 0; });
}

}  // namespace mxref
