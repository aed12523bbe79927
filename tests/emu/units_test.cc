// Golden vectors of single units, against binary64 and the second construction of the conversions.

#include "emu/vectors/units.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <set>

#include "emu/files/atomic_file.h"
#include "tests/emu/conversion_oracle.h"
#include "tests/emu/datapath_oracle.h"
#include "tests/emu/random_word.h"
#include "tests/temporary_folder.h"

using namespace mxref;

BOOST_AUTO_TEST_SUITE(vector_units)

static VectorTable make(const char* unit, const BlockFormat& a, const BlockFormat& b,
                        const std::string& kind, const Datapath& d = datapath("fused"),
                        Conversion conversion = {}) {
  conversion.format = &a;
  conversion.block = a.block;
  return find_by_name(units, "unit", unit)
      .make({.a = &a, .b = &b, .datapath = &d, .conversion = conversion, .kind = kind});
}

static const VectorColumn& column(const VectorTable& table, std::string_view name) {
  return find_by_name(table.columns, "column", name);
}
static uint32_t item(const VectorTable& table, const char* name, size_t i) {
  return column(table, name).item(i);
}

// Bits of a number of few bits; every NaN is the canonical one.
static uint32_t bits_of(const oracle::Number& v) {
  if (v.kind == oracle::Number::nan) return 0x7FC00000;
  const uint32_t sign = v.negative ? 0x80000000 : 0;
  if (v.kind == oracle::Number::infinite) return sign | 0x7F800000;
  return sign | std::bit_cast<uint32_t>(std::ldexp(float(v.significand), v.exponent));
}

BOOST_AUTO_TEST_CASE(every_code_is_decoded) {
  for (const BlockFormat& f : block_formats) {
    const VectorTable table = make("decode", f, f, "exhaustive");
    BOOST_TEST(table.count == size_t(1) << f.element->bits());
    for (size_t i = 0; i < table.count; ++i) {
      const oracle::Number v = oracle::element(*f.element, item(table, "code", i));
      BOOST_TEST(item(table, "code", i) == i);
      BOOST_TEST(item(table, "value", i) == bits_of(v), f.name << " code " << i);
    }
  }
}

BOOST_AUTO_TEST_CASE(every_pair_of_codes_is_multiplied) {
  for (const BlockFormat& a : block_formats)
    for (const BlockFormat& b : block_formats) {
      if (a.scale != b.scale) continue;
      const VectorTable table = make("multiply", a, b, "exhaustive");
      std::set<std::pair<uint32_t, uint32_t>> pairs;
      int mismatches = 0, control = 0;
      for (size_t i = 0; i < table.count; ++i) {
        const uint32_t x = item(table, "code_a", i), y = item(table, "code_b", i);
        pairs.emplace(x, y);
        oracle::Number p =
            oracle::product(oracle::element(*a.element, x), oracle::element(*b.element, y));
        mismatches += item(table, "product", i) != bits_of(p);
        p.negative = false;  // planted: the sign is lost
        control += item(table, "product", i) != bits_of(p);
      }
      BOOST_TEST(pairs.size() == size_t(1) << (a.element->bits() + b.element->bits()));
      BOOST_TEST(mismatches == 0, a.name << " × " << b.name);
      BOOST_TEST(control > 0);
    }
}

BOOST_AUTO_TEST_CASE(every_pair_of_scales_is_multiplied) {
  for (const char* name : {"mxfp4", "nvfp4"}) {
    const BlockFormat& f = block_format(name);
    const VectorTable table = make("scale_product", f, f, "exhaustive");
    BOOST_TEST(table.count == 0x10000u);
    int mismatches = 0;
    for (size_t i = 0; i < table.count; ++i) {
      const oracle::Number p =
          oracle::product(oracle::scale(*f.scale, uint8_t(item(table, "scale_a", i))),
                          oracle::scale(*f.scale, uint8_t(item(table, "scale_b", i))));
      const bool nan = p.kind == oracle::Number::nan;
      mismatches += item(table, "is_nan", i) != uint32_t(nan);
      if (!nan)
        mismatches +=
            std::ldexp(item(table, "significand", i), int16_t(item(table, "exponent", i))) !=
            std::ldexp(double(p.significand), p.exponent);
    }
    BOOST_TEST(mismatches == 0, name);
  }
  BOOST_CHECK_THROW(
      make("scale_product", block_format("mxfp4"), block_format("nvfp4"), "exhaustive"),
      UsageError);
}

// The sum of 80 bits and the scales, added by the second construction.
static uint32_t accumulated(const VectorTable& table, size_t i, const BlockFormat& f,
                            const Datapath& d) {
  const auto bytes = column(table, "sum").bytes.subspan(i * 10, 10);
  oracle::Real sum = int8_t(bytes[9]);
  for (size_t byte = 9; byte-- > 0;) sum = sum * 256 + bytes[byte];
  const oracle::Number x =
      oracle::product(oracle::scale(*f.scale, uint8_t(item(table, "scale_a", i))),
                      oracle::scale(*f.scale, uint8_t(item(table, "scale_b", i))));
  const uint32_t acc = item(table, "acc_in", i);
  oracle::Sum all;
  all.add(oracle::binary32_number(acc));
  const uint32_t special = item(table, "special", i);
  if (special == 1 || x.kind == oracle::Number::nan) all.nan = true;
  if (special == 2) all.plus_infinity = true;
  if (special == 3) all.minus_infinity = true;
  if (all.is_nan()) return 0x7FC00000;
  // Of blockwise a sum that overflows may still meet the opposite infinity.
  if (all.is_infinite() && (d.kind == Accumulation::fused || special != 0)) return all.infinity();
  const int unit_log2 = std::stoi(table.header.at("unit_log2"));
  oracle::Real term = sum * oracle::real(x.significand, x.exponent);
  term = unit_log2 < 0 ? oracle::Real(term >> unsigned(-unit_log2)) : term;
  if (d.kind == Accumulation::blockwise) {
    const oracle::Number t = oracle::binary32_number(oracle::nearest32(term));
    return oracle::ieee_sum(t, acc);
  }
  all.value += term;
  return all.value == 0 ? 0 : oracle::nearest32(all.value);
}

BOOST_AUTO_TEST_CASE(sums_are_accumulated) {
  for (const char* format : {"mxfp4", "mxfp8_e5m2", "mxint8", "nvfp4"})
    for (const char* name : {"fused", "blockwise"}) {
      const BlockFormat& f = block_format(format);
      const Datapath& d = datapath(name);
      for (const char* kind : {"directed", "random"}) {
        const VectorTable table = make("accumulate", f, f, kind, d);
        int mismatches = 0, control = 0;
        for (size_t i = 0; i < table.count; ++i) {
          const uint32_t out = item(table, "acc_out", i);
          uint32_t expected = accumulated(table, i, f, d);
          // Which zero it is depends on the products, which are not there.
          if ((expected << 1) == 0 && (out << 1) == 0) expected = out;
          mismatches += out != expected;
          control +=
              out != accumulated(table, i, f,
                                 datapath(name == std::string("fused") ? "blockwise" : "fused"));
        }
        BOOST_TEST(mismatches == 0, format << " " << name << " " << kind);
        if (!f.has_tensor_scale()) BOOST_TEST(control > 0, format << " " << name << " " << kind);
      }
    }
  BOOST_CHECK_THROW(
      make("accumulate", block_formats[0], block_formats[0], "random", datapath("sequential")),
      UsageError);
}

BOOST_AUTO_TEST_CASE(blocks_are_converted) {
  for (const BlockFormat& f : block_formats)
    for (const Rounding& rounding : roundings) {
      Conversion c{.format = &f, .rounding = &rounding};
      if (!f.has_tensor_scale() && rounding.name == "rna") c.prescale = {3, 4};
      for (const char* kind : {"directed", "random"}) {
        const VectorTable table = make("quantize", f, f, kind, datapaths[0], c);
        const auto block = size_t(f.block);
        std::vector<float> x;
        for (size_t i = 0; i < table.count * block; ++i)
          x.push_back(std::bit_cast<float>(item(table, "x", i)));
        Conversion whole = c;
        whole.block = f.block;
        whole.seed = UnitRequest{}.seed;
        whole.scale_by_row = f.has_tensor_scale();
        const MxTensor expected = oracle::convert(x, {int64_t(table.count), f.block}, whole);
        int mismatches = 0;
        std::set<uint8_t> seen;
        for (size_t i = 0; i < x.size(); ++i) {
          mismatches += item(table, "codes", i) != expected.codes[i];
          if (rounding.stochastic)
            mismatches += item(table, "random", i) != oracle::random_word(whole.seed, i);
          seen.insert(uint8_t(f.element->magnitude(expected.codes[i])));
        }
        for (size_t i = 0; i < table.count; ++i) {
          mismatches += item(table, "scale", i) != expected.scales[i];
          if (f.has_tensor_scale())
            mismatches += item(table, "tensor_scale", i) !=
                          std::bit_cast<uint32_t>(expected.tensor_scales[i]);
        }
        BOOST_TEST(mismatches == 0, f.name << " " << rounding.name << " " << kind);
        // Every magnitude that a conversion gives is among the directed ones; but where chance
        // rounds.
        if (kind == std::string("directed") && c.prescale.is_one() && !rounding.stochastic)
          BOOST_TEST(seen.size() == f.element->max_code() + 1, f.name << " " << rounding.name);
      }
    }
}

BOOST_AUTO_TEST_CASE(a_word_of_six_bits_is_padded_to_whole_digits) {
  const TemporaryFolder folder;
  const BlockFormat& f = block_format("mxfp6_e3m2");
  find_by_name(vector_forms, "form", "memh")
      .write_table(make("decode", f, f, "exhaustive"), folder / "decode.memh");
  const std::string text = read_file(folder / "decode.memh");
  BOOST_TEST(text.find("// unit: decode\n") != std::string::npos);
  BOOST_TEST(text.find("\n// code_value\n00_00000000\n01_3d800000\n") != std::string::npos);
  BOOST_TEST(text.ends_with("\n3f_c1e00000\n"));  // -28
}

BOOST_AUTO_TEST_SUITE_END()
