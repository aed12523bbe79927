// What a simulator of a product may have done instead. Where several hypotheses give as many of
// the differences, the first in this table is named.

#include <algorithm>
#include <bit>

#include "emu/audit/float_sums.h"
#include "emu/audit/product.h"
#include "emu/audit/varied_dot.h"
#include "emu/binary32.h"

namespace mxref {
namespace {

using Element = ProductElement;
using IsGot = ProductHypothesis::IsGot;
using enum DifferenceClass;

// The definition with a datapath, codes or scales of its own.
struct Operands {
  std::vector<uint8_t> codes_a, codes_b, scales_a, scales_b;

  explicit Operands(const Element& e)
      : codes_a(e.a.codes.begin(), e.a.codes.end()),
        codes_b(e.b.codes.begin(), e.b.codes.end()),
        scales_a(e.a.scales.begin(), e.a.scales.end()),
        scales_b(e.b.scales.begin(), e.b.scales.end()) {}

  uint32_t result(const Element& e) const { return result(e, e.datapath); }
  uint32_t result(const Element& e, const Datapath& datapath) const {
    const RowView a{e.a.format, e.a.block, codes_a, scales_a};
    const RowView b{e.b.format, e.b.block, codes_b, scales_b};
    return e.finished([&](uint32_t start) { return dot_ref(datapath, start, a, b); });
  }
};

uint32_t on_datapath(const Element& e, const Datapath& datapath) {
  return e.finished([&](uint32_t start) { return dot_ref(datapath, start, e.a, e.b); });
}

ProductHypothesis varied(std::string name, DifferenceClass difference, std::string what,
                         const Variation& variation) {
  return {{std::move(name), difference, std::move(what)},
          [variation](const Element& e, const IsGot& is_got) {
            if (!varied_dot(variation, e.datapath, 0, e.a, e.b)) return false;
            return is_got(e.finished([&](uint32_t start) {
              return *varied_dot(variation, e.datapath, start, e.a, e.b);
            }));
          }};
}

// C added last or, where the sum can begin with it, as its start: -0 and +0 are no matter here.
ProductHypothesis summed(const FloatSum& row) {
  return {{std::string(row.name), order, std::string(row.what)},
          [&row](const Element& e, const IsGot& is_got) {
            const ResultBits bits =
                e.type == DType::F32 ? ResultBits::thirty_two : ResultBits::sixteen;
            if (row.results != ResultBits::any && row.results != bits) return false;
            const auto c = std::bit_cast<float>(e.c);
            const float sum = row.sum(e.a_values, e.b_values, e.a.block, 0);
            if (is_got(std::bit_cast<uint32_t>(sum + c))) return true;
            if (c == 0 && is_got(std::bit_cast<uint32_t>(sum))) return true;
            return row.takes_start &&
                   is_got(std::bit_cast<uint32_t>(row.sum(e.a_values, e.b_values, e.a.block, c)));
          }};
}

ProductHypothesis of_datapath(const Datapath& datapath) {
  return {{"datapath " + std::string(datapath.name), order,
           "the products are accumulated as " + std::string(datapath.name) + " does it"},
          [&datapath](const Element& e, const IsGot& is_got) {
            return e.datapath.name != datapath.name &&
                   no_product(*e.a.format, *e.b.format, e.a.block, datapath).empty() &&
                   is_got(on_datapath(e, datapath));
          }};
}

// The scale `octaves` up; nothing where the format ends.
std::optional<uint8_t> moved(const ScaleFormat& format, uint8_t code, int octaves) {
  if (format.is_nan(code)) return {};
  const int step = format.number ? octaves << format.number->mantissa_bits : octaves;
  const int last = format.number ? int(format.number->max_code()) : e8m0::nan - 1;
  const int result = (format.number ? int(code & format.number->magnitude_mask()) : code) + step;
  if (result < 0 || result > last) return {};
  return uint8_t(result);
}
// At the format's end a scale stays.
void move_all(const ScaleFormat& format, std::vector<uint8_t>& scales, int octaves) {
  for (uint8_t& scale : scales) scale = moved(format, scale, octaves).value_or(scale);
}

// All scales of one operand, of both, or one scale alone.
ProductHypothesis all_scales(std::string name, std::string what, int octaves, bool both) {
  return {{std::move(name), octave, std::move(what)},
          [octaves, both](const Element& e, const IsGot& is_got) {
            Operands moved_a(e), moved_b(e);
            move_all(*e.a.format->scale, moved_a.scales_a, octaves);
            move_all(*e.b.format->scale, both ? moved_a.scales_b : moved_b.scales_b, octaves);
            return is_got(moved_a.result(e)) || (!both && is_got(moved_b.result(e)));
          }};
}
bool one_scale(const Element& e, const IsGot& is_got) {
  for (size_t block = 0; block < e.a.scales.size(); ++block)
    for (int octaves : {1, -1})
      for (bool of_a : {true, false}) {
        Operands operands(e);
        uint8_t& scale = (of_a ? operands.scales_a : operands.scales_b)[block];
        const auto other = moved(*(of_a ? e.a : e.b).format->scale, scale, octaves);
        if (!other) continue;
        scale = *other;
        if (is_got(operands.result(e))) return true;
      }
  return false;
}

bool flushes(const Element& e, const IsGot& is_got) {
  Datapath datapath = e.datapath;
  datapath.ftz = true;
  const auto flushed = [](uint32_t bits) {
    return binary32::is_subnormal(bits) ? bits & binary32::sign_mask : bits;
  };
  return is_got(on_datapath(e, datapath)) || is_got(flushed(e.expected));
}

// A code that counts as the zero of its sign.
void make_zero(const ElementFormat& f, uint8_t& code) {
  code = uint8_t(f.code(is_negative(f, code), 0));
}
bool loses_subnormal_elements(const Element& e, const IsGot& is_got) {
  Operands operands(e);
  const auto lose = [](const ElementFormat& f, std::vector<uint8_t>& codes) {
    for (uint8_t& code : codes)
      if (f.sign == Sign::magnitude && f.magnitude(code) <= f.mantissa_mask()) make_zero(f, code);
  };
  lose(*e.a.format->element, operands.codes_a);
  lose(*e.b.format->element, operands.codes_b);
  return is_got(operands.result(e));
}
bool loses_subnormal_values(const Element& e, const IsGot& is_got) {
  Operands operands(e);
  const auto lose = [](const ElementFormat& f, std::span<const float> values,
                       std::vector<uint8_t>& codes) {
    for (size_t i = 0; i < codes.size(); ++i)
      if (binary32::is_subnormal(std::bit_cast<uint32_t>(values[i]))) make_zero(f, codes[i]);
  };
  lose(*e.a.format->element, e.a_values, operands.codes_a);
  lose(*e.b.format->element, e.b_values, operands.codes_b);
  return is_got(operands.result(e));
}
// The scale 2^-127 is no normal binary32.
bool loses_least_scale(const Element& e, const IsGot& is_got) {
  Operands operands(e);
  const auto lose = [](const RowView& row, std::vector<uint8_t>& codes) {
    for (size_t i = 0; i < codes.size(); ++i)
      if (row.scales[i / size_t(row.block)] == 0) make_zero(*row.format->element, codes[i]);
  };
  lose(e.a, operands.codes_a);
  lose(e.b, operands.codes_b);
  return is_got(operands.result(e));
}

bool saturates(const Element& e, const IsGot& is_got) {
  return binary32::is_inf(e.expected) && is_got(e.expected - 1);  // the largest finite number
}

bool leaves_factor_out(const Element& e, const IsGot& is_got) {
  if (!e.has_last_step) return false;
  // C as the accumulator's start, or added last.
  return is_got(dot_ref(e.datapath, e.c, e.a, e.b)) ||
         is_got(last_step(e.datapath, dot_ref(e.datapath, 0, e.a, e.b), {}, e.c));
}
bool leaves_c_out(const Element& e, const IsGot& is_got) {
  Element without = e;
  without.c = 0;
  return is_got(on_datapath(without, e.datapath));
}

bool leaves_short_block_out(const Element& e, const IsGot& is_got) {
  const size_t whole = e.a.codes.size() / size_t(e.a.block) * size_t(e.a.block);
  if (whole == e.a.codes.size()) return is_got(e.expected);
  Operands operands(e);
  for (auto* codes : {&operands.codes_a, &operands.codes_b}) codes->resize(whole);
  for (auto* scales : {&operands.scales_a, &operands.scales_b}) scales->pop_back();
  return is_got(operands.result(e));
}

std::vector<ProductHypothesis> make_table() {
  std::vector<ProductHypothesis> table;
  table.push_back(varied("scale_product", saturation,
                         "the product of two scales overflows or vanishes in binary32 before it "
                         "meets the sum",
                         {.scale_product_in_binary32 = true}));
  table.push_back(
      {{"saturates", saturation, "an overflow gives the largest finite number"}, saturates});
  table.push_back({{"ftz", subnormal, "subnormal results become zero"}, flushes});
  table.push_back({{"subnormal_elements", subnormal, "subnormal elements count as zero"},
                   loses_subnormal_elements});
  table.push_back({{"subnormal_values", subnormal,
                    "elements whose dequantized binary32 is subnormal count as zero"},
                   loses_subnormal_values});
  table.push_back(
      {{"least_scale", subnormal, "the scale code 0, 2^-127, counts as zero"}, loses_least_scale});
  table.push_back(varied("ties_away", tie, "every sum at a tie is rounded away from zero",
                         {.rounding = Direction::nearest_away}));
  table.push_back(all_scales("scale_up", "the scales of one operand are one octave up", 1, false));
  table.push_back(
      all_scales("scale_down", "the scales of one operand are one octave down", -1, false));
  table.push_back(
      all_scales("scales_up", "the scales of both operands are one octave up", 1, true));
  table.push_back(
      all_scales("scales_down", "the scales of both operands are one octave down", -1, true));
  for (const FloatSum& row : float_sums) table.push_back(summed(row));
  for (const Datapath& row : datapaths) table.push_back(of_datapath(row));
  table.push_back({{"one_scale", octave, "one scale is one octave up or down"}, one_scale});
  table.push_back(varied("nan_scale", nan, "the NaN scale 0xff counts as 2^128",
                         {.nan_scale_is_number = true}));
  table.push_back(varied("nan_element", nan, "NaN elements count as the numbers of their bits",
                         {.nan_element_is_number = true}));
  table.push_back(varied("toward_zero", rounding_direction, "every sum is rounded toward zero",
                         {.rounding = Direction::toward_zero}));
  table.push_back({{"factor", other, "the factor of the pre-scales or tensor scales is left out"},
                   leaves_factor_out});
  table.push_back({{"c", other, "C is left out"}, leaves_c_out});
  table.push_back(
      {{"short_block", other, "a row's short last block is left out"}, leaves_short_block_out});
  return table;
}

}  // namespace

const std::vector<ProductHypothesis>& product_hypotheses() {
  static const std::vector<ProductHypothesis> table = make_table();
  return table;
}

}  // namespace mxref
