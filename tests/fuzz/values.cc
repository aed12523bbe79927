// Values of options on the command line: numbers, fractions, names.

#include "emu/codec.h"
#include "emu/files/quantized.h"
#include "emu/isa.h"
#include "eval/cli/options.h"
#include "tests/fuzz/fuzz.h"

using namespace mxref;

void fuzz_one(std::string_view bytes) {
  const auto each = [&](const auto& parse) { fuzz::read_or_refuse([&] { parse(bytes); }); };
  each([](std::string_view text) {
    // What is taken is in lowest terms, and is written as it was read.
    const Prescale p = parse_prescale(text);
    const Prescale again = parse_prescale(to_string(p));
    if (!(p == again)) std::abort();
  });
  each([](std::string_view text) {
    if (!is_block_length(parse_block_length(text))) std::abort();
  });
  each([](std::string_view text) {
    const int64_t value = parse_number<int64_t>("--count", text, -5, 1'000'000);
    if (value < -5 || value > 1'000'000) std::abort();
  });
  each([](std::string_view text) { parse_number<uint64_t>("--seed", text, 0, UINT64_MAX); });
  each([](std::string_view text) {
    const double value = parse_number<double>("--backpressure", text, 0.0, 1.0);
    if (!(value >= 0 && value <= 1)) std::abort();
  });
  each([](std::string_view text) { block_format(text); });
  each([](std::string_view text) { rounding(text); });
  each([](std::string_view text) { scale_rule(text); });
  each([](std::string_view text) { find_by_name(isas, "instruction set", text); });
}
