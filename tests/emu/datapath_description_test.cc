// Datapaths described in JSON (ARITHMETIC.md §4): what is taken, what is refused and why.

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "emu/datapaths.h"
#include "emu/dot.h"
#include "emu/gemm.h"
#include "tests/deep_json.h"

using namespace mxref;
using nlohmann::json;

BOOST_AUTO_TEST_SUITE(datapath_description)

static json mxf8() {
  return {{"kind", "aligned"},   {"terms", 32},    {"group", 1},
          {"fraction_bits", 25}, {"e_zero", -133}, {"output", "rz"}};
}
static json with(const char* field, const json& value) {
  json object = mxf8();
  object[field] = value;
  return object;
}
static json without(const char* field) {
  json object = mxf8();
  object.erase(field);
  return object;
}

// The reason for which a description is refused; empty where it is taken.
static std::string refusal(const std::string& text) {
  try {
    datapath(text);
    return "";
  } catch (const UsageError& e) {
    return e.what();
  }
}

BOOST_AUTO_TEST_CASE(every_limit_is_taken_and_what_lies_beyond_is_refused_with_the_reason) {
  const struct {
    const char* field;
    int least, largest;
  } limits[] = {{"terms", 1, 1024}, {"fraction_bits", 1, 44}, {"e_zero", -1024, 1024}};
  for (const auto& [field, least, largest] : limits) {
    for (int good : {least, largest}) BOOST_TEST(refusal(with(field, good).dump()) == "");
    const std::string range =
        "expected an integer from " + std::to_string(least) + " to " + std::to_string(largest);
    for (const json& bad : std::initializer_list<json>{
             least - 1, largest + 1, 1.5, 32.0, "32", nullptr, true, json::array({32}), -2147483649,
             18446744073709551615u, 4294967297})
      BOOST_TEST(refusal(with(field, bad).dump()) == "described datapath: '" + std::string(field) +
                                                         "' is " + bad.dump() + "; " + range);
  }
  json wide = with("terms", 1024);
  wide["group"] = 128;
  BOOST_TEST(refusal(wide.dump()) == "");
  for (int bad : {0, -1, 1025})
    BOOST_TEST(refusal(with("group", bad).dump()).find("'group' is") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_group_divides_the_terms_and_the_block) {
  for (int good : {1, 2, 4, 8, 16, 32}) BOOST_TEST(refusal(with("group", good).dump()) == "");
  for (int bad : {3, 5, 24, 31, 64})
    BOOST_TEST(refusal(with("group", bad).dump()) == "described datapath: 'group' " +
                                                         std::to_string(bad) +
                                                         " does not divide 'terms' 32");
  // A group of 16 meets blocks of 16 and more; a group of 3 none.
  const BlockFormat& f = block_format("mxfp4");
  for (const auto& [terms, group] : {std::pair{64, 16}, {6, 3}, {128, 128}, {1, 1}}) {
    json object = with("terms", terms);
    object["group"] = group;
    for (int block : block_lengths) {
      const std::string reason = no_product(f, f, block, datapath(object.dump()));
      BOOST_TEST((reason == "") == (block % group == 0), "group " << group << " block " << block);
      if (block % group != 0)
        BOOST_TEST(reason ==
                   "its groups of " + std::to_string(group) + " products do not divide a block");
    }
  }
}

BOOST_AUTO_TEST_CASE(fields_that_are_unknown_missing_or_no_words_are_refused) {
  for (const char* field : {"kind", "terms", "group", "fraction_bits", "e_zero", "output"})
    BOOST_TEST(refusal(without(field).dump())
                   .starts_with("described datapath: has no '" + std::string(field) + "'"));
  BOOST_TEST(
      refusal(with("term", 32).dump())
          .find("unknown field of a described datapath 'term'; did you mean 'terms'?; valid: kind, "
                "ftz, terms, group, fraction_bits, e_zero, output") != std::string::npos);
  // What has no alignment takes none of its fields.
  BOOST_TEST(refusal(R"({"kind":"fused","terms":32})")
                 .find("unknown field of a described datapath 'terms'; valid: kind, ftz") == 0u);
  BOOST_TEST(refusal(R"({"kind":"fuse"})").find("did you mean 'fused'") != std::string::npos);
  BOOST_TEST(refusal(with("output", "rz12").dump()).find("valid: rz, rz13, rne") !=
             std::string::npos);
  BOOST_TEST(refusal(with("output", 13).dump()) == "described datapath: 'output' is 13, no word");
  BOOST_TEST(refusal(with("kind", 1).dump()) == "described datapath: 'kind' is 1, no word");
  for (const char* bad : {"1", "\"true\"", "null"})
    BOOST_TEST(refusal(R"({"kind":"exact","ftz":)" + std::string(bad) + "}") ==
               "described datapath: 'ftz' is " + std::string(bad) + "; expected true or false");
}

BOOST_AUTO_TEST_CASE(text_that_is_no_description_is_refused) {
  for (const char* bad :
       {"{", "{}", R"({"kind":"fused"} x)", R"({"kind":"fused","kind":"exact"})",
        R"({"kind":"fused",})", "{\"kind\":\"fus\xFF\"}", "{\"kind\":\"fused\"\0"})
    BOOST_TEST(refusal(bad) != "", bad);
  BOOST_TEST(refusal(deep_json("kind")) != "");
  for (const char* bad : {"", "[]", " {}", "FUSED", "fused "})
    BOOST_TEST(refusal(bad).find("unknown datapath") == 0u, bad);
}

BOOST_AUTO_TEST_CASE(the_same_description_is_the_same_datapath_whatever_its_order_of_fields) {
  const Datapath& d = datapath(
      R"({ "output":"rz", "e_zero":-133, "fraction_bits":25,"group":1,"terms":32,"kind":"aligned" })");
  BOOST_TEST(
      d.name ==
      R"({"kind":"aligned","terms":32,"group":1,"fraction_bits":25,"e_zero":-133,"output":"rz"})");
  BOOST_TEST(&d == &datapath(mxf8().dump()));
  BOOST_TEST(&d == &datapath(d.name));
  BOOST_TEST(&d == &datapath(with("ftz", false).dump()));
  BOOST_TEST(&d != &datapath(with("ftz", true).dump()));
  BOOST_TEST(datapath(with("ftz", true).dump()).name.ends_with(R"("output":"rz","ftz":true})"));
  // It lives on where others are described after it.
  const std::string name(d.name);
  for (int terms = 1; terms <= 1024; ++terms) datapath(with("terms", terms).dump());
  BOOST_TEST(d.name == name);
  BOOST_TEST(&d == &datapath(name));
}

// One block of a described datapath and of the preset that it describes.
BOOST_AUTO_TEST_CASE(a_described_preset_computes_what_the_preset_does) {
  const BlockFormat& f = block_format("mxfp8_e5m2");
  const std::vector<uint8_t> a{0x3C, 0x7B, 0x01, 0x84}, b{0x3D, 0x04, 0x7B, 0x90}, one{127};
  const auto dot = [&](const Datapath& d, uint32_t acc) {
    return dot_ref(d, acc, {&f, 32, a, one}, {&f, 32, b, one});
  };
  for (const char* kind : {"fused", "blockwise", "sequential", "exact"}) {
    const Datapath& d = datapath(R"({"kind":")" + std::string(kind) + "\"}");
    BOOST_TEST(!d.ftz);
    BOOST_TEST(dot(d, 0x4B800001) == dot(datapath(kind), 0x4B800001), kind);
  }
  BOOST_TEST(dot(datapath(mxf8().dump()), 1) == dot(datapath("tensorcore_mxf8"), 1));
  // The control: other parameters give another result.
  BOOST_TEST(dot(datapath(with("fraction_bits", 1).dump()), 1) !=
             dot(datapath("tensorcore_mxf8"), 1));
}

// Scales of 2^-70: the sum of the block is subnormal.
BOOST_AUTO_TEST_CASE(ftz_flushes_a_subnormal_result_to_the_zero_of_its_sign) {
  const BlockFormat& f = block_format("mxfp4");
  const std::vector<uint8_t> minus_one{0xA}, one{0x2}, zero{0x0}, small{127 - 70};
  const auto dot = [&](const std::string& kind, bool ftz, const std::vector<uint8_t>& a,
                       uint32_t acc) {
    json object = kind == "aligned" ? mxf8() : json{{"kind", kind}};
    object["ftz"] = ftz;
    return dot_ref(datapath(object.dump()), acc, {&f, 32, a, small}, {&f, 32, one, small});
  };
  for (const std::string kind : {"fused", "blockwise", "sequential", "exact", "aligned"}) {
    BOOST_TEST(dot(kind, false, minus_one, 0) == 0x80000200u, kind);
    // In blockwise t is flushed to -0, to which the accumulator +0 is then added.
    const bool plus = kind == "aligned" || kind == "blockwise";
    BOOST_TEST(dot(kind, true, minus_one, 0) == (plus ? 0u : 0x80000000u), kind);
    BOOST_TEST(dot(kind, true, one, 0) == 0u, kind);
    // A block that adds nothing to a subnormal accumulator.
    BOOST_TEST(dot(kind, false, zero, 0x80000001) == 0x80000001u, kind);
    BOOST_TEST(dot(kind, true, zero, 0x80000001) == (kind == "aligned" ? 0u : 0x80000000u), kind);
    BOOST_TEST(dot(kind, true, one, 0x3F800000) == 0x3F800000u, kind);
  }
}

BOOST_AUTO_TEST_SUITE_END()
