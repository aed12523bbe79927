#include "rtl_models/accelerator/lockstep.h"

#include <cstdio>
#include <string>

#include "emu/accelerator/axi_lite_master.h"
#include "rtl_models/accelerator/accelerator_stimulus.h"

namespace mxref {

using namespace accelerator;

namespace {

class Comparison {
 public:
  Comparison(const LockstepOptions& options, LockstepResult& result)
      : options_(options), result_(result) {}

  void check(const char* signal, uint32_t expected, uint32_t got) {
    if (expected == got || !result_.failure.empty()) return;
    char text[200];
    std::snprintf(text, sizeof text, "signal %s: expected 0x%x by the SystemC model, got 0x%x",
                  signal, expected, got);
    result_.mismatches = 1;
    fail(text);
  }
  void check_assertions() {
    if (!options_.assertions_failed || !result_.failure.empty()) return;
    if (const int64_t failed = options_.assertions_failed(); failed > 0)
      fail(std::to_string(failed) + " assertions failed");
  }
  void check_all(const Outputs& expected, const Outputs& got) {
    check("s_axi_awready", expected.awready, got.awready);
    check("s_axi_wready", expected.wready, got.wready);
    check("s_axi_bvalid", expected.bvalid, got.bvalid);
    check("s_axi_arready", expected.arready, got.arready);
    check("s_axi_rvalid", expected.rvalid, got.rvalid);
    check("s_axis_tready", expected.s_tready, got.s_tready);
    check("m_axis_tvalid", expected.m_tvalid, got.m_tvalid);
    check("irq", expected.irq, got.irq);
    if (expected.bvalid) check("s_axi_bresp", expected.bresp, got.bresp);
    if (expected.rvalid) {
      check("s_axi_rresp", expected.rresp, got.rresp);
      check("s_axi_rdata", expected.rdata, got.rdata);
    }
    if (expected.m_tvalid) {
      check("m_axis_tlast", expected.m_tlast, got.m_tlast);
      check("m_axis_tuser", expected.m_tuser, got.m_tuser);
      for (size_t c = 0; c < expected.m_tdata.size(); ++c)
        check(("m_axis_tdata[" + std::to_string(c) + "]").c_str(), expected.m_tdata[c],
              got.m_tdata[c]);
    }
    result_.compared += expected.bvalid + expected.rvalid + expected.m_tvalid;
  }

 private:
  void fail(const std::string& what) {
    result_.failure = "seed " + std::to_string(options_.seed) + ", cycle " +
                      std::to_string(result_.cycles) + ", " + what;
  }

  const LockstepOptions& options_;
  LockstepResult& result_;
};

// What is behind it, but no row of results is taken.
class HeldResults : public Port {
 public:
  explicit HeldResults(Port& port) : port_(port) {}
  const Design& design() const override { return port_.design(); }
  const Outputs& outputs() const override { return port_.outputs(); }
  void clock(const Inputs& inputs) override {
    Inputs pins = inputs;
    pins.m_tready = false;
    port_.clock(pins);
  }

 private:
  Port& port_;
};

}  // namespace

LockstepResult run_lockstep(Port& got, Port& expected, const LockstepOptions& options) {
  LockstepResult result;
  Comparison comparison(options, result);
  AcceleratorStimulus stimulus(got.design(), options.seed);
  for (; result.cycles < options.cycles && result.failure.empty(); ++result.cycles) {
    if (options.before_cycle) options.before_cycle(result.cycles);
    const Outputs& out = expected.outputs();
    Inputs pins = stimulus.next(out);
    const uint32_t read_address = stimulus.read_address();
    if (pins.rst_n && out.rvalid && pins.rready && read_address == register_offset("status")) {
      result.errors.set(get(field("status.error_code"), out.rdata));
      result.jobs += get(field("status.done"), out.rdata);
    }
    result.rows += pins.rst_n && out.m_tvalid && pins.m_tready;
    expected.clock(pins);
    pins.fault = options.fault;
    got.clock(pins);
    comparison.check_all(expected.outputs(), got.outputs());
    comparison.check_assertions();
  }
  return result;
}

std::string check_long_job(Port& port, int64_t cycles) {
  HeldResults held(port);
  AxiLiteMaster host(held);
  host.write32(register_offset("job"),
               mask(field("job.first")) | mask(field("job.last")) | mask(field("job.stream")));
  host.write32(register_offset("formats"), 0);
  host.write32(register_offset("length"),
               put(field("length.blocks"), 1) |
                   put(field("length.last_elements"), uint32_t(block_formats[0].block)));
  host.write32(register_offset("control"), mask(field("control.start")));
  const auto count = [&] { return host.read32(register_offset("busy_cycles")); };
  const uint32_t first = count(), second = count();
  for (int64_t i = 0; i < cycles; ++i) held.clock({.rst_n = true});
  const uint32_t expected = second + uint32_t(cycles) + (second - first), got = count();
  if (got == expected) return "";
  return "busy_cycles: expected " + std::to_string(expected) + ", got " + std::to_string(got);
}

}  // namespace mxref
