// The TLM-2.0 target, as an initiator of a virtual platform meets it.
#define BOOST_TEST_MODULE tlm
#include <tlm_utils/simple_initiator_socket.h>

#include <boost/test/unit_test.hpp>
#include <functional>
#include <optional>

#include "emu/systemc/simulation_context.h"
#include "emu/systemc/tlm_accelerator.h"
#include "tests/run_program.h"
#include "tests/shared_data.h"

using namespace mxref;
using namespace mxref::accelerator;
using sc_core::sc_time;
using Words = std::vector<uint32_t>;

namespace tlm {
static std::ostream& operator<<(std::ostream& out, tlm_response_status status) {
  return out << int(status);
}
}  // namespace tlm

static const sc_time cycle(1, sc_core::SC_NS);
static const Design& small_design() {
  static const Design design{.array = {.shape = {2, 3}}, .depth = 3};
  return design;
}
// The first word of each region, and of some registers.
constexpr uint32_t a_codes = region("a_codes") << region_shift,
                   a_scales = region("a_scales") << region_shift, d = region("d") << region_shift;
constexpr uint32_t status = register_offset("status"), control = register_offset("control");

class Host : public sc_core::sc_module {
 public:
  tlm_utils::simple_initiator_socket<Host> socket{"socket"};
  sc_core::sc_signal<bool> irq{"irq"};
  sc_time delay;
  std::vector<std::pair<uint64_t, uint64_t>> invalidated;  // ranges

  SC_HAS_PROCESS(Host);
  Host(const sc_core::sc_module_name& name, std::function<void(Host&)> program)
      : sc_module(name), program_(std::move(program)) {
    socket.register_invalidate_direct_mem_ptr(this, &Host::invalidate);
    SC_THREAD(run);
  }

  // A transaction as it was answered. Words are read into, or written from.
  struct Request {
    tlm::tlm_command command;
    uint64_t address;
    Words words = {0};
    std::vector<uint8_t> enables = {};
    std::optional<unsigned> bytes = {}, streaming_width = {}, enable_length = {};
    bool dmi_allowed = false;
  };
  tlm::tlm_response_status transport(Request& request) {
    Payload payload(request);
    socket->b_transport(payload, delay);
    request.dmi_allowed = payload.is_dmi_allowed();
    return payload.get_response_status();
  }
  tlm::tlm_response_status transport(Request&& request) { return transport(request); }
  unsigned debug(Request& request) {
    Payload payload(request);
    return socket->transport_dbg(payload);
  }
  unsigned debug(Request&& request) { return debug(request); }
  std::optional<tlm::tlm_dmi> pointer(tlm::tlm_command command, uint64_t address) {
    Request request{command, address};
    Payload payload(request);
    tlm::tlm_dmi dmi;
    const bool granted = socket->get_direct_mem_ptr(payload, dmi);
    return granted ? std::optional(dmi) : std::nullopt;
  }

  uint32_t read(uint64_t address) {
    Request request{tlm::TLM_READ_COMMAND, address};
    BOOST_TEST(transport(request) == tlm::TLM_OK_RESPONSE);
    return request.words.front();
  }
  void write(uint64_t address, uint32_t word) {
    BOOST_TEST(transport({tlm::TLM_WRITE_COMMAND, address, {word}}) == tlm::TLM_OK_RESPONSE);
  }
  // mxfp4 on both sides; zeros where nothing was written.
  void start_job(uint32_t blocks = 1) {
    write(register_offset("job"), mask(field("job.first")) | mask(field("job.last")));
    write(register_offset("length"),
          put(field("length.blocks"), blocks) | put(field("length.last_elements"), 32));
    write(control, mask(field("control.start")));
  }
  uint32_t error() { return get(field("status.error_code"), read(status)); }
  // The simulation catches up with this process.
  void synchronize() {
    wait(delay);
    delay = sc_core::SC_ZERO_TIME;
  }

 private:
  struct Payload : tlm::tlm_generic_payload {
    explicit Payload(Request& request) {
      set_command(request.command);
      set_address(request.address);
      set_data_ptr(reinterpret_cast<unsigned char*>(request.words.data()));
      set_data_length(request.bytes.value_or(unsigned(request.words.size() * sizeof(uint32_t))));
      set_streaming_width(request.streaming_width.value_or(get_data_length()));
      if (request.enables.empty()) return;
      set_byte_enable_ptr(request.enables.data());
      set_byte_enable_length(request.enable_length.value_or(unsigned(request.enables.size())));
    }
  };
  void run() { program_(*this); }
  void invalidate(sc_dt::uint64 first, sc_dt::uint64 last) {
    invalidated.emplace_back(first, last);
  }

  const std::function<void(Host&)> program_;
};

// A platform of its own, from elaboration until the program has ended.
static void run_on_target(const std::function<void(Host&)>& program) {
  const SimulationContext context;
  bool ended = false;
  Host host("host", [&](Host& h) {
    program(h);
    ended = true;
  });
  TlmAccelerator target("target", small_design(), cycle);
  host.socket.bind(target.socket);
  target.irq_o(host.irq);
  sc_core::sc_start();
  BOOST_TEST(ended);
}

static Words counted(size_t count, uint32_t first) {
  Words words(count);
  for (size_t i = 0; i < count; ++i) words[i] = first + uint32_t(i) * 0x01030507;
  return words;
}

// Two rows of a block lie one behind the other, 8 words each; there is no third row.
BOOST_AUTO_TEST_CASE(a_burst_is_its_words_in_order) {
  run_on_target([](Host& host) {
    const Words words = counted(16, 0x89ABCDEF);
    BOOST_TEST(host.transport({tlm::TLM_WRITE_COMMAND, a_codes, words}) == tlm::TLM_OK_RESPONSE);
    BOOST_TEST(host.delay == 16 * 3 * cycle);
    host.delay = sc_core::SC_ZERO_TIME;
    Host::Request back{tlm::TLM_READ_COMMAND, a_codes, Words(16)};
    BOOST_TEST(host.transport(back) == tlm::TLM_OK_RESPONSE);
    BOOST_TEST(host.delay == 16 * 5 * cycle);
    BOOST_TEST(back.words == words);
    for (uint32_t i : {0u, 7u, 8u, 15u}) BOOST_TEST(host.read(a_codes + 4 * i) == words[i]);

    // One word too many: those before it are written.
    const Words more = counted(17, 0x12345678);
    BOOST_TEST(host.transport({tlm::TLM_WRITE_COMMAND, a_codes, more}) ==
               tlm::TLM_ADDRESS_ERROR_RESPONSE);
    BOOST_TEST(host.read(a_codes + 60) == more[15]);
    BOOST_TEST(host.error() == error_code("unmapped"));
  });
}

BOOST_AUTO_TEST_CASE(a_scale_is_a_byte_however_it_is_written) {
  run_on_target([](Host& host) {
    host.write(a_scales, 0xAABBCC7F);
    BOOST_TEST(host.read(a_scales) == 0x7Fu);
    BOOST_TEST(host.debug({tlm::TLM_WRITE_COMMAND, a_scales, {0xAABBCC80}}) == 4u);
    BOOST_TEST(host.read(a_scales) == 0x80u);
    const auto dmi = host.pointer(tlm::TLM_WRITE_COMMAND, a_scales);
    const uint32_t word = 0xAABBCC81;
    std::memcpy(dmi->get_dmi_ptr() + (a_scales - dmi->get_start_address()), &word, sizeof word);
    BOOST_TEST(host.read(a_scales) == 0x81u);
  });
}

BOOST_AUTO_TEST_CASE(a_write_without_all_bytes_is_refused_and_changes_nothing) {
  run_on_target([](Host& host) {
    const std::vector<uint8_t> all(4, TLM_BYTE_ENABLED), none(4, TLM_BYTE_DISABLED);
    std::vector<uint8_t> three = all;
    three[2] = TLM_BYTE_DISABLED;
    const Words words = counted(2, 0x01020304);
    // Enables shorter than the data repeat.
    BOOST_TEST(host.transport({tlm::TLM_WRITE_COMMAND, a_codes, words, all}) ==
               tlm::TLM_OK_RESPONSE);
    for (const auto& enables : {three, none}) {
      BOOST_TEST(host.transport({tlm::TLM_WRITE_COMMAND, a_codes, {0}, enables}) ==
                 tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
      BOOST_TEST(host.error() == error_code("partial_write"));
      host.write(status, mask(field("status.error")));
    }
    BOOST_TEST(host.transport({tlm::TLM_READ_COMMAND, a_codes, {0}, three}) ==
               tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
    Host::Request back{tlm::TLM_READ_COMMAND, a_codes, Words(2), all};
    BOOST_TEST(host.transport(back) == tlm::TLM_OK_RESPONSE);
    BOOST_TEST(back.words == words);
    BOOST_TEST(host.error() == error_code("none"));
  });
}

BOOST_AUTO_TEST_CASE(what_no_access_of_the_bus_is_gets_a_response_of_its_own) {
  run_on_target([](Host& host) {
    using enum tlm::tlm_command;
    const auto answer = [&](Host::Request request) { return host.transport(request); };
    BOOST_TEST(answer({TLM_READ_COMMAND, a_codes, {0}, {}, 0}) == tlm::TLM_BURST_ERROR_RESPONSE);
    BOOST_TEST(answer({TLM_READ_COMMAND, a_codes, {0}, {}, 2}) == tlm::TLM_BURST_ERROR_RESPONSE);
    BOOST_TEST(answer({TLM_READ_COMMAND, a_codes, {0, 0}, {}, 6}) == tlm::TLM_BURST_ERROR_RESPONSE);
    BOOST_TEST(answer({TLM_WRITE_COMMAND, a_codes, {0, 0}, {}, 8, 4}) ==
               tlm::TLM_BURST_ERROR_RESPONSE);
    // Byte enables that are there and have no length.
    for (const auto command : {TLM_READ_COMMAND, TLM_WRITE_COMMAND, TLM_IGNORE_COMMAND})
      BOOST_TEST(answer({command, a_codes, {0}, {TLM_BYTE_ENABLED}, {}, {}, 0}) ==
                 tlm::TLM_BURST_ERROR_RESPONSE);
    BOOST_TEST(host.error() == error_code("none"));  // none of these reached the bus
    for (const uint64_t address : {uint64_t(a_codes) + 2, uint64_t(0x78), uint64_t(0xE0000),
                                   uint64_t(1) << address_bits, uint64_t(1) << 32})
      for (const auto command : {TLM_READ_COMMAND, TLM_WRITE_COMMAND})
        BOOST_TEST(answer({command, address}) == tlm::TLM_ADDRESS_ERROR_RESPONSE, address);
    BOOST_TEST(answer({TLM_WRITE_COMMAND, register_offset("identity")}) ==
               tlm::TLM_COMMAND_ERROR_RESPONSE);
    BOOST_TEST(answer({TLM_WRITE_COMMAND, d}) == tlm::TLM_COMMAND_ERROR_RESPONSE);
    const sc_time before = host.delay;
    BOOST_TEST(answer({TLM_IGNORE_COMMAND, a_codes}) == tlm::TLM_OK_RESPONSE);
    BOOST_TEST(host.delay == before);
    BOOST_TEST(host.read(register_offset("identity")) == identity_word);
  });
}

BOOST_AUTO_TEST_CASE(a_debugger_sees_and_changes_memory_without_time_or_errors) {
  run_on_target([](Host& host) {
    const Words words = counted(16, 0xCAFE0001);
    BOOST_TEST(host.debug({tlm::TLM_WRITE_COMMAND, a_codes, words}) == 64u);
    Host::Request back{tlm::TLM_READ_COMMAND, a_codes, Words(17)};
    BOOST_TEST(host.debug(back) == 64u);  // to the end of what is there
    back.words.pop_back();
    BOOST_TEST(back.words == words);
    BOOST_TEST(host.debug({tlm::TLM_WRITE_COMMAND, d, {0x3F800000}}) == 4u);
    Host::Request identity{tlm::TLM_READ_COMMAND, register_offset("identity")};
    BOOST_TEST(host.debug(identity) == 4u);
    BOOST_TEST(identity.words.front() == identity_word);
    BOOST_TEST(host.debug({tlm::TLM_WRITE_COMMAND, register_offset("job"), {1}}) == 0u);
    BOOST_TEST(host.debug({tlm::TLM_READ_COMMAND, 0x78}) == 0u);
    BOOST_TEST(host.debug({tlm::TLM_READ_COMMAND, uint64_t(1) << 32}) == 0u);
    BOOST_TEST(host.debug({tlm::TLM_READ_COMMAND, a_codes, {0}, {}, 3}) == 0u);
    BOOST_TEST(host.delay == sc_core::SC_ZERO_TIME);
    BOOST_TEST(host.read(d) == 0x3F800000u);
    BOOST_TEST(host.read(register_offset("job")) == 0u);
    BOOST_TEST(host.error() == error_code("none"));
  });
}

BOOST_AUTO_TEST_CASE(direct_memory_is_the_tile_memory_while_no_job_runs) {
  run_on_target([](Host& host) {
    const auto operands = host.pointer(tlm::TLM_WRITE_COMMAND, a_scales);
    BOOST_REQUIRE(operands.has_value());
    BOOST_TEST(operands->is_read_write_allowed());
    BOOST_TEST(operands->get_start_address() == a_codes);
    BOOST_TEST(operands->get_end_address() == d - 1);
    BOOST_TEST(operands->get_write_latency() == 3 * cycle);
    const auto results = host.pointer(tlm::TLM_READ_COMMAND, d);
    BOOST_REQUIRE(results.has_value());
    BOOST_TEST(results->is_read_allowed());
    BOOST_TEST(!results->is_write_allowed());
    BOOST_TEST(results->get_start_address() == d);
    BOOST_TEST(results->get_end_address() == 0xDFFFF);
    BOOST_TEST(!host.pointer(tlm::TLM_WRITE_COMMAND, d));
    for (const uint64_t address : {uint64_t(status), uint64_t(a_codes) - 4, uint64_t(0xE0000),
                                   uint64_t(1) << address_bits, uint64_t(1) << 32})
      BOOST_TEST(!host.pointer(tlm::TLM_READ_COMMAND, address), address);
    Host::Request read{tlm::TLM_READ_COMMAND, a_codes};
    host.transport(read);
    BOOST_TEST(read.dmi_allowed);
    read.address = status;
    host.transport(read);
    BOOST_TEST(!read.dmi_allowed);

    // Row 0 of A and column 0 of B: an element of 1 with a scale of 1, through the pointer. A job
    // takes the pointers back.
    const auto put_word = [&](uint32_t address, uint32_t word) {
      std::memcpy(operands->get_dmi_ptr() + (address - a_codes), &word, sizeof word);
    };
    put_word(a_codes, 2);
    put_word(a_scales, 127);
    put_word(region("b_codes") << region_shift, 2);
    put_word(region("b_scales") << region_shift, 127);
    BOOST_TEST(host.read(a_codes) == 2u);
    host.synchronize();
    host.start_job();
    BOOST_TEST(
        (host.invalidated == std::vector<std::pair<uint64_t, uint64_t>>{{a_codes, 0xDFFFF}}));
    BOOST_TEST(!host.pointer(tlm::TLM_READ_COMMAND, a_codes));
    BOOST_TEST(!host.pointer(tlm::TLM_READ_COMMAND, d));
    host.transport(Host::Request{tlm::TLM_READ_COMMAND, status});
    host.delay += 100 * cycle;
    host.synchronize();
    const auto again = host.pointer(tlm::TLM_READ_COMMAND, d);
    BOOST_REQUIRE(again.has_value());
    uint32_t word = 0;
    std::memcpy(&word, again->get_dmi_ptr(), sizeof word);
    BOOST_TEST(word == 0x3F800000u);
  });
}

// Row 2 of two: the pointer reaches its words, the accelerator does not.
BOOST_AUTO_TEST_CASE(what_the_shape_does_not_have_is_written_by_a_pointer_without_effect) {
  run_on_target([](Host& host) {
    constexpr uint32_t hole = a_codes + (2 << (word_bits + 2)), b_codes = region("b_codes")
                                                                          << region_shift;
    const auto dmi = host.pointer(tlm::TLM_WRITE_COMMAND, a_codes);
    const auto put_word = [&](uint32_t address, uint32_t word) {
      std::memcpy(dmi->get_dmi_ptr() + (address - a_codes), &word, sizeof word);
    };
    put_word(hole, 0x02020202);
    for (uint32_t column = 0; column < 3; ++column) {
      put_word(b_codes + (column << (word_bits + 2)), 0x02020202);
      put_word((region("b_scales") << region_shift) + 4 * column, 127);
    }
    for (uint32_t row = 0; row < 3; ++row) put_word(a_scales + 4 * row, 127);
    BOOST_TEST(host.transport({tlm::TLM_READ_COMMAND, hole}) == tlm::TLM_ADDRESS_ERROR_RESPONSE);
    BOOST_TEST(host.transport({tlm::TLM_WRITE_COMMAND, hole}) == tlm::TLM_ADDRESS_ERROR_RESPONSE);
    host.start_job();
    host.delay += 100 * cycle;
    for (uint32_t row = 0; row < 2; ++row)
      for (uint32_t column = 0; column < 3; ++column)
        BOOST_TEST(host.read(d + (row << (minor_bits + 2)) + 4 * column) == 0u);
  });
}

// A tile of n blocks is busy for 4 + n + rows cycles from the edge of its start.
BOOST_AUTO_TEST_CASE(the_interrupt_rises_when_the_job_ends_and_falls_when_it_is_cleared) {
  run_on_target([](Host& host) {
    host.write(register_offset("interrupt"), mask(field("interrupt.done")));
    host.start_job(3);
    host.synchronize();
    const sc_time start = sc_core::sc_time_stamp();
    sc_core::wait(100 * cycle, host.irq.posedge_event());
    BOOST_TEST(sc_core::sc_time_stamp() - start == (4 + 3 + 2) * cycle);
    BOOST_TEST(get(field("status.done"), host.read(status)) == 1u);
    host.write(status, mask(field("status.done")));
    host.synchronize();
    sc_core::wait(cycle);
    BOOST_TEST(!host.irq.read());
  });
}

BOOST_AUTO_TEST_CASE(an_error_interrupts_while_a_job_runs) {
  run_on_target([](Host& host) {
    host.write(register_offset("interrupt"), mask(field("interrupt.error")));
    host.start_job(3);
    host.synchronize();
    const sc_time start = sc_core::sc_time_stamp();
    BOOST_TEST(!host.irq.read());
    BOOST_TEST(host.transport({tlm::TLM_WRITE_COMMAND, a_codes}) ==
               tlm::TLM_COMMAND_ERROR_RESPONSE);
    sc_core::wait(100 * cycle, host.irq.posedge_event());
    BOOST_TEST(sc_core::sc_time_stamp() - start == 3 * cycle);
    BOOST_TEST(host.irq.read());
    const uint32_t word = host.read(status);
    BOOST_TEST(get(field("status.busy"), word) == 1u);
    BOOST_TEST(get(field("status.error_code"), word) == error_code("buffer_in_use"));
  });
}

BOOST_AUTO_TEST_CASE(a_job_after_an_abort_interrupts_at_its_own_end) {
  run_on_target([](Host& host) {
    host.write(register_offset("interrupt"), mask(field("interrupt.done")));
    host.start_job(3);
    host.write(control, mask(field("control.abort")));
    host.start_job(3);
    host.synchronize();
    const sc_time start = sc_core::sc_time_stamp();
    BOOST_TEST(!host.irq.read());
    sc_core::wait(100 * cycle, host.irq.posedge_event());
    BOOST_TEST(sc_core::sc_time_stamp() - start == 9 * cycle);
  });
}

static void check_example(const std::vector<std::string>& args, const char* says) {
  const Outcome outcome = run_program("mxref_tlm_example", args);
  BOOST_TEST(outcome.code == 0, outcome.err);
  BOOST_TEST(outcome.out.find(says) != std::string::npos, outcome.out);
}
BOOST_AUTO_TEST_CASE(the_example_computes_a_layer_as_the_definition_does) {
  check_example({}, "\n0 of 192 results differ");
  check_example({"--format", "nvfp4", "--no-dmi"}, " 0 direct accesses\n0 of 192 results differ");
  const auto code = [](const std::vector<std::string>& args) {
    return run_program("mxref_tlm_example", args).code;
  };
  BOOST_TEST(code({"--format", "mxfp5"}) == 2);
  for (const char* seed : {"-1", "18446744073709551616", "1.5", "x", "0x"}) {
    const Outcome outcome = run_program("mxref_tlm_example", {"--seed", seed});
    BOOST_TEST(outcome.code == 2, seed);
    BOOST_TEST(outcome.err.find("is no number from 0 to 2^64-1") != std::string::npos, outcome.err);
  }
  BOOST_TEST(code({"--seed", "18446744073709551615"}) == 0);
  BOOST_TEST(code({"--model", "x.safetensors"}) == 2);  // without a layer
  BOOST_TEST(code({"--model", "/nonexistent", "--layer", "x"}) == 3);
  if (const auto model = shared_data("models/llama_tied/model.safetensors")) {
    check_example({"--model", *model, "--layer", "model.layers.0.mlp.down_proj.weight"},
                  "\n0 of 768 results differ");
    BOOST_TEST(code({"--model", *model, "--layer", "model.norm.weight"}) == 3);  // of one dimension
  }
}
