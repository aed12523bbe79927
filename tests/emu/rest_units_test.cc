// Golden vectors of the units of the rest, each against the second construction.

#include <bit>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <map>
#include <set>

#include "emu/vectors/rest_units.h"
#include "tests/emu/bits_of.h"
#include "tests/emu/rest_oracle.h"
#include "tests/temporary_folder.h"
#include "tests/vector_reader.h"

using namespace mxref;
using namespace mxref::oracle;

namespace {

constexpr const char* rest_units[] = {"rms_norm", "softmax", "gated_silu", "rotary"};

VectorTable make(const char* unit, const std::string& kind, int64_t count = 0, uint64_t seed = 1,
                 const UnitRows* rows = nullptr) {
  return find_by_name(units, "unit", unit)
      .make({.a = nullptr,
             .b = nullptr,
             .datapath = nullptr,
             .conversion = {},
             .kind = kind,
             .count = count,
             .seed = seed,
             .rows = rows});
}

const VectorColumn& column(const VectorTable& table, std::string_view name) {
  return find_by_name(table.columns, "column", name);
}
// The numbers of one vector; one number.
Values row(const VectorTable& table, const char* name, size_t vector) {
  const VectorColumn& c = column(table, name);
  Values values;
  for (size_t i = 0; i < size_t(c.items); ++i)
    values.push_back(std::bit_cast<float>(c.item(vector * size_t(c.items) + i)));
  return values;
}
float number(const VectorTable& table, const char* name, size_t vector) {
  return row(table, name, vector)[0];
}

bool same(const Values& x, const Values& y) {
  return std::ranges::equal(x, y, [](float a, float b) { return bits_of(a) == bits_of(b); });
}

// ---- what a unit gives for a vector's inputs, and what one with a fault gives

using Outputs = std::map<const char*, Values>;

// Planted: squares are rounded before they are added.
Outputs rms_norm(const VectorTable& t, size_t i, bool fault) {
  const Values x = row(t, "x", i), w = row(t, "w", i);
  const float eps = number(t, "eps", i);
  if (!fault) return {{"y", oracle_rms_norm(x, w, eps)}};
  const float q = oracle_ordered_sum(x, [](float sum, float v) { return plus(sum, times(v, v)); });
  const float r = correctly_rounded("rsqrt", plus(over(q, float(x.size())), eps));
  Values y;
  for (size_t k = 0; k < x.size(); ++k) y.push_back(times(times(x[k], r), w[k]));
  return {{"y", y}};
}

// Planted: the terms are summed one after the other.
Outputs softmax(const VectorTable& t, size_t i, bool fault) {
  return {{"p", oracle_softmax(row(t, "scores", i), number(t, "factor", i), fault ? 1 : 16)}};
}

// Planted: SiLU by binary64 arithmetic.
Outputs gated_silu(const VectorTable& t, size_t i, bool fault) {
  const float gate = number(t, "gate", i);
  const float silu =
      fault ? float(gate / (1 + std::exp(-double(gate)))) : correctly_rounded("silu", gate);
  return {{"y", {times(silu, number(t, "up", i))}}};
}

// Planted: the second product and the sum are rounded once.
Outputs rotary(const VectorTable& t, size_t i, bool fault) {
  const auto position = float(column(t, "position").item(i));
  const float angle = times(position, number(t, "frequency", i));
  const float c = correctly_rounded("cos", angle), s = correctly_rounded("sin", angle);
  const float x1 = number(t, "x1", i), x2 = number(t, "x2", i);
  const float y1 = fault ? ieee_fma(-x2, s, times(x1, c)) : minus(times(x1, c), times(x2, s));
  return {{"angle", {angle}},
          {"cos", {c}},
          {"sin", {s}},
          {"y1", {y1}},
          {"y2", {plus(times(x2, c), times(x1, s))}}};
}

const std::map<std::string, Outputs (*)(const VectorTable&, size_t, bool)> unit_oracles{
    {"rms_norm", rms_norm}, {"softmax", softmax}, {"gated_silu", gated_silu}, {"rotary", rotary}};

// ---- what the directed vectors say of themselves

// Whether the real result lies in the middle of two binary32 numbers. It must be exact in binary64.
bool is_tie(double real) {
  const auto near = float(real);
  const float other = std::nextafter(near, real > near ? INFINITY : -INFINITY);
  return real != near && real - near == other - real;
}
bool is_subnormal(float x) { return std::fpclassify(x) == FP_SUBNORMAL; }
bool any(const Values& values, bool (*holds)(float)) { return std::ranges::any_of(values, holds); }
bool is_nan(float x) { return bits_of(x) == 0x7FC00000; }
bool is_infinite(float x) { return std::isinf(x); }
bool is_plus_zero(float x) { return bits_of(x) == 0; }

struct Norm {
  Values x, w, y;
  float eps, q, mean, r;
};
Norm norm_of(const VectorTable& t, size_t i) {
  Norm n{row(t, "x", i), row(t, "w", i), row(t, "y", i), number(t, "eps", i), 0, 0, 0};
  n.q = oracle_ordered_sum(n.x, [](float sum, float v) { return ieee_fma(v, v, sum); });
  n.mean = over(n.q, float(n.x.size()));
  n.r = correctly_rounded("rsqrt", plus(n.mean, n.eps));
  return n;
}

// Of each vector whose comment has these words.
struct Claim {
  const char* unit;
  const char* words;
  bool (*holds)(const VectorTable& table, size_t vector);
};
const Claim claims[] = {
    {"rms_norm", "r is +0", [](const auto& t, size_t i) { return is_plus_zero(norm_of(t, i).r); }},
    {"rms_norm", "r is +Inf", [](const auto& t, size_t i) { return norm_of(t, i).r == INFINITY; }},
    {"rms_norm", "just below overflow",
     [](const auto& t, size_t i) {
       const float q = norm_of(t, i).q;
       return std::isfinite(q) && q > 0x1p126f;
     }},
    {"rms_norm", "squares are subnormal",
     [](const auto& t, size_t i) {
       return is_subnormal(times(norm_of(t, i).x[0], norm_of(t, i).x[0]));
     }},
    {"rms_norm", "to the least subnormal number",
     [](const auto& t, size_t i) {
       return times(norm_of(t, i).x[0], norm_of(t, i).x[0]) == 0x1p-149f;
     }},
    {"rms_norm", "the mean is subnormal",
     [](const auto& t, size_t i) { return is_subnormal(norm_of(t, i).mean); }},
    {"rms_norm", "x is subnormal",
     [](const auto& t, size_t i) { return any(norm_of(t, i).x, is_subnormal); }},
    {"rms_norm", "y is subnormal",
     [](const auto& t, size_t i) { return any(norm_of(t, i).y, is_subnormal); }},
    {"rms_norm", "y is the least",
     [](const auto& t, size_t i) {
       const Norm n = norm_of(t, i);
       return any(n.y, [](float y) { return y == 0; }) && any(n.y, is_subnormal);
     }},
    {"rms_norm", "y overflows",
     [](const auto& t, size_t i) { return any(norm_of(t, i).y, is_infinite); }},
    {"rms_norm", "y ties",
     [](const auto& t, size_t i) {
       const Norm n = norm_of(t, i);
       return n.r == 1 && is_tie(double(n.x[0]) * n.w[0]);
     }},
    {"rms_norm", "the mean and eps tie",
     [](const auto& t, size_t i) {
       const Norm n = norm_of(t, i);
       return is_tie(double(n.mean) + n.eps);
     }},
    {"rms_norm", "eps is lost",
     [](const auto& t, size_t i) {
       const Norm n = norm_of(t, i);
       return n.eps > 0 && plus(n.mean, n.eps) == n.mean;
     }},
    {"rms_norm", "r is 1", [](const auto& t, size_t i) { return norm_of(t, i).r == 1; }},
    {"rms_norm", "r is a power of two",
     [](const auto& t, size_t i) {
       int exponent = 0;
       return std::frexp(norm_of(t, i).r, &exponent) == 0.5f;
     }},
    {"rms_norm", "r is 2^(1/2)",
     [](const auto& t, size_t i) {
       int exponent = 0;
       return std::frexp(norm_of(t, i).r, &exponent) == 0x1.6a09e6p-1f;
     }},
    {"rms_norm", "before it is rounded",
     [](const auto& t, size_t i) {
       return norm_of(t, i).q != oracle_ordered_sum(norm_of(t, i).x, [](float sum, float v) {
                return plus(sum, times(v, v));
              });
     }},
    {"rms_norm", "NaN", [](const auto& t, size_t i) { return any(norm_of(t, i).y, is_nan); }},
    {"rms_norm", "order keeps or loses",
     [](const auto& t, size_t i) {
       const auto step = [](float sum, float v) { return ieee_fma(v, v, sum); };
       return norm_of(t, i).q != oracle_ordered_sum(norm_of(t, i).x, step, 1);
     }},
    {"softmax", "all scores equal",
     [](const auto& t, size_t i) { return row(t, "p", i) == Values(rest_width, 0.025f); }},
    {"softmax", "all others underflow",
     [](const auto& t, size_t i) {
       const Values p = row(t, "p", i);
       return std::ranges::count_if(p, is_plus_zero) == std::ssize(p) - 1;
     }},
    {"softmax", "all others are subnormal",
     [](const auto& t, size_t i) {
       const Values p = row(t, "p", i);
       return std::ranges::count_if(p, is_subnormal) == std::ssize(p) - 1;
     }},
    {"softmax", "round to the least",
     [](const auto& t, size_t i) {
       return std::ranges::count(row(t, "p", i), 0x1p-149f) == std::ssize(row(t, "p", i)) - 1;
     }},
    {"softmax", "others round to +0",
     [](const auto& t, size_t i) {
       return std::ranges::count_if(row(t, "p", i), is_plus_zero) == std::ssize(row(t, "p", i)) - 1;
     }},
    {"softmax", "p is subnormal",
     [](const auto& t, size_t i) {
       return any(row(t, "p", i), is_subnormal) &&
              correctly_rounded("exp", row(t, "scores", i)[0]) >= 0x1p-126f;
     }},
    {"softmax", "p rounds to +0",
     [](const auto& t, size_t i) {
       return any(row(t, "p", i), is_plus_zero) &&
              is_subnormal(correctly_rounded("exp", row(t, "scores", i)[0]));
     }},
    {"softmax", "NaN",
     [](const auto& t, size_t i) { return std::ranges::all_of(row(t, "p", i), is_nan); }},
    {"softmax", "scaling ties to even",
     [](const auto& t, size_t i) {
       return is_tie(double(row(t, "scores", i)[0]) * number(t, "factor", i));
     }},
    {"softmax", "scaling overflows to -Inf",
     [](const auto& t, size_t i) { return any(row(t, "p", i), is_plus_zero); }},
    {"softmax", "scaling underflows",
     [](const auto& t, size_t i) {
       const Values scores = row(t, "scores", i);
       return scores[0] != 0 && times(scores[0], number(t, "factor", i)) == 0;
     }},
    {"softmax", "scaling ties below",
     [](const auto& t, size_t i) {
       return times(row(t, "scores", i)[0], number(t, "factor", i)) == 0x1p-149f &&
              times(row(t, "scores", i)[1], number(t, "factor", i)) == 0;
     }},
    {"softmax", "the difference ties",
     [](const auto& t, size_t i) {
       return is_tie(double(row(t, "scores", i)[1]) - row(t, "scores", i)[0]);
     }},
    {"softmax", "the difference overflows",
     [](const auto& t, size_t i) {
       return minus(row(t, "scores", i)[1], row(t, "scores", i)[0]) == -INFINITY;
     }},
    {"softmax", "order keeps or loses",
     [](const auto& t, size_t i) {
       return !same(row(t, "p", i), oracle_softmax(row(t, "scores", i), 1, 1));
     }},
    {"gated_silu", "it is x",
     [](const auto& t, size_t i) {
       return correctly_rounded("silu", number(t, "gate", i)) == number(t, "gate", i);
     }},
    {"gated_silu", "below x",
     [](const auto& t, size_t i) {
       const float gate = number(t, "gate", i), silu = correctly_rounded("silu", gate);
       return (silu < gate) == (gate < 16);
     }},
    {"gated_silu", "it is -0",
     [](const auto& t, size_t i) {
       return bits_of(correctly_rounded("silu", number(t, "gate", i))) == 0x80000000;
     }},
    {"gated_silu", "silu is subnormal",
     [](const auto& t, size_t i) {
       return is_subnormal(correctly_rounded("silu", number(t, "gate", i)));
     }},
    {"gated_silu", "silu is the least normal",
     [](const auto& t, size_t i) {
       return std::fabs(correctly_rounded("silu", number(t, "gate", i))) == 0x1p-126f;
     }},
    {"gated_silu", "y ties",
     [](const auto& t, size_t i) {
       return is_tie(double(number(t, "gate", i)) * number(t, "up", i));
     }},
    {"gated_silu", "y is subnormal",
     [](const auto& t, size_t i) { return is_subnormal(number(t, "y", i)); }},
    {"gated_silu", "y overflows",
     [](const auto& t, size_t i) { return std::isinf(number(t, "y", i)); }},
    {"gated_silu", "NaN", [](const auto& t, size_t i) { return is_nan(number(t, "y", i)); }},
    {"rotary", "NaN", [](const auto& t, size_t i) { return is_nan(number(t, "y1", i)); }},
    {"rotary", "y1 ties",
     [](const auto& t, size_t i) {
       const double product = double(number(t, "x2", i)) * number(t, "sin", i);
       return number(t, "cos", i) == 1 && is_tie(double(number(t, "x1", i)) - product);
     }},
    {"rotary", "y2 ties",
     [](const auto& t, size_t i) {
       const double product = double(number(t, "x1", i)) * number(t, "sin", i);
       return number(t, "cos", i) == 1 && is_tie(double(number(t, "x2", i)) + product);
     }},
    {"rotary", "is x - x",
     [](const auto& t, size_t i) {
       return is_plus_zero(number(t, "y1", i)) != is_plus_zero(number(t, "y2", i));
     }},
    {"rotary", "the angle ties",
     [](const auto& t, size_t i) {
       return is_tie(double(column(t, "position").item(i)) * number(t, "frequency", i));
     }},
    {"rotary", "half the least",
     [](const auto& t, size_t i) {
       return double(number(t, "x2", i)) * number(t, "sin", i) == 0x1p-149;
     }},
    {"rotary", "is small",
     [](const auto& t, size_t i) {
       return std::min(std::fabs(number(t, "cos", i)), std::fabs(number(t, "sin", i))) < 0.01f;
     }},
    {"rotary", "sin is lost",
     [](const auto& t, size_t i) { return number(t, "y1", i) == 1 && number(t, "y2", i) == 1; }},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(units_of_the_rest)

BOOST_AUTO_TEST_CASE(every_vector_is_what_mpfr_gives) {
  for (const char* unit : rest_units)
    for (const char* kind : {"directed", "random"}) {
      const VectorTable table = make(unit, kind, 1000);
      int mismatches = 0, control = 0;
      for (size_t i = 0; i < table.count; ++i)
        for (const bool fault : {false, true})
          for (const auto& [name, expected] : unit_oracles.at(unit)(table, i, fault)) {
            const bool differs = !same(row(table, name, i), expected);
            (fault ? control : mismatches) += differs;
            if (!fault && differs)
              BOOST_TEST_MESSAGE(unit << " " << kind << ", vector " << i << ", " << name);
          }
      BOOST_TEST(mismatches == 0, unit << " " << kind);
      BOOST_TEST(control > 0, unit << " " << kind);
    }
}

BOOST_AUTO_TEST_CASE(directed_vectors_reach_what_their_comments_say) {
  for (const char* unit : rest_units) {
    const VectorTable table = make(unit, "directed");
    BOOST_TEST(table.comments.size() == table.count);
    BOOST_TEST(std::ranges::count(table.comments, "") == 0);
    for (const Claim& claim : claims) {
      if (claim.unit != std::string(unit)) continue;
      int found = 0, otherwise = 0;
      for (size_t i = 0; i < table.count; ++i) {
        const bool said = table.comments[i].find(claim.words) != std::string::npos;
        const bool holds = claim.holds(table, i);
        found += said && holds;
        otherwise += !holds;
        BOOST_TEST((!said || holds), unit << ", vector " << i << ": " << table.comments[i]);
      }
      BOOST_TEST(found > 0, unit << ": " << claim.words);
      BOOST_TEST(otherwise > 0, unit << ": " << claim.words);  // the control
    }
  }
}

BOOST_AUTO_TEST_CASE(special_values_are_among_the_random_ones) {
  for (const char* unit : rest_units) {
    const VectorTable table = make(unit, "random");
    BOOST_TEST(table.count == 1000u);
    const std::set<std::string> others{"eps", "factor", "position", "frequency", "angle",
                                       "cos", "sin",    "y1",       "y2"};
    for (const VectorColumn& c : table.columns) {
      if (others.contains(c.name)) continue;
      int nan = 0, minus_zero = 0, subnormal = 0;
      for (const uint32_t word : c.words) {
        nan += std::isnan(std::bit_cast<float>(word));
        minus_zero += word == 0x80000000;
        subnormal += is_subnormal(std::bit_cast<float>(word));
      }
      BOOST_TEST(nan > 0, unit << " " << c.name);
      BOOST_TEST((minus_zero > 0) == (c.name != "p"), unit << " " << c.name);
      BOOST_TEST(subnormal > 0, unit << " " << c.name);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_seed_decides_the_random_rows) {
  const auto words = [](const VectorTable& table) {
    std::vector<uint32_t> all;
    for (const VectorColumn& c : table.columns)
      all.insert(all.end(), c.words.begin(), c.words.end());
    return all;
  };
  for (const char* unit : rest_units) {
    BOOST_CHECK(words(make(unit, "random", 50, 7)) == words(make(unit, "random", 50, 7)));
    BOOST_CHECK(words(make(unit, "random", 50, 7)) != words(make(unit, "random", 50, 8)));
    BOOST_CHECK(words(make(unit, "directed", 5, 7)) == words(make(unit, "directed", 5, 8)));
    BOOST_TEST(make(unit, "directed", 5).count == 5u);
    BOOST_TEST(make(unit, "directed", 5).comments.size() == 5u);
  }
}

BOOST_AUTO_TEST_CASE(rows_of_a_model_are_taken_as_they_are) {
  const UnitRows rows{.width = 3,
                      .inputs = {{0x3F800000, 0x40000000, 0xBF800000, 0, 0, 1},
                                 {0x3F800000, 0x3F800000, 0x3F800000, 0, 0, 0},
                                 {0x358637BD, 0x358637BD}},
                      .source = "m: norm (2)"};
  const VectorTable table = make("rms_norm", "model", 1, 1, &rows);
  BOOST_TEST(table.count == 2u);
  BOOST_TEST(table.header.at("source") == rows.source);
  BOOST_TEST(table.header.at("width") == "3");
  BOOST_TEST(table.header.at("eps") == "358637bd");
  BOOST_TEST(table.header.at("rest") == "strict");
  for (size_t i = 0; i < 2; ++i)
    BOOST_CHECK(same(row(table, "y", i), rms_norm(table, i, false).at("y")));
  BOOST_TEST(!make("rms_norm", "random").header.contains("eps"));  // it varies
}

BOOST_AUTO_TEST_CASE(every_form_reads_back_what_was_written) {
  const TemporaryFolder folder;
  for (const char* unit : rest_units)
    for (const char* kind : {"directed", "random"})
      for (const VectorForm& form : vector_forms) {
        const VectorTable table = make(unit, kind, 30);
        form.write_table(table, folder / "vectors");
        const auto v = read_unit_vectors(form.name, folder / "vectors");
        BOOST_CHECK(v.header == table.header);
        BOOST_TEST(v.header.contains("format") == false);
        BOOST_TEST(v.words.size() == table.columns.size());
        for (const VectorColumn& c : table.columns)
          BOOST_TEST(std::ranges::equal(v.words.at(c.name), c.words), unit << " " << c.name);
        if (kind == std::string("directed")) BOOST_CHECK(v.comments == table.comments);
        // The control: a word that was changed is seen.
        std::string bytes = read_file(folder / "vectors");
        bytes[bytes.size() - 3] ^= 1;
        write_atomically(folder / "vectors", bytes);
        bool seen = false;
        try {
          const auto changed = read_unit_vectors(form.name, folder / "vectors");
          seen = changed.words != v.words;
        } catch (const std::exception&) {
          seen = true;
        }
        BOOST_TEST(seen, unit << " " << form.name);
      }
}

BOOST_AUTO_TEST_SUITE_END()
