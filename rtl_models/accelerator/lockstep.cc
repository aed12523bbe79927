#include "rtl_models/accelerator/lockstep.h"

#include <cstdio>

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
    std::snprintf(text, sizeof text, "seed %llu, cycle %lld: %s: expected 0x%x, got 0x%x",
                  static_cast<unsigned long long>(options_.seed),
                  static_cast<long long>(result_.cycles), signal, expected, got);
    result_.failure = text;
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
        check("m_axis_tdata", expected.m_tdata[c], got.m_tdata[c]);
    }
    result_.compared += expected.bvalid + expected.rvalid + expected.m_tvalid;
  }

 private:
  const LockstepOptions& options_;
  LockstepResult& result_;
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
  }
  return result;
}

}  // namespace mxref
