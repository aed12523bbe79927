// The accelerator: the RTL against its cycle model at every pin, the driver on all models against
// the definition, wrong programming, and controls that must fail.
#define BOOST_TEST_MODULE accelerator
#include <bit>
#include <boost/test/unit_test.hpp>

#include "emu/accelerator/axi_lite_master.h"
#include "emu/gemm.h"
#include "emu/systemc/systemc_accelerator.h"
#include "emu/systemc/tlm_layer.h"
#include "emu/vectors/stimulus.h"
#include "rtl_models/accelerator/bench_accelerator.h"
#include "rtl_models/accelerator/faults.h"
#include "rtl_models/accelerator/lockstep.h"
#include "tests/rtl_models/accelerator_job.h"

using namespace mxref;
using namespace mxref::accelerator;

// An accelerator of which the bits that a word has from 2^20 on read as zeros.
class FewBitsOfCount : public Port {
 public:
  explicit FewBitsOfCount(Port& port) : port_(port) {}
  const Design& design() const override { return port_.design(); }
  const Outputs& outputs() const override { return outputs_; }
  void clock(const Inputs& inputs) override {
    port_.clock(inputs);
    outputs_ = port_.outputs();
    outputs_.rdata &= (1u << 20) - 1;
  }

 private:
  Port& port_;
  Outputs outputs_;
};

BOOST_AUTO_TEST_CASE(rtl_and_cycle_model_agree_at_every_pin_in_every_cycle) {
  for (const AcceleratorSource& source : bench_accelerators()) {
    const auto [rows, cols] = source.design.array.shape;
    const int64_t cycles = 1'200'000 / (rows * cols);
    std::bitset<errors.size()> seen;
    for (uint64_t seed = 1; seed <= 3; ++seed) {
      const auto rtl = source.make();
      const auto model = make_systemc_accelerator(rtl->design());
      const LockstepResult r = run_lockstep(*rtl, *model, {.seed = seed, .cycles = cycles});
      BOOST_TEST(r.passed(), source.design.array.datapath->name << ": " << r.failure);
      BOOST_TEST(rtl->assertions_failed() == 0);
      BOOST_TEST(r.compared > cycles / 2);
      BOOST_TEST(r.rows > cycles / 1000);
      BOOST_TEST(r.jobs > cycles / 400);
      seen |= r.errors;
    }
    seen.set(error_code("tile_too_long"));  // see the_sum_of_exact_is_not_overrun
    for (size_t code = 0; code < errors.size(); ++code)
      BOOST_TEST(seen[code], "never seen: " << errors[code].name);
  }
}

// Beyond 2^20, and where that many are not counted it shows.
BOOST_AUTO_TEST_CASE(the_cycles_of_a_long_job_are_counted) {
  const auto rtl = bench_accelerators().front().make();
  BOOST_TEST(check_long_job(*rtl, 1'100'000) == "");
  BOOST_TEST(rtl->assertions_failed() == 0);
  FewBitsOfCount few(*rtl);
  BOOST_TEST(check_long_job(few, 1'000'000) == "");
  BOOST_TEST(check_long_job(few, 1'100'000) != "");
}

BOOST_AUTO_TEST_CASE(every_planted_fault_is_caught) {
  for (size_t i = 0; i < accelerator_faults.size(); ++i) {
    const auto rtl = bench_accelerators().front().make();
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
                              int64_t K, bool has_c, uint64_t seed,
                              const Datapath& on = datapath("fused")) {
  Stimulus stimulus(seed, /*nan_every=*/0);
  Product p{random_tensor(a, M, K, stimulus), random_tensor(b, N, K, stimulus), {}, {}};
  p.expected.resize(size_t(M * N));
  if (has_c)
    for (size_t i = 0; i < p.expected.size(); ++i)
      p.c.push_back(std::bit_cast<float>(stimulus.with_exponent(int(stimulus.below(8)))));
  gemm_ref(p.a, p.b, on, p.c, p.expected);
  return p;
}
static std::vector<Product> products(const Datapath& on) {
  std::vector<Product> list;
  uint64_t seed = 1;
  const auto& nvfp4 = block_format("nvfp4");
  const auto& e4m3 = block_format("mxfp8_e4m3");
  const auto& e2m1 = block_format("mxfp4");
  list.push_back(random_product(e4m3, e2m1, 5, 7, 333, true, seed++, on));  // ragged on all sides
  list.push_back(random_product(e2m1, e2m1, 2, 3, 32, false, seed++, on));  // one tile of one block
  list.push_back(random_product(nvfp4, nvfp4, 3, 4, 100, true, seed++, on));
  list.push_back(random_product(block_format("mxint8"), block_format("mxfp8_e5m2"), 1, 1, 1, true,
                                seed++, on));
  return list;
}
static std::vector<uint32_t> bits_of(const std::vector<float>& values) {
  std::vector<uint32_t> bits;
  for (float value : values) bits.push_back(std::bit_cast<uint32_t>(value));
  return bits;
}

static void check_driver(Mmio& mmio, const Datapath& datapath, const char* on) {
  Driver driver(mmio);
  for (const Product& p : products(datapath)) {
    std::vector<float> d(p.expected.size());
    driver.multiply(p.a, p.b, p.c, d);
    BOOST_TEST(bits_of(d) == bits_of(p.expected), on << ", " << datapath.name << ", "
                                                     << p.a.format().name << " × "
                                                     << p.b.format().name);
  }
}
BOOST_AUTO_TEST_CASE(the_driver_gives_the_definition_on_every_model_and_datapath) {
  for (const AcceleratorSource& source : bench_accelerators()) {
    const Datapath& datapath = *source.design.array.datapath;
    const auto rtl = source.make();
    AxiLiteMaster rtl_bus(*rtl);
    check_driver(rtl_bus, datapath, "RTL");
    BOOST_TEST(rtl->assertions_failed() == 0);
    const auto model = make_systemc_accelerator(source.design);
    AxiLiteMaster model_bus(*model);
    check_driver(model_bus, datapath, "cycle model");
    BOOST_TEST(rtl_bus.cycles() == model_bus.cycles());
    StubMmio stub(source.design);
    check_driver(stub, datapath, "stub");
    BOOST_TEST(stub.writes > 1000);
    for (const Product& p : products(datapath))
      for (bool uses_dmi : {false, true}) {
        const TlmLayer layer = run_layer_on_tlm(source.design, p.a, p.b, p.c, uses_dmi);
        BOOST_TEST(bits_of(layer.d) == bits_of(p.expected), "TLM, " << datapath.name);
        BOOST_TEST((layer.direct_accesses > 0) == uses_dmi);
        // Busy for as long as the RTL, whose host is never in the way here.
        const auto fresh = source.make();
        AxiLiteMaster bus(*fresh);
        Driver driver(bus);
        std::vector<float> d(p.expected.size());
        driver.multiply(p.a, p.b, p.c, d);
        BOOST_TEST(layer.counters.busy_cycles == driver.counters().busy_cycles);
        BOOST_TEST(layer.counters.beats == driver.counters().beats);
        BOOST_TEST(layer.counters.rows_out == driver.counters().rows_out);
      }
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
  const auto rtl = bench_accelerators().front().make();
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

  StubMmio other(bench_accelerators().front().design);
  other.wrong_identity = 1;
  BOOST_CHECK_EXCEPTION(Driver{other}, HardwareError, says<HardwareError>("no accelerator here"));
  StubMmio hangs(bench_accelerators().front().design);
  hangs.ends_jobs = false;
  Driver patient(hangs);
  BOOST_CHECK_EXCEPTION(patient.multiply(p.a, p.b, {}, d), HardwareError,
                        says<HardwareError>("stopped answering"));
}

BOOST_AUTO_TEST_CASE(operands_that_do_not_fit_a_beat_are_wrong_use) {
  StubMmio stub(bench_accelerators().front().design);
  Driver driver(stub);
  const auto& mxfp4 = block_format("mxfp4");
  Product p = random_product(mxfp4, mxfp4, 2, 3, 32, false, 1);
  std::vector<float> d(6);
  for (MxTensor* x : {&p.a, &p.b}) {
    x->conversion.block = 16;
    x->scales.resize(size_t(x->rows() * 2), 127);
  }
  BOOST_CHECK_EXCEPTION(driver.multiply(p.a, p.b, {}, d), UsageError,
                        says<UsageError>("blocks of 32 alone"));
  // Built for nvfp4 alone it has 16 lanes.
  Design design = stub.functional.design();
  design.array.formats_a = design.array.formats_b =
      FormatSet().set(format_number(block_format("nvfp4")));
  StubMmio narrow(design);
  Driver narrow_driver(narrow);
  p = random_product(mxfp4, mxfp4, 2, 3, 32, false, 1);
  BOOST_CHECK_EXCEPTION(narrow_driver.multiply(p.a, p.b, {}, d), UsageError,
                        says<UsageError>("16 lanes"));
}

// The RTL refuses the same: limits.sh.
BOOST_AUTO_TEST_CASE(a_design_that_the_memory_map_has_no_room_for_is_wrong_use) {
  const auto make = [](int rows, int cols, int depth) {
    return Functional({.array = {.shape = {rows, cols}}, .depth = depth});
  };
  make(1, 1, 1);
  make(32, 32, 64);
  for (const auto& [rows, cols, depth] :
       {std::tuple{0, 1, 1}, {33, 1, 1}, {1, 0, 1}, {1, 33, 1}, {1, 1, 0}, {1, 1, 65}})
    BOOST_CHECK_THROW(make(rows, cols, depth), UsageError);
}

// --- wrong programming: a code for each, on everything that has a host

static void wait_until_idle(Mmio& mmio) {
  for (int i = 0; i < 100; ++i)
    if (!get(field("status.busy"), mmio.read32(register_offset("status")))) return;
  BOOST_ERROR("a job does not end");
}
static void tolerate(const std::function<void()>& access) {
  try {
    access();
  } catch (const BusError&) {  // the code says more
  }
}
struct Mistake {
  uint8_t code;
  std::function<void(Mmio&)> make;
};
static Mistake wrong_job(uint8_t code, const std::function<void(Job&)>& change,
                         bool in_a_tile = false) {
  return {code, [change, in_a_tile](Mmio& mmio) {
            Job job = good_job;
            if (in_a_tile) {
              job.last = false;
              start(mmio, job);
              wait_until_idle(mmio);
              job.first = false;
            }
            change(job);
            start(mmio, job);
          }};
}
static std::vector<Mistake> mistakes(const Design& design) {
  const auto rows = uint32_t(design.array.shape.rows), depth = uint32_t(design.depth);
  constexpr uint32_t a_codes = region("a_codes") << region_shift;
  const auto number = [](const char* name) { return uint32_t(format_number(block_format(name))); };
  static const uint32_t int8 = number("mxint8"), nvfp4 = number("nvfp4");
  return {
      {error_code("start_while_busy"),
       [](Mmio& mmio) {
         start(mmio, good_job);
         mmio.write32(register_offset("control"), mask(field("control.start")));
       }},
      wrong_job(error_code("unknown_format"), [](Job& job) { job.format_a = 7; }),
      wrong_job(error_code("unknown_format"), [](Job& job) { job.format_b = 15; }),
      wrong_job(error_code("format_not_built"), [](Job& job) { job.format_b = int8; }),
      wrong_job(error_code("formats_do_not_meet"), [](Job& job) { job.format_b = nvfp4; }),
      wrong_job(error_code("unknown_out_type"), [](Job& job) { job.out_type = 3; }),
      wrong_job(error_code("no_blocks"), [](Job& job) { job.blocks = 0; }),
      wrong_job(error_code("too_many_blocks"), [depth](Job& job) { job.blocks = depth + 1; }),
      wrong_job(error_code("bad_last_elements"), [](Job& job) { job.last_elements = 0; }),
      wrong_job(error_code("bad_last_elements"), [](Job& job) { job.last_elements = 33; }),
      wrong_job(error_code("short_block_inside"),
                [](Job& job) {
                  job.last = false;
                  job.last_elements = 31;
                }),
      wrong_job(
          error_code("tile_already_open"), [](Job& job) { job.first = true; }, true),
      wrong_job(error_code("no_tile_open"), [](Job& job) { job.first = false; }),
      wrong_job(
          error_code("preload_without_first"), [](Job& job) { job.preload = true; }, true),
      wrong_job(
          error_code("formats_changed"), [](Job& job) { job.format_a = 1; }, true),
      wrong_job(
          error_code("formats_changed"), [](Job& job) { job.out_type = 1; }, true),
      {error_code("read_only"), [](Mmio& mmio) { mmio.write32(register_offset("version"), 0); }},
      {error_code("read_only"), [](Mmio& mmio) { mmio.write32(region("d") << region_shift, 0); }},
      {error_code("unmapped"), [rows](Mmio& mmio) { mmio.write32(a_codes + (rows << 5), 0); }},
      {error_code("unmapped"), [](Mmio& mmio) { mmio.read32(0x18); }},
      {error_code("buffer_in_use"),
       [](Mmio& mmio) {
         start(mmio, good_job);
         mmio.write32(a_codes, 0);
       }},
  };
}
// Whatever was wrong, its code is read, an abort gives all up, and a product is right.
static void check_mistakes(Mmio& mmio, const Design& design, const char* on,
                           std::bitset<errors.size()>& seen) {
  const auto& mxfp4 = block_format("mxfp4");
  const Product p = random_product(mxfp4, mxfp4, 2, 3, 96, false, 1, *design.array.datapath);
  std::vector<float> d(p.expected.size());
  for (const Mistake& mistake : mistakes(design)) {
    tolerate([&] { mistake.make(mmio); });
    wait_until_idle(mmio);
    const uint32_t status = mmio.read32(register_offset("status"));
    const uint32_t code = get(field("status.error_code"), status);
    BOOST_TEST(code == mistake.code,
               on << ": expected " << errors[mistake.code].name << ", got " << code);
    BOOST_TEST(get(field("status.error"), status) == 1u);
    seen.set(code);
    mmio.write32(register_offset("control"), mask(field("control.abort")));
    mmio.write32(register_offset("status"), mask(field("status.error")));
    Driver(mmio).multiply(p.a, p.b, p.c, d);
    BOOST_TEST(bits_of(d) == bits_of(p.expected), on << " after " << errors[code].name);
  }
}

// What needs pins: strobes, and packets of operands.
struct Seen {
  uint32_t code = 0, packets = 0;
};
static Seen after(Port& port, const std::function<void(Inputs&, const Outputs&)>& drive) {
  AxiLiteMaster bus(port);  // resets
  Inputs pins;
  for (int i = 0; i < 100; ++i) {
    const Outputs before = port.outputs();
    drive(pins, before);
    port.clock(pins);
  }
  return {get(field("status.error_code"), bus.read32(register_offset("status"))),
          bus.read32(register_offset("packets"))};
}
static Seen after_packet(Port& port, const std::vector<uint32_t>& words, bool is_whole = true) {
  size_t sent = 0;
  bool offered = false;
  return after(port, [&](Inputs& pins, const Outputs& before) {
    sent += offered && before.s_tready;
    offered = pins.s_tvalid = sent < words.size();
    if (!offered) return;
    pins.s_tdata = words[sent];
    pins.s_tlast = is_whole && sent + 1 == words.size();
  });
}
static Seen after_partial_write(Port& port) {
  return after(port, [done = false](Inputs& pins, const Outputs&) mutable {
    pins.awvalid = pins.wvalid = !done;
    pins.awaddr = register_offset("job");
    pins.wstrb = 0b0111;
    pins.bready = done = true;
  });
}

BOOST_AUTO_TEST_CASE(wrong_programming_gives_its_code_and_never_a_hang) {
  for (const AcceleratorSource& source : bench_accelerators()) {
    const auto rtl = source.make();
    const auto model = make_systemc_accelerator(source.design);
    const auto [rows, cols] = source.design.array.shape;
    for (Port* port : std::initializer_list<Port*>{rtl.get(), model.get()}) {
      std::bitset<errors.size()> seen(1);     // none
      seen.set(error_code("tile_too_long"));  // see the_sum_of_exact_is_not_overrun
      AxiLiteMaster bus(*port);
      check_mistakes(bus, source.design, port == rtl.get() ? "RTL" : "cycle model", seen);
      const uint32_t c = region("c") << region_shift, d = region("d") << region_shift;
      const auto of_c = [&](int words) {
        std::vector<uint32_t> packet(size_t(1 + words), 1);
        packet.front() = c;
        return packet;
      };
      // Packets count where they have ended, good or not.
      struct {
        uint8_t code;
        uint32_t packets;
        Seen got;
      } const by_pins[] = {
          {error_code("partial_write"), 0, after_partial_write(*port)},
          {error_code("stream_address"), 1, after_packet(*port, {d, 0})},
          {error_code("stream_address"), 1, after_packet(*port, {register_offset("job"), 0})},
          {error_code("stream_address"), 1, after_packet(*port, {c | 1u << address_bits, 0})},
          {error_code("stream_too_long"), 1, after_packet(*port, of_c(rows * cols + 2))},
          {error_code("none"), 1, after_packet(*port, of_c(rows * cols))},
          {error_code("none"), 0, after_packet(*port, of_c(2), /*is_whole=*/false)}};
      for (const auto& [code, packets, got] : by_pins) {
        BOOST_TEST(got.code == code);
        BOOST_TEST(got.packets == packets);
        seen.set(got.code);
      }
      BOOST_TEST(seen.all(), seen);
    }
    BOOST_TEST(rtl->assertions_failed() == 0);
    StubMmio stub(source.design);
    std::bitset<errors.size()> seen;
    check_mistakes(stub, source.design, "stub", seen);
  }
}
