// The accelerator's stream of results where a tile is aborted between the rows of its packet.
#include <boost/test/unit_test.hpp>

#include "emu/accelerator/axi_lite_master.h"
#include "emu/systemc/systemc_accelerator.h"
#include "rtl_models/accelerator/bench_accelerator.h"
#include "rtl_models/accelerator/faults.h"
#include "tests/rtl_models/accelerator_job.h"

using namespace mxref;
using namespace mxref::accelerator;

// Takes results from the stream while it is ready.
class Receiver : public Port {
 public:
  explicit Receiver(Port& port) : port_(port) {}
  const Design& design() const override { return port_.design(); }
  const Outputs& outputs() const override { return port_.outputs(); }
  void clock(const Inputs& inputs) override {
    Inputs pins = inputs;
    pins.m_tready = is_ready;
    pins.fault = fault;
    const Outputs& out = port_.outputs();
    if (pins.rst_n && out.m_tvalid && is_ready) {
      transfers += out.m_tuser ? "cut" : "row";
      transfers += out.m_tlast ? "; " : ", ";
    }
    port_.clock(pins);
  }
  bool is_ready = false;
  uint8_t fault = 0;
  std::string transfers;

 private:
  Port& port_;
};
static bool is_busy(Mmio& mmio) {
  for (int i = 0; i < 60; ++i)
    if (!get(field("status.busy"), mmio.read32(register_offset("status")))) return false;
  return true;
}
// The transfers that a receiver sees which is not ready until a tile was aborted behind its first
// row, one was computed for D alone, and one waits for the stream.
static std::string transfers_around_an_abort(Port& port, uint8_t fault = 0) {
  Receiver receiver(port);
  receiver.fault = fault;
  AxiLiteMaster bus(receiver);
  const uint32_t control = register_offset("control"), abort = mask(field("control.abort"));
  Job to_stream = good_job;
  to_stream.stream = true;
  bus.write32(control, abort);  // of nothing
  start(bus, to_stream);
  BOOST_TEST(is_busy(bus));
  bus.write32(control, abort);
  BOOST_TEST(!is_busy(bus));
  bus.write32(control, abort);
  start(bus, good_job);
  BOOST_TEST(!is_busy(bus));
  start(bus, to_stream);
  BOOST_TEST(is_busy(bus));
  BOOST_TEST(receiver.transfers == "");
  receiver.is_ready = true;
  BOOST_TEST(!is_busy(bus));
  start(bus, to_stream);
  BOOST_TEST(!is_busy(bus));
  bus.write32(control, abort);  // behind a whole packet
  BOOST_TEST(!is_busy(bus));
  return receiver.transfers;
}
// A packet of so many rows.
static std::string packet(int rows) {
  std::string transfers;
  for (int row = 1; row < rows; ++row) transfers += "row, ";
  return transfers + "row; ";
}
BOOST_AUTO_TEST_CASE(an_abort_between_the_rows_of_a_packet_ends_it_with_a_mark) {
  for (const AcceleratorSource& source : bench_accelerators()) {
    const auto rtl = source.make();
    const auto model = make_systemc_accelerator(source.design);
    const std::string whole = packet(source.design.array.shape.rows);
    for (Port* port : std::initializer_list<Port*>{rtl.get(), model.get()})
      BOOST_TEST(transfers_around_an_abort(*port) == "row, cut; " + whole + whole);
    BOOST_TEST(rtl->assertions_failed() == 0);
  }
  // The control: rows of two tiles in a packet, and the assertion that says so.
  const auto at =
      std::ranges::find(accelerator_faults, "cut_packet_stays_open", &AcceleratorFault::name);
  const auto faulty = bench_accelerators().front().make();
  BOOST_TEST(transfers_around_an_abort(*faulty, uint8_t(at - accelerator_faults.begin() + 1)) ==
             "row, row, row; row, row; ");
  BOOST_TEST(faulty->assertions_failed() > 0);
}
