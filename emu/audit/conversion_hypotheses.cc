// What a simulator of a conversion may have done instead. Where several hypotheses give as many of
// the differences, the first in this table is named.

#include <algorithm>
#include <bit>
#include <cmath>

#include "emu/audit/conversion.h"
#include "emu/binary32.h"
#include "emu/codec.h"
#include "emu/philox.h"
#include "emu/quantize.h"

namespace mxref {
namespace {

using Block = ConversionBlock;
using Coded = std::optional<CodedBlock>;
using enum DifferenceClass;

// Whether the block has a scale of its own: its largest magnitude is finite and above zero.
bool is_plain(const Block& b) {
  const uint32_t largest = max_magnitude(b.x);
  return largest != 0 && binary32::is_finite(largest);
}
bool has_e8m0(const Block& b) { return b.conversion.format->scale == &e8m0_scale; }

// x as a multiple of the scale `code`: what is rounded to an element.
Magnitude scaled(const Block& b, uint32_t x, uint8_t code) {
  const auto v = binary32::parts(x);
  const auto s = b.conversion.format->scale->parts(code);
  const Prescale p = b.conversion.prescale;
  const auto g = b.conversion.format->has_tensor_scale()
                     ? binary32::parts(std::bit_cast<uint32_t>(b.tensor_scale))
                     : binary32::Parts{1, 0};
  return {uint64_t(v.significand) * p.numerator,
          uint64_t(p.denominator) * s.significand * g.significand,
          v.exponent - s.exponent - g.exponent};
}

// The codes under a given scale.
CodedBlock at_scale(const Block& b, uint8_t scale, const Rounding& rounding) {
  const ElementFormat& f = *b.conversion.format->element;
  CodedBlock coded{scale, {}};
  for (size_t i = 0; i < b.x.size(); ++i) {
    const auto bits = std::bit_cast<uint32_t>(b.x[i]);
    const uint32_t random =
        rounding.stochastic ? philox::word(b.conversion.seed, b.first_element + i) : 0;
    const uint32_t magnitude = encode_magnitude_sat(f, scaled(b, bits, scale), rounding, random);
    coded.codes.push_back(uint8_t(f.code(binary32::is_negative(bits), magnitude)));
  }
  return coded;
}
CodedBlock at_scale(const Block& b, uint8_t scale) {
  return at_scale(b, scale, *b.conversion.rounding);
}

// The definition with another conversion or other values.
CodedBlock defined(const Block& b, const Conversion& conversion, std::span<const float> x) {
  CodedBlock coded{0, std::vector<uint8_t>(x.size())};
  coded.scale = quantize_block_ref(x, conversion, coded.codes, {b.first_element, b.tensor_scale});
  return coded;
}

ConversionHypothesis converted(std::string name, DifferenceClass difference, std::string what,
                               const std::function<bool(Conversion&)>& change) {
  return {{std::move(name), difference, std::move(what)}, [change](const Block& b) -> Coded {
            Conversion conversion = b.conversion;
            if (!change(conversion)) return {};
            return defined(b, conversion, b.x);
          }};
}
ConversionHypothesis rounded(std::string name, DifferenceClass difference, std::string what,
                             std::string_view rounding) {
  return converted(std::move(name), difference, std::move(what), [rounding](Conversion& c) {
    c.rounding = &mxref::rounding(rounding);
    return true;
  });
}
// The same where the definition rounds to nearest too, or does not.
ConversionHypothesis to_nearest(std::string name, DifferenceClass difference, std::string what,
                                std::string_view rounding, bool of_another) {
  return converted(std::move(name), difference, std::move(what),
                   [rounding, of_another](Conversion& c) {
                     const std::string_view said = c.rounding->name;
                     c.rounding = &mxref::rounding(rounding);
                     return of_another == (said != "rne" && said != "rna");
                   });
}
ConversionHypothesis given_values(std::string name, DifferenceClass difference, std::string what,
                                  float (*change)(float)) {
  return {{std::move(name), difference, std::move(what)}, [change](const Block& b) -> Coded {
            std::vector<float> x(b.x.begin(), b.x.end());
            std::ranges::transform(x, x.begin(), change);
            return defined(b, b.conversion, x);
          }};
}

// The scale exponent of rule floor by a logarithm in binary32, which is rounded up to an integer
// just below powers of two: by the library's, or the one that is rounded correctly.
std::optional<uint8_t> scale_by_float_log2(const Block& b) {
  if (!is_plain(b) || !has_e8m0(b) || b.conversion.rule != &scale_rules[0]) return {};
  const auto amax = std::bit_cast<float>(max_magnitude(b.x));
  const auto scale = [&](float log2) {
    return e8m0::encode_sat(int(std::floor(log2)) - b.conversion.format->element->emax());
  };
  const uint8_t by_library = scale(std::log2(amax));
  return by_library == b.got.scale ? by_library : scale(float(std::log2(double(amax))));
}
Coded float_log2(const Block& b) {
  const auto scale = scale_by_float_log2(b);
  if (!scale) return b.expected;
  return at_scale(b, *scale);
}
Coded float_log2_and_ties_away(const Block& b) {
  const auto scale = scale_by_float_log2(b);
  if (!scale) return b.expected;
  return at_scale(b, *scale, rounding("rna"));
}

// The scale code moved, the codes as they were or made for it.
ConversionHypothesis moved(std::string name, DifferenceClass difference, std::string what,
                           int (*steps)(const ElementFormat&), bool encodes) {
  return {{std::move(name), difference, std::move(what)},
          [steps, encodes](const Block& b) -> Coded {
            if (!has_e8m0(b)) return {};
            if (!is_plain(b)) return b.expected;
            const int log2 = e8m0::log2(b.expected.scale) + steps(*b.conversion.format->element);
            const uint8_t scale = e8m0::encode_sat(log2);
            if (encodes) return at_scale(b, scale);
            return CodedBlock{scale, b.expected.codes};
          }};
}
int one_up(const ElementFormat&) { return 1; }
int one_down(const ElementFormat&) { return -1; }
int low_by_bias(const ElementFormat& f) { return -f.bias; }
int high_by_bias(const ElementFormat& f) { return f.bias; }

// Elements above the largest number, if the format had one more binade, become `special`.
Coded overflowing(const Block& b, uint32_t (*special)(const ElementFormat& f, bool negative)) {
  if (!is_plain(b)) return b.expected;
  const ElementFormat& f = *b.conversion.format->element;
  const auto largest = f.parts(f.max_code());
  CodedBlock coded = b.expected;
  for (size_t i = 0; i < b.x.size(); ++i) {
    const auto bits = std::bit_cast<uint32_t>(b.x[i]);
    // Half of a last place above the largest number: from there on rounding leaves the format.
    const bool is_above =
        scaled(b, bits & ~binary32::sign_mask, b.expected.scale)
            .compare(uint64_t(largest.significand) * 2 + 1, largest.exponent - 1) >= 0;
    if (is_above) coded.codes[i] = uint8_t(special(f, binary32::is_negative(bits)));
  }
  return coded;
}
Coded overflow_is_special(const Block& b) {
  if (!b.conversion.format->element->has_nan()) return {};
  return overflowing(
      b, [](const ElementFormat& f, bool negative) { return f.code(negative, f.max_code() + 1); });
}
Coded least_integer(const Block& b) {
  if (b.conversion.format->element->sign != Sign::twos_complement) return {};
  return overflowing(b, [](const ElementFormat& f, bool negative) {
    return negative ? f.sign_mask() : f.max_code();
  });
}

Coded subnormal_elements_lost(const Block& b) {
  const ElementFormat& f = *b.conversion.format->element;
  if (f.sign != Sign::magnitude) return {};
  CodedBlock coded = b.expected;
  for (uint8_t& code : coded.codes)
    if (f.magnitude(code) <= f.mantissa_mask()) code = uint8_t(f.code(is_negative(f, code), 0));
  return coded;
}
Coded least_scale_lost(const Block& b) {
  if (!has_e8m0(b) || !is_plain(b) || b.expected.scale != 0) return b.expected;
  return at_scale(b, 1);
}
Coded zeros_are_positive(const Block& b) {
  const ElementFormat& f = *b.conversion.format->element;
  CodedBlock coded = b.expected;
  for (uint8_t& code : coded.codes)
    if (f.magnitude(code) == 0) code = 0;
  return coded;
}
Coded zero_block_scale(const Block& b) {
  if (max_magnitude(b.x) != 0) return b.expected;
  return CodedBlock{b.got.scale, b.expected.codes};
}

void add_scale_hypotheses(std::vector<ConversionHypothesis>& table) {
  table.push_back({{"float_log2", octave,
                    "the scale comes from a binary32 logarithm, which is rounded up to an integer "
                    "just below powers of two"},
                   float_log2});
  table.push_back(moved("scale_low_by_bias", bias,
                        "the scale's code is one element bias low, the elements are right",
                        low_by_bias, false));
  table.push_back(moved("scale_high_by_bias", bias,
                        "the scale's code is one element bias high, the elements are right",
                        high_by_bias, false));
  for (const ScaleRule& rule : scale_rules)
    table.push_back(converted("rule " + std::string(rule.name), octave,
                              "the scale follows the rule " + std::string(rule.name),
                              [&rule](Conversion& c) {
                                if (c.format->has_tensor_scale() || c.rule == &rule) return false;
                                c.rule = &rule;
                                return true;
                              }));
  table.push_back(converted("relabel", octave, "the scale is taken from the pre-scaled elements",
                            [](Conversion& c) {
                              const bool applies = !c.prescale.is_one() && !c.relabel;
                              c.relabel = true;
                              return applies;
                            }));
  table.push_back(moved("scale_up", octave, "the scale is one octave up, and the elements follow",
                        one_up, true));
  table.push_back(moved("scale_down", octave,
                        "the scale is one octave down, and the elements follow", one_down, true));
  table.push_back(moved("scale_code_up", octave,
                        "the scale's code is one octave up, the elements are right", one_up,
                        false));
  table.push_back(moved("scale_code_down", octave,
                        "the scale's code is one octave down, the elements are right", one_down,
                        false));
}

std::vector<ConversionHypothesis> make_table() {
  std::vector<ConversionHypothesis> table;
  table.push_back(to_nearest("ties_away", tie, "elements at a tie are rounded away from zero",
                             "rna", /*of_another=*/false));
  table.push_back(to_nearest("ties_even", tie, "elements at a tie are rounded to even", "rne",
                             /*of_another=*/false));
  table.push_back(to_nearest("nearest_even", rounding_direction,
                             "elements are rounded to nearest, ties to even", "rne",
                             /*of_another=*/true));
  table.push_back(to_nearest("nearest_away", rounding_direction,
                             "elements are rounded to nearest, ties away from zero", "rna",
                             /*of_another=*/true));
  add_scale_hypotheses(table);
  table.push_back(
      {{"overflow_is_special", saturation, "elements above the largest number become Inf or NaN"},
       overflow_is_special});
  table.push_back(
      {{"least_integer", saturation, "negative elements below the range become the code 0x80"},
       least_integer});
  table.push_back({{"subnormal_elements", subnormal, "elements that are subnormal become zero"},
                   subnormal_elements_lost});
  table.push_back(given_values("subnormal_inputs", subnormal,
                               "subnormal binary32 inputs count as zero", [](float x) {
                                 const auto bits = std::bit_cast<uint32_t>(x);
                                 return binary32::is_subnormal(bits) ? std::copysign(0.0f, x) : x;
                               }));
  table.push_back(
      {{"least_scale", subnormal, "the scale 2^-127 is never given"}, least_scale_lost});
  table.push_back({{"positive_zeros", zero_sign, "zeros lose their sign"}, zeros_are_positive});
  table.push_back(
      {{"zero_block", other, "an all-zero block has another scale code"}, zero_block_scale});
  table.push_back(
      rounded("toward_zero", rounding_direction, "elements are rounded toward zero", "rtz"));
  table.push_back(
      given_values("bfloat16_inputs", other, "inputs are rounded to bfloat16 first", [](float x) {
        const uint32_t bits = binary32::to_bfloat16_rne(std::bit_cast<uint32_t>(x));
        return std::bit_cast<float>(bits << 16);
      }));
  table.push_back(converted("prescale", other, "the pre-scale is left out", [](Conversion& c) {
    const bool applies = !c.prescale.is_one();
    c.prescale = {};
    return applies;
  }));
  table.push_back({{"float_log2 and ties_away", tie,
                    "a binary32 logarithm for the scale, and ties away from zero",
                    /*is_combined=*/true},
                   float_log2_and_ties_away});
  return table;
}

}  // namespace

const std::vector<ConversionHypothesis>& conversion_hypotheses() {
  static const std::vector<ConversionHypothesis> table = make_table();
  return table;
}

}  // namespace mxref
