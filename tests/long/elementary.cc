// All 2^32 inputs of each function of emu/elementary.h, and of its kernel, against the C library's
// extended precision, where a bound on its error decides the rounding, and MPFR for the rest.

#include "emu/elementary.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <mutex>
#include <numbers>
#include <vector>

#include "emu/isa.h"
#include "emu/rest.h"
#include "tests/emu/mpfr_oracle.h"
#include "tests/long/long_suite.h"

namespace mxref::long_suite {
namespace {

constexpr int64_t slice_inputs = int64_t(1) << 22;
constexpr int64_t slices_of_a_function = (int64_t(1) << 32) / slice_inputs;

// In the order of elementary_functions.
using Extended = long double (*)(long double x);
constexpr Extended extended[] = {
    [](long double x) { return std::exp(x); },
    [](long double x) { return 1 / std::sqrt(x); },
    [](long double x) { return std::sin(x); },
    [](long double x) { return std::cos(x); },
    [](long double x) { return x / (1 + std::exp(-x)); },
    [](long double x) { return x * std::erfc(-x / std::numbers::sqrt2_v<long double>) / 2; },
};
static_assert(std::size(extended) == std::size(elementary_functions));

// Far more than the error of any of them: the library's functions are wrong by a few units of
// 2^-64, and that of x/√2 grows by a factor below 2^9 in erfc.
constexpr long double bound = 0x1p-50L;

float expected(size_t function, float x) {
  const std::string_view name = elementary_functions[function].name;
  if (!std::isnan(x) && !oracle::is_limit(name, x)) {
    const long double y = extended[function](x);
    const auto low = float(y * (1 - bound)), high = float(y * (1 + bound));
    if (std::bit_cast<uint32_t>(low) == std::bit_cast<uint32_t>(high) && !std::isnan(low))
      return low;
  }
  return oracle::correctly_rounded(name, x);
}

using Kernel = void (*)(const float* x, int64_t count, float* y);
Kernel kernel_of(std::string_view name) {
  if (name == "exp") return rest::exp;
  if (name == "silu") return rest::silu;
  if (name == "gelu") return rest::gelu;
  return nullptr;
}

struct KernelResults {
  std::string_view isa;
  std::vector<float> values;
};

// Of every instruction set that the machine has; the current one is a global of the process.
std::vector<KernelResults> results_of_kernels(Kernel kernel, const std::vector<float>& inputs) {
  static std::mutex one_at_a_time;
  std::vector<KernelResults> all;
  if (!kernel) return all;
  const std::lock_guard lock(one_at_a_time);
  const std::string before(name_of(current_isa()));
  for (const IsaRow& row : isas) {
    if (!machine_has(row.isa)) continue;
    set_isa(row.name);
    all.push_back({row.name, std::vector<float>(inputs.size())});
    kernel(inputs.data(), int64_t(inputs.size()), all.back().values.data());
  }
  set_isa(before);
  return all;
}

// planted: the input for which the definition is made wrong by one unit in the last place; -1 none.
SliceResult compare(int64_t slice, int64_t planted) {
  const auto function = size_t(slice / slices_of_a_function);
  const auto begin = uint64_t(slice % slices_of_a_function) * slice_inputs;
  const ElementaryFunction& f = elementary_functions[function];
  std::vector<float> inputs(slice_inputs);
  for (int64_t i = 0; i < slice_inputs; ++i)
    inputs[size_t(i)] = std::bit_cast<float>(uint32_t(begin + uint64_t(i)));
  const std::vector<KernelResults> by_kernels = results_of_kernels(kernel_of(f.name), inputs);

  SliceResult result;
  const auto check = [&](float x, uint32_t right, float got, std::string_view by) {
    ++result.compared;
    const auto bits = std::bit_cast<uint32_t>(got);
    if (bits == right || result.mismatches++ > 0) return;
    result.first_mismatch = fmt::format("{}(0x{:08x}) by {}: expected 0x{:08x}, got 0x{:08x}",
                                        f.name, std::bit_cast<uint32_t>(x), by, right, bits);
  };
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto right = std::bit_cast<uint32_t>(expected(function, inputs[i]));
    const uint32_t fault = int64_t(i) == planted;
    check(inputs[i], right, std::bit_cast<float>(std::bit_cast<uint32_t>(f.ref(inputs[i])) ^ fault),
          "the definition");
    for (const KernelResults& k : by_kernels) check(inputs[i], right, k.values[i], k.isa);
  }
  return result;
}

}  // namespace

Part elementary_part() {
  return {"elementary",
          fmt::format("all 2^32 inputs of the {} elementary functions, and of the kernels of exp, "
                      "silu and gelu by every instruction set of this machine: extended precision, "
                      "MPFR where that leaves it open",
                      std::size(elementary_functions)),
          slices_of_a_function * int64_t(std::size(elementary_functions)),
          [](int64_t slice) { return compare(slice, -1); },
          [] { return compare(254, 12345).mismatches == 1; }};
}

}  // namespace mxref::long_suite
