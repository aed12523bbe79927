#include <algorithm>
#include <bit>
#include <boost/test/unit_test.hpp>

#include "emu/audit/dump.h"
#include "emu/audit/report.h"
#include "emu/audit/shrink.h"
#include "emu/audit/stimulus.h"
#include "emu/audit/varied_dot.h"
#include "emu/crosscheck/random_product.h"
#include "emu/quantize.h"
#include "tests/temporary_folder.h"

using namespace mxref;

BOOST_AUTO_TEST_SUITE(audit)

static const BuiltinSimulator& builtin(std::string_view name) {
  return find_by_name(builtin_simulators, "simulator", name);
}

// What an audit of the simulator finds in products of the format, or conversions to it.
static AuditReport audited(Simulator& simulator, AuditOperation operation,
                           const BlockFormat& format, const Datapath& on = datapath("fused")) {
  const Conversion conversion{.format = &format};
  AuditCases cases;
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    if (operation == AuditOperation::conversion) {
      const ConversionInput input = audit_conversion(conversion, seed, RowEnds::any);
      cases.push_back(std::make_unique<ConversionCase>(input, simulator.convert(input)));
    } else {
      const ProductInput input = audit_product(conversion, conversion, seed, RowEnds::any);
      cases.push_back(std::make_unique<ProductCase>(input, simulator.multiply(input, on), on));
    }
  }
  return make_report(cases);
}

static bool explains(const AuditReport& report, std::string_view name) {
  return std::ranges::any_of(report.explanations, [&](auto& row) { return row.name == name; });
}

struct Named {
  std::string_view simulator;
  DifferenceClass difference;
  // Another hypothesis that is the same function in formats of bias 1, or whose elements bfloat16
  // holds: no audit can tell them apart.
  std::vector<std::string_view> same = {};
  bool hides_order = false;  // results of 16 bits are the same in several orders of summation
};
static const std::vector<Named> named_products{
    {"fake_quant", DifferenceClass::order, {"bfloat16_operands"}},
    {"fake_quant_bf16", DifferenceClass::order, {}, true},
    {"scale_product", DifferenceClass::saturation},
};
static const std::vector<Named> named_conversions{
    {"float_log2", DifferenceClass::octave},
    {"ties_away", DifferenceClass::tie},
    {"scale_low_by_bias", DifferenceClass::bias, {"scale_code_down"}},
};

static void check_named(const Named& named, AuditOperation operation, const BlockFormat& format) {
  const auto simulator = builtin(named.simulator).make();
  if (!simulator->refuses(format, format, format.block, datapath("fused")).empty()) return;
  const AuditReport report = audited(*simulator, operation, format);
  BOOST_TEST_CONTEXT(named.simulator << " in " << format.name) {
    BOOST_TEST_REQUIRE(!report.rows.empty());
    BOOST_TEST(report.different > 0);
    BOOST_TEST(report.different < report.compared);
    BOOST_TEST(report.rows[0].hypothesis == named.simulator);
    BOOST_TEST((report.rows[0].difference == named.difference));
    BOOST_TEST(explains(report, named.simulator));
    for (const Hypothesis& row : report.explanations)
      BOOST_TEST((row.name == named.simulator || std::ranges::count(named.same, row.name) > 0 ||
                  (named.hides_order && row.difference == DifferenceClass::order)),
                 row.name);
  }
}

BOOST_AUTO_TEST_CASE(every_builtin_simulator_is_named_rightly) {
  for (const BlockFormat& format : block_formats) {
    for (const Named& row : named_products) check_named(row, AuditOperation::product, format);
    for (const Named& row : named_conversions) check_named(row, AuditOperation::conversion, format);
  }
  // With the two that have no fault these are all.
  BOOST_TEST(builtin_simulators.size() == named_products.size() + named_conversions.size() + 2);
}

BOOST_AUTO_TEST_CASE(nothing_differs_of_the_definition_and_of_the_faultless_conversion) {
  for (const BlockFormat& format : block_formats)
    for (const auto& [name, operation] : {std::pair{"definition", AuditOperation::product},
                                          {"definition", AuditOperation::conversion},
                                          {"faultless", AuditOperation::conversion}}) {
      const auto simulator = builtin(name).make();
      if (!simulator->refuses(format, format, format.block, datapath("fused")).empty()) continue;
      const AuditReport report = audited(*simulator, operation, format);
      BOOST_TEST(report.compared > 4000);
      BOOST_TEST(report.different == 0, name << " in " << format.name);
      BOOST_TEST(report.rows.empty());
      BOOST_TEST(!report.smallest.has_value());
    }
}

// A simulator that is the definition with other words.
class Otherwise : public Simulator {
 public:
  using Product = std::function<ProductAnswer(ProductInput, const Datapath&)>;
  using Convert = std::function<MxTensor(ConversionInput)>;
  explicit Otherwise(Product product) : product_(std::move(product)) {}
  explicit Otherwise(Convert convert) : convert_(std::move(convert)) {}
  std::string name() const override { return "otherwise"; }
  ProductAnswer multiply(const ProductInput& input, const Datapath& datapath) override {
    return product_(input, datapath);
  }
  MxTensor convert(const ConversionInput& input) override { return convert_(input); }

 private:
  Product product_;
  Convert convert_;
};

static void check_class(Simulator& simulator, AuditOperation operation, std::string_view format,
                        DifferenceClass difference, std::string_view explanation,
                        const Datapath& on = datapath("fused")) {
  const AuditReport report = audited(simulator, operation, block_format(format), on);
  BOOST_TEST_CONTEXT(explanation) {
    BOOST_TEST_REQUIRE(!report.rows.empty());
    BOOST_TEST((report.rows[0].difference == difference), report.rows[0].hypothesis);
    if (!explanation.empty()) BOOST_TEST(explains(report, explanation));
  }
}

BOOST_AUTO_TEST_CASE(products_by_another_definition_have_its_class) {
  const auto check = [](Otherwise::Product product, std::string_view format,
                        DifferenceClass difference, std::string_view explanation) {
    Otherwise simulator(std::move(product));
    check_class(simulator, AuditOperation::product, format, difference, explanation);
  };
  for (const char* other : {"blockwise", "sequential", "exact", "tensorcore_mxf8"})
    check([other](const ProductInput& p, auto&) { return define_product(p, datapath(other)); },
          "mxfp8_e4m3", DifferenceClass::order, "datapath " + std::string(other));
  check([](const ProductInput& p,
           auto&) { return define_product(p, datapath("{\"kind\":\"fused\",\"ftz\":true}")); },
        "mxfp4", DifferenceClass::subnormal, "ftz");
  check(
      [](ProductInput p, auto& on) {
        for (uint8_t& scale : p.b.scales) scale = uint8_t(scale + (scale < e8m0::nan - 1));
        return define_product(p, on);
      },
      "mxfp6_e2m3", DifferenceClass::octave, "scale_up");
  check(
      [](const ProductInput& p, auto& on) {
        ProductAnswer answer = define_product(p, on);
        for (uint32_t& d : answer.d)
          if (d == 0x80000000) d = 0;
        return answer;
      },
      "mxfp4", DifferenceClass::zero_sign, "");
  check(
      [](ProductInput p, auto& on) {
        p.c.clear();
        return define_product(p, on);
      },
      "mxint8", DifferenceClass::other, "c");
  check(
      [](ProductInput p, auto& on) {
        const int64_t whole = p.a.cols() / p.a.block() * p.a.block();
        for (MxTensor* q : {&p.a, &p.b})
          for (int64_t i = 0; i < int64_t(q->codes.size()); ++i)
            if (i % q->cols() >= whole) q->codes[size_t(i)] = 0;
        return define_product(p, on);
      },
      "mxfp4", DifferenceClass::other, "short_block");
}

// A sum in binary32 that drops C is not the same sum with C.
BOOST_AUTO_TEST_CASE(fake_quantization_without_c_is_not_explained_by_fake_quantization) {
  const auto faulty = builtin("fake_quant").make();
  Otherwise simulator([&](ProductInput p, const Datapath& on) {
    p.c.clear();
    return faulty->multiply(p, on);
  });
  const AuditReport report = audited(simulator, AuditOperation::product, block_format("mxfp4"));
  BOOST_TEST(report.different > 0);
  BOOST_TEST(!explains(report, "fake_quant"));
}

BOOST_AUTO_TEST_CASE(conversions_by_another_definition_have_its_class) {
  const auto check = [](std::function<void(ConversionInput&)> change, std::string_view format,
                        DifferenceClass difference, std::string_view explanation) {
    Otherwise simulator([change](ConversionInput input) {
      const Conversion said = input.conversion;
      change(input);
      MxTensor q = quantize_ref(input.x, input.shape, input.conversion);
      q.conversion = said;
      return q;
    });
    check_class(simulator, AuditOperation::conversion, format, difference, explanation);
  };
  for (const char* rule : {"ceil", "even", "roundup", "mse"})
    check([rule](ConversionInput& c) { c.conversion.rule = &scale_rule(rule); }, "mxfp6_e3m2",
          DifferenceClass::octave, "rule " + std::string(rule));
  check([](ConversionInput& c) { c.conversion.rounding = &rounding("rtz"); }, "mxfp8_e5m2",
        DifferenceClass::rounding_direction, "toward_zero");
  // And the other way round: toward zero is what was to be done.
  for (const auto& [got, explanation] :
       {std::pair{"rne", "nearest_even"}, {"rna", "nearest_away"}}) {
    Otherwise nearest([rule = got](ConversionInput input) {
      const Conversion said = input.conversion;
      input.conversion.rounding = &rounding(rule);
      MxTensor q = quantize_ref(input.x, input.shape, input.conversion);
      q.conversion = said;
      return q;
    });
    const Conversion toward_zero{.format = &block_format("mxfp4"), .rounding = &rounding("rtz")};
    AuditCases cases;
    for (uint64_t seed = 1; seed < 5; ++seed) {
      ConversionInput input = audit_conversion(toward_zero, seed, RowEnds::any);
      MxTensor answer = nearest.convert(input);
      cases.push_back(std::make_unique<ConversionCase>(std::move(input), std::move(answer)));
    }
    const AuditReport report = make_report(cases);
    BOOST_TEST_REQUIRE(!report.rows.empty());
    BOOST_TEST((report.rows[0].difference == DifferenceClass::rounding_direction));
    BOOST_TEST(explains(report, explanation), explanation);
  }
  check(
      [](ConversionInput& c) {
        for (float& x : c.x)
          if (std::abs(x) < 0x1p-126f) x = std::copysign(0.0f, x);
      },
      "mxfp4", DifferenceClass::subnormal, "subnormal_inputs");
}

BOOST_AUTO_TEST_CASE(what_no_hypothesis_gives_is_other_and_unexplained) {
  Otherwise simulator([](const ProductInput& p, auto& on) {
    ProductAnswer answer = define_product(p, on);
    for (size_t i = 0; i < answer.d.size(); i += 7)
      if ((answer.d[i] & 0x7F800000) != 0x7F800000) answer.d[i] ^= 0x15;
    return answer;
  });
  const AuditReport report =
      audited(simulator, AuditOperation::product, block_format("mxfp8_e4m3"));
  BOOST_TEST((report.rows[0].difference == DifferenceClass::other));
  BOOST_TEST(report.rows[0].hypothesis == "");
  BOOST_TEST(report.explanations.empty());
  BOOST_TEST(report.max_ulp == 21);
}

// The second construction of the datapaths: the same bits where it varies nothing.
BOOST_AUTO_TEST_CASE(the_varied_dot_product_without_a_variation_is_the_definition) {
  int64_t same = 0, varied = 0;
  for (const BlockFormat& format : block_formats)
    for (const char* text :
         {"fused", "blockwise", "sequential", "exact", "{\"kind\":\"blockwise\",\"ftz\":true}"})
      for (uint64_t seed = 0; seed < 8; ++seed) {
        const GivenProduct p = random_product(format, format, seed);
        for (int64_t i = 0; i < std::min(p.a.rows(), p.b.rows()); ++i) {
          const RowView a = row_of(p.a, i), b = row_of(p.b, i);
          const uint32_t acc =
              p.c.empty() ? 0 : std::bit_cast<uint32_t>(p.c[size_t(i * p.b.rows() + i)]);
          const uint32_t expected = dot_ref(datapath(text), acc, a, b);
          const uint32_t got = *varied_dot({}, datapath(text), acc, a, b);
          BOOST_TEST(got == expected, format.name << " on " << text << ", seed " << seed << ", "
                                                  << i << ": " << std::hex << got);
          ++same;
          varied += *varied_dot({.rounding = Direction::toward_zero}, datapath(text), acc, a, b) !=
                    expected;
        }
      }
  BOOST_TEST(same > 4000);
  BOOST_TEST(varied > 100);  // the control
  const GivenProduct p = random_product(block_formats[0], block_formats[0], 0);
  BOOST_TEST(!varied_dot({}, datapath("tensorcore_mxf8"), 0, row_of(p.a, 0), row_of(p.b, 0)));
}

// Wrong where 6 meets -0.5, whatever else there is.
static ProductAnswer six_by_minus_half(const ProductInput& p, const Datapath& on) {
  ProductAnswer answer = define_product(p, on);
  for (int64_t i = 0; i < int64_t(answer.d.size()); ++i) {
    const auto a = p.a.row_codes(i / p.b.rows()), b = p.b.row_codes(i % p.b.rows());
    for (size_t k = 0; k < a.size(); ++k)
      if (a[k] == 7 && b[k] == 9) answer.d[size_t(i)] = 0x40490FDB;
  }
  return answer;
}

BOOST_AUTO_TEST_CASE(a_failing_product_shrinks_to_what_makes_it_fail) {
  const Conversion conversion{.format = &block_format("mxfp4")};
  Otherwise simulator(six_by_minus_half);
  const Datapath& on = datapath("fused");
  int64_t shrunk = 0;
  for (uint64_t seed = 2; seed < 40; seed += 4) {
    const ProductInput input = audit_product(conversion, conversion, seed, RowEnds::any);
    const ProductCase found(input, simulator.multiply(input, on), on);
    for (int64_t unit = 0; unit < found.units(); ++unit) {
      if (!found.unit(unit).differs()) continue;
      const ProductInput one = rows_of(input, unit / input.b.rows(), unit % input.b.rows());
      const auto least = shrink(simulator, one, on, {DifferenceClass::other, "", "", 1});
      BOOST_TEST_REQUIRE(least.get());
      BOOST_TEST((least->input().a.codes == std::vector<uint8_t>{7}));
      BOOST_TEST((least->input().b.codes == std::vector<uint8_t>{9}));
      BOOST_TEST((least->input().a.scales == std::vector<uint8_t>{127}));
      BOOST_TEST(least->input().c.empty());
      BOOST_TEST(least->answer().d[0] == 0x40490FDBu);
      ++shrunk;
      break;
    }
  }
  BOOST_TEST(shrunk >= 5);
}

BOOST_AUTO_TEST_CASE(a_failing_block_shrinks_to_what_makes_it_fail) {
  // Wrong where a block holds a value above 3 beside a negative one.
  Otherwise simulator([](const ConversionInput& c) {
    MxTensor q = quantize_ref(c.x, c.shape, c.conversion);
    const int64_t blocks = q.blocks_per_row();
    for (int64_t i = 0; i < q.rows() * blocks; ++i) {
      const auto first = c.x.begin() + i / blocks * q.cols() + i % blocks * 32;
      const auto end = first + std::min<int64_t>(32, q.cols() - i % blocks * 32);
      if (std::any_of(first, end, [](float x) { return x > 3; }) &&
          std::any_of(first, end, [](float x) { return x < 0; }))
        q.scales[size_t(i)] = 77;
    }
    return q;
  });
  std::vector<float> x(32);
  for (size_t i = 0; i < x.size(); ++i) x[i] = float(i % 7) * 1.37f - 3;
  const ConversionInput input{{.format = &block_format("mxfp8_e4m3")}, {1, 32}, x};
  const auto least = shrink(simulator, input, {DifferenceClass::other, "", "", 1});
  BOOST_TEST_REQUIRE(least.get());
  BOOST_TEST(least->input().x.size() == 2);
  const auto [low, high] = std::ranges::minmax(least->input().x);
  BOOST_TEST(low < 0);
  BOOST_TEST(high > 3);
  BOOST_TEST(least->answer().scales[0] == 77);
}

// No smaller input is made up where the part alone does not fail, or the simulator takes no parts.
BOOST_AUTO_TEST_CASE(what_does_not_fail_alone_is_not_shrunk) {
  const Conversion conversion{.format = &block_format("mxfp4")};
  const ProductInput input = audit_product(conversion, conversion, 0, RowEnds::any);
  const Datapath& on = datapath("fused");
  Otherwise in_company([](const ProductInput& p, auto& path) {
    ProductAnswer answer = define_product(p, path);
    if (answer.d.size() > 1) answer.d[0] ^= 1;
    return answer;
  });
  Otherwise choosy([](const ProductInput& p, auto& path) -> ProductAnswer {
    if (p.a.rows() < 32) throw InputError("rows of 32 alone");
    return define_product(p, path);
  });
  for (Otherwise* simulator : {&in_company, &choosy})
    BOOST_TEST(!shrink(*simulator, rows_of(input, 0, 0), on, {DifferenceClass::other, "", "", 1}));
}

BOOST_AUTO_TEST_CASE(a_dump_comes_back_as_it_was_written) {
  const TemporaryFolder folder;
  for (const BlockFormat& format : block_formats) {
    const Conversion conversion{.format = &format};
    for (DType type : {DType::F32, DType::BF16, DType::F16}) {
      const ProductInput input = audit_product(conversion, conversion, 6, RowEnds::any);
      const ProductAnswer answer = define_product(input, datapath("exact"), type);
      write_dump(folder / "p", input, datapath("exact"), &answer);
      const SafetensorsFile file = SafetensorsFile::open(folder / "p");
      const DumpInput read = read_dump_input(file, {});
      const auto& product = std::get<ProductInput>(read.input);
      BOOST_TEST((product.a == input.a && product.b == input.b));
      BOOST_TEST(product.c.size() == input.c.size());
      BOOST_TEST(read.datapath->name == "exact");
      const ProductAnswer again = read_answer(file, product);
      BOOST_TEST((again.type == type && again.d == answer.d));
    }
    const ConversionInput input = audit_conversion(conversion, 3, RowEnds::any);
    const MxTensor answer = quantize_ref(input.x, input.shape, conversion);
    write_dump(folder / "c", input, &answer);
    const SafetensorsFile file = SafetensorsFile::open(folder / "c");
    const DumpInput read = read_dump_input(file, {});
    const auto& again = std::get<ConversionInput>(read.input);
    BOOST_TEST((again.conversion == conversion && again.shape == input.shape));
    BOOST_TEST((read_answer(file, again) == answer));
  }
}

BOOST_AUTO_TEST_SUITE_END()
