// Directed and exhaustive golden vectors, and what they cover.

#include "emu/vectors/corner_cases.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <set>

#include "emu/gemm.h"
#include "emu/hex.h"
#include "tests/emu/datapath_oracle.h"
#include "tests/format_counts.h"
#include "tests/temporary_folder.h"
#include "tests/vector_reader.h"

using namespace mxref;

BOOST_AUTO_TEST_SUITE(corner_case)

// Each datapath with some pairs of formats, `fused` with every format on the left.
template <typename Check>
static void for_some_pairs(Check check) {
  for (const Datapath& d : datapaths)
    for (const BlockFormat& a : block_formats) {
      const auto turn = size_t(&d - datapaths.data()) + size_t(&a - block_formats.data());
      if (turn % 2 == 1 && &d != datapaths.data()) continue;
      check(a, a.has_tensor_scale() ? a : *mx_formats()[turn % mx_formats().size()], d);
    }
}

BOOST_AUTO_TEST_CASE(directed_vectors_reach_every_case_that_applies) {
  for_some_pairs([](const BlockFormat& a, const BlockFormat& b, const Datapath& d) {
    const Vectors v = directed_vectors(a, b, d, 0, 1);
    const Coverage coverage = coverage_of(v);
    BOOST_TEST(coverage.cases.size() > 50);
    BOOST_TEST(coverage.reached() == int64_t(coverage.cases.size()));
    for (const std::string& name : coverage.missing())
      BOOST_TEST(false, a.name << " × " << b.name << " on " << d.name << ": " << name);
    // The comments name all but the two that nearly every vector reaches.
    std::set<std::string> named;
    for (const std::string& comment : v.comments)
      for (size_t begin = 0; begin < comment.size();) {
        const size_t end = std::min(comment.find("; ", begin), comment.size());
        named.insert(comment.substr(begin, end - begin));
        begin = end + 2;
      }
    BOOST_TEST(named.size() == coverage.cases.size() - 4);
  });
}

BOOST_AUTO_TEST_CASE(with_ftz_too) {
  for (
      const char* text :
      {R"({"kind":"fused","ftz":true})", R"({"kind":"sequential","ftz":true})",
       R"({"kind":"aligned","terms":16,"group":4,"fraction_bits":26,"e_zero":-133,"output":"rne","ftz":true})"}) {
    const BlockFormat& f = block_format("mxfp8_e4m3");
    const Coverage coverage = coverage_of(directed_vectors(f, f, datapath(text), 0, 1));
    for (const std::string& name : coverage.missing()) BOOST_TEST(false, text << ": " << name);
    BOOST_TEST(std::ranges::count(coverage.cases, "ftz flushes a result below zero") == 1);
  }
}

// The control: a set without the vectors of a case does not reach it, and names are distinct.
BOOST_AUTO_TEST_CASE(a_case_whose_vectors_are_gone_is_missing) {
  const BlockFormat &a = block_format("mxfp8_e5m2"), &b = block_format("mxfp4");
  for (const char* datapath_name : {"fused", "tensorcore_mxf8"}) {
    const Vectors v = directed_vectors(a, b, datapath(datapath_name), 0, 1);
    const std::vector<std::string> names = corner_cases({&a, &b, v.datapath});
    BOOST_TEST(std::set(names.begin(), names.end()).size() == names.size());
    std::vector<std::vector<size_t>> reached;
    for (size_t i = 0; i < v.count(); ++i) reached.push_back(reached_by(view_of(v, i)));
    for (size_t gone = 0; gone < names.size(); ++gone) {
      Vectors rest = v;
      size_t kept = 0;
      for (size_t i = 0; i < v.count(); ++i) {
        if (std::ranges::binary_search(reached[i], gone)) continue;
        const auto block = int64_t(v.block);
        for (const auto& [to, from] :
             {std::pair{&rest.codes_a, &v.codes_a}, {&rest.codes_b, &v.codes_b}})
          std::copy_n(from->begin() + int64_t(i) * block, block,
                      to->begin() + int64_t(kept) * block);
        rest.scale_a[kept] = v.scale_a[i];
        rest.scale_b[kept] = v.scale_b[i];
        rest.acc_in[kept] = v.acc_in[i];
        rest.acc_out[kept++] = v.acc_out[i];
        if (kept == 20) break;  // that it stays missing is seen on few
      }
      rest.acc_in.resize(kept);
      const std::vector<std::string> missing = coverage_of(rest).missing();
      BOOST_TEST(std::ranges::count(missing, names[gone]) == 1, names[gone]);
    }
    BOOST_TEST(coverage_of(random_vectors(a, b, *v.datapath, 1, 1)).missing().size() > 20u);
  }
}

BOOST_AUTO_TEST_CASE(what_they_leave_is_what_the_second_construction_gives) {
  for_some_pairs([](const BlockFormat& a, const BlockFormat& b, const Datapath& d) {
    for (const Vectors& v : {directed_vectors(a, b, d, 0, 1), exhaustive_vectors(a, b, d, 0, 1)}) {
      int mismatches = 0;
      for (size_t i = v.kind == "directed" ? 0 : 5; i < v.count();
           i += v.kind == "directed" ? 11 : 97) {
        const VectorView x = view_of(v, i);
        mismatches += oracle::dot(d, x.acc_in, x.a, x.b) != x.acc_out;
      }
      BOOST_TEST(mismatches == 0, a.name << " × " << b.name << " on " << d.name << " " << v.kind);
    }
  });
}

BOOST_AUTO_TEST_CASE(exhaustive_vectors_hold_every_pair_of_codes_and_of_scales) {
  for (const auto& [name_a, name_b, elements] : {std::tuple{"mxfp4", "mxfp4", 2},
                                                 {"mxfp6_e3m2", "mxfp8_e4m3", 1},
                                                 {"nvfp4", "nvfp4", 2},
                                                 {"mxint8", "mxfp8_e5m2", 1}}) {
    const BlockFormat &a = block_format(name_a), &b = block_format(name_b);
    const Vectors v = exhaustive_vectors(a, b, datapaths[0], 0, 1);
    std::set<std::vector<std::pair<int, int>>> blocks;
    std::set<std::pair<int, int>> scales;
    for (size_t i = 0; i < v.count(); ++i) {
      scales.emplace(v.scale_a[i], v.scale_b[i]);
      std::vector<std::pair<int, int>> pairs;
      for (size_t k = i * size_t(v.block); k < (i + 1) * size_t(v.block); ++k)
        if (v.codes_a[k] != 0 || v.codes_b[k] != 0) pairs.emplace_back(v.codes_a[k], v.codes_b[k]);
      std::ranges::sort(pairs);
      BOOST_REQUIRE(pairs.size() <= size_t(elements));
      blocks.insert(pairs);
    }
    BOOST_TEST(scales.size() == 0x10000u);
    // Unordered: n pairs of which each may be two zeros.
    const size_t pairs = size_t(1) << (a.element->bits() + b.element->bits());
    BOOST_TEST(blocks.size() == (elements == 1 ? pairs : pairs * (pairs + 1) / 2), name_a);
  }
}

BOOST_AUTO_TEST_CASE(count_cuts_and_the_seed_decides_what_was_searched) {
  const BlockFormat& f = block_format("mxfp8_e4m3");
  const Vectors all = directed_vectors(f, f, datapaths[0], 0, 1);
  const Vectors some = directed_vectors(f, f, datapaths[0], 100, 1);
  BOOST_TEST(all.count() > 5000u);
  BOOST_TEST(some.count() == 100u);
  BOOST_TEST(some.comments.size() == 100u);
  BOOST_TEST(std::equal(some.acc_out.begin(), some.acc_out.end(), all.acc_out.begin()));
  BOOST_CHECK(all == directed_vectors(f, f, datapaths[0], 0, 1));
  BOOST_TEST(exhaustive_vectors(f, f, datapaths[0], 7, 1).count() == 7u);
  BOOST_CHECK_THROW(directed_vectors(f, block_format("nvfp4"), datapaths[0], 0, 1), UsageError);
}

BOOST_AUTO_TEST_CASE(comments_are_written_and_read_back_in_every_form) {
  const TemporaryFolder folder;
  const BlockFormat& f = block_format("mxfp6_e2m3");
  Vectors v = directed_vectors(f, f, datapaths[0], 300, 1);
  for (const VectorForm& form : vector_forms) {
    form.write(v, folder.path() / form.file);
    BOOST_CHECK(read_vectors(form.name, folder.path() / form.file) == v);
    Vectors other = v;
    other.comments[7] += "x";
    BOOST_CHECK(read_vectors(form.name, folder.path() / form.file) != other);
  }
  const std::string memh = read_file(folder / "vectors.memh");
  BOOST_TEST(memh.find("accumulator -0; no nonzero product meets -0") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
