#include "ptq/calibration.h"

#include <boost/test/unit_test.hpp>
#include <set>

#include "emu/error.h"

using namespace mxref;

namespace {

// A token a byte.
struct Bytes : Tokenizer {
  std::vector<int64_t> encode(std::string_view text) const override {
    return {text.begin(), text.end()};
  }
  std::string decode(std::span<const int64_t> ids) const override {
    return {ids.begin(), ids.end()};
  }
  int64_t size() const override { return 256; }
  std::optional<int64_t> bos() const override { return std::nullopt; }
  std::optional<int64_t> eos() const override { return std::nullopt; }
};

std::string text_of(int64_t length) {
  std::string text;
  for (int64_t i = 0; int64_t(text.size()) < length; ++i) text += std::to_string(10000 + i);
  text.resize(size_t(length));
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(calibration)

BOOST_AUTO_TEST_CASE(samples_are_disjoint_windows_that_the_seed_draws) {
  const std::string text = text_of(1003);
  const Calibration drawn = draw_calibration(text, "text", Bytes(), 50, 20, 7);
  BOOST_TEST(drawn.samples.size() == 50u);  // all that there are, in another order
  BOOST_TEST(drawn.tokens() == 1000);
  std::set<std::string> windows;
  for (const auto& sample : drawn.samples) {
    BOOST_TEST(sample.size() == 20u);
    const std::string window = Bytes().decode(sample);
    BOOST_TEST(text.find(window) % 20 == 0u);
    windows.insert(window);
  }
  BOOST_TEST((draw_calibration(text, "text", Bytes(), 50, 20, 7).samples == drawn.samples));
  BOOST_TEST((draw_calibration(text, "text", Bytes(), 50, 20, 8).samples != drawn.samples));
  // Fewer samples are the first of more.
  const Calibration fewer = draw_calibration(text, "text", Bytes(), 5, 20, 7);
  BOOST_TEST((std::vector(drawn.samples.begin(), drawn.samples.begin() + 5) == fewer.samples));
}

BOOST_AUTO_TEST_CASE(a_text_too_short_is_refused_with_both_counts) {
  BOOST_CHECK_EXCEPTION(draw_calibration(text_of(99), "short.txt", Bytes(), 5, 20, 0), InputError,
                        [](const InputError& e) {
                          const std::string message = e.what();
                          return message.starts_with("short.txt: has 99 tokens, 4 windows of 20") &&
                                 message.find("expected 5") != message.npos;
                        });
}

BOOST_AUTO_TEST_CASE(a_permutation_has_every_number_once) {
  for (const int64_t count : {0, 1, 2, 1000}) {
    const auto order = permutation(count, 5);
    BOOST_TEST(std::set<int64_t>(order.begin(), order.end()).size() == size_t(count));
  }
}

BOOST_AUTO_TEST_SUITE_END()
