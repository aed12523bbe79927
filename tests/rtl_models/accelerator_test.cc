// The accelerator: the RTL against its cycle model at every pin, the driver on all models against
// the definition, wrong programming, and controls that must fail.
#define BOOST_TEST_MODULE accelerator
#include <bit>
#include <boost/test/unit_test.hpp>

#include "emu/accelerator/axi_lite_master.h"
#include "emu/accelerator/functional.h"
#include "emu/gemm.h"
#include "emu/systemc/systemc_accelerator.h"
#include "emu/systemc/tlm_layer.h"
#include "emu/vectors/stimulus.h"
#include "rtl_models/accelerator/faults.h"
#include "rtl_models/accelerator/lockstep.h"
#include "rtl_models/accelerator/verilated_accelerator.h"

using namespace mxref;
using namespace mxref::accelerator;

BOOST_AUTO_TEST_CASE(rtl_and_cycle_model_agree_at_every_pin_in_every_cycle) {
  std::bitset<errors.size()> seen;
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const auto rtl = make_bench_accelerator();
    const auto model = make_systemc_accelerator(rtl->design());
    const LockstepResult r = run_lockstep(*rtl, *model, {.seed = seed, .cycles = 200'000});
    BOOST_TEST(r.passed(), r.failure);
    BOOST_TEST(rtl->assertions_failed() == 0);
    BOOST_TEST(r.compared > 100'000);
    BOOST_TEST(r.rows > 300);
    BOOST_TEST(r.jobs > 1000);
    seen |= r.errors;
  }
  for (size_t code = 0; code < errors.size(); ++code)
    BOOST_TEST(seen[code], "never seen: " << errors[code].name);
}

BOOST_AUTO_TEST_CASE(every_planted_fault_is_caught) {
  for (size_t i = 0; i < accelerator_faults.size(); ++i) {
    const auto rtl = make_bench_accelerator();
    const auto model = make_systemc_accelerator(rtl->design());
    const LockstepResult r =
        run_lockstep(*rtl, *model, {.cycles = 200'000, .fault = uint8_t(i + 1)});
    BOOST_TEST(!r.passed(), accelerator_faults[i].name << " is not caught");
  }
}

// A product of random operands near 1.
struct Product {
  MxTensor a, b;
  std::vector<float> c, expected;
};
static MxTensor random_tensor(const BlockFormat& format, int64_t rows, int64_t K,
                              Stimulus& stimulus) {
  MxTensor x;
  x.conversion.format = &format;
  x.conversion.block = format.block;
  x.shape = {rows, K};
  x.codes.resize(size_t(rows * K));
  x.scales.resize(size_t(rows * x.blocks_per_row()));
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t k = 0; k < K; k += x.block())
      stimulus.codes(*format.element,
                     std::span(x.codes).subspan(size_t(row * K + k),
                                                size_t(std::min<int64_t>(x.block(), K - k))));
  for (uint8_t& scale : x.scales) scale = stimulus.scale(*format.scale);
  if (format.has_tensor_scale()) x.tensor_scales = {0.75f};
  return x;
}
static Product random_product(const BlockFormat& a, const BlockFormat& b, int64_t M, int64_t N,
                              int64_t K, bool has_c, uint64_t seed) {
  Stimulus stimulus(seed, /*nan_every=*/0);
  Product p{random_tensor(a, M, K, stimulus), random_tensor(b, N, K, stimulus), {}, {}};
  p.expected.resize(size_t(M * N));
  if (has_c)
    for (size_t i = 0; i < p.expected.size(); ++i)
      p.c.push_back(std::bit_cast<float>(stimulus.with_exponent(int(stimulus.below(8)))));
  gemm_ref(p.a, p.b, datapath("fused"), p.c, p.expected);
  return p;
}
static std::vector<Product> products() {
  std::vector<Product> list;
  uint64_t seed = 1;
  const auto& nvfp4 = block_format("nvfp4");
  const auto& e4m3 = block_format("mxfp8_e4m3");
  const auto& e2m1 = block_format("mxfp4");
  list.push_back(random_product(e4m3, e2m1, 5, 7, 333, true, seed++));  // ragged on all sides
  list.push_back(random_product(e2m1, e2m1, 2, 3, 32, false, seed++));  // one tile of one block
  list.push_back(random_product(nvfp4, nvfp4, 3, 4, 100, true, seed++));
  list.push_back(
      random_product(block_format("mxint8"), block_format("mxfp8_e5m2"), 1, 1, 1, true, seed++));
  return list;
}
static std::vector<uint32_t> bits_of(const std::vector<float>& values) {
  std::vector<uint32_t> bits;
  for (float value : values) bits.push_back(std::bit_cast<uint32_t>(value));
  return bits;
}

// A stand-in for hardware: a job ends when the status is read for the second time.
class StubMmio : public Mmio {
 public:
  explicit StubMmio(const Design& design) : functional(design) {}
  uint32_t read32(uint32_t address) override {
    ++reads;
    if (address == register_offset("status") && ends_jobs && ++polls % 2 == 0) functional.finish();
    uint32_t data = 0;
    if (const uint8_t answer = functional.read(address, data))
      throw bus_error(false, address, 0, answer);
    if (address == register_offset("identity")) return data ^ wrong_identity;
    return data;
  }
  void write32(uint32_t address, uint32_t data) override {
    ++writes;
    if (const uint8_t answer = functional.write(address, data))
      throw bus_error(true, address, data, answer);
  }
  Functional functional;
  bool ends_jobs = true;
  uint32_t wrong_identity = 0;
  int64_t reads = 0, writes = 0, polls = 0;
};

static void check_driver(Mmio& mmio, const char* on) {
  Driver driver(mmio);
  for (const Product& p : products()) {
    std::vector<float> d(p.expected.size());
    driver.multiply(p.a, p.b, p.c, d);
    BOOST_TEST(bits_of(d) == bits_of(p.expected),
               on << ", " << p.a.format().name << " × " << p.b.format().name);
  }
}
BOOST_AUTO_TEST_CASE(the_driver_gives_the_definition_on_every_model) {
  const Design& design = bench_accelerator_design();
  const auto rtl = make_bench_accelerator();
  AxiLiteMaster rtl_bus(*rtl);
  check_driver(rtl_bus, "RTL");
  BOOST_TEST(rtl->assertions_failed() == 0);
  const auto model = make_systemc_accelerator(design);
  AxiLiteMaster model_bus(*model);
  check_driver(model_bus, "cycle model");
  BOOST_TEST(rtl_bus.cycles() == model_bus.cycles());
  StubMmio stub(design);
  check_driver(stub, "stub");
  BOOST_TEST(stub.writes > 1000);
  for (const Product& p : products())
    for (bool uses_dmi : {false, true}) {
      const TlmLayer layer = run_layer_on_tlm(design, p.a, p.b, p.c, uses_dmi);
      BOOST_TEST(bits_of(layer.d) == bits_of(p.expected), "TLM");
      BOOST_TEST((layer.direct_accesses > 0) == uses_dmi);
      // Busy for as long as the RTL, whose host is never in the way here.
      const auto fresh = make_bench_accelerator();
      AxiLiteMaster bus(*fresh);
      Driver driver(bus);
      std::vector<float> d(p.expected.size());
      driver.multiply(p.a, p.b, p.c, d);
      BOOST_TEST(layer.counters.busy_cycles == driver.counters().busy_cycles);
      BOOST_TEST(layer.counters.beats == driver.counters().beats);
      BOOST_TEST(layer.counters.rows_out == driver.counters().rows_out);
    }
}

template <typename Error>
static auto says(std::string_view text) {
  return [text](const Error& error) {
    const bool found = std::string_view(error.what()).find(text) != std::string_view::npos;
    BOOST_TEST(found, error.what() << " does not say " << text);
    return found;
  };
}
BOOST_AUTO_TEST_CASE(errors_of_the_hardware_are_exceptions_that_name_them) {
  const auto rtl = make_bench_accelerator();
  AxiLiteMaster bus(*rtl);
  Driver driver(bus);
  const auto& int8 = block_format("mxint8");
  Product p = random_product(int8, int8, 2, 3, 32, false, 1);
  std::vector<float> d(6);
  BOOST_CHECK_EXCEPTION(driver.multiply(p.a, p.b, {}, d), HardwareError,
                        says<HardwareError>("format_not_built"));
  BOOST_CHECK_EXCEPTION(run_layer_on_tlm(rtl->design(), p.a, p.b, {}, true), HardwareError,
                        says<HardwareError>("format_not_built"));
  // Nothing of it stays.
  p = random_product(int8, block_format("mxfp4"), 2, 3, 32, false, 1);
  driver.multiply(p.a, p.b, {}, d);
  BOOST_TEST(bits_of(d) == bits_of(p.expected));
  BOOST_CHECK_EXCEPTION(bus.write32(register_offset("shape"), 0), BusError,
                        says<BusError>("to 0x00014: SLVERR"));
  BOOST_CHECK_EXCEPTION(bus.read32(0x78), BusError, says<BusError>("of 0x00078: DECERR"));

  StubMmio other(bench_accelerator_design());
  other.wrong_identity = 1;
  BOOST_CHECK_EXCEPTION(Driver{other}, HardwareError, says<HardwareError>("no accelerator here"));
  StubMmio hangs(bench_accelerator_design());
  hangs.ends_jobs = false;
  Driver patient(hangs);
  BOOST_CHECK_EXCEPTION(patient.multiply(p.a, p.b, {}, d), HardwareError,
                        says<HardwareError>("stopped answering"));
}
