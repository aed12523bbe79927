#include "rtl_models/engine/verilated_array.h"

#include <verilated.h>
#include <verilated_cov.h>
#include <verilated_fst_c.h>

#include <bit>
#include <cstring>
#include <fstream>
#include <string>

#include "emu/error.h"
#include "Varray_8x8.h"
#include "Vbench_array_2x2.h"
#include "Vbench_array_3x5.h"
#include "Vcovered_array_2x3.h"

namespace mxref {
namespace {

static_assert(std::endian::native == std::endian::little);

// Lanes ↔ a port of Verilator's: an integer or words, the lowest bits first.
template <typename Port, typename Lane>
void put(Port& port, const std::vector<Lane>& lanes) {
  static_assert(sizeof(Lane) <= sizeof(Port));
  std::memcpy(&port, lanes.data(), lanes.size() * sizeof(Lane));
}
template <typename Port>
void get(const Port& port, std::vector<uint32_t>& lanes) {
  std::memcpy(lanes.data(), &port, lanes.size() * sizeof(uint32_t));
}

// Base: ArrayPort or BenchArray. Model: what Verilator made of the array at ROWS×COLS.
template <typename Base, typename Model, int ROWS, int COLS>
class VerilatedArray : public Base {
 public:
  VerilatedArray() : model_(&context_), outputs_(ArrayShape{ROWS, COLS}) {}
  ~VerilatedArray() override { model_.final(); }

  ArrayShape shape() const override { return {ROWS, COLS}; }
  const ArrayOutputs& outputs() const override { return outputs_; }
  void clock(const ArrayInputs& inputs) override {
    put_inputs(inputs);
    set_clock(false);  // signals that follow from the inputs settle before assertions sample them
    set_clock(true);
    get_outputs();
  }

 protected:
  virtual void after_eval() {}
  VerilatedContext context_;
  Model model_;

 private:
  void set_clock(bool level) {
    model_.clk_i = level;
    model_.eval();
    after_eval();
  }
  void put_inputs(const ArrayInputs& in) {
    model_.rst_ni = in.rst_n;
    model_.out_ready_i = in.out_ready;
    model_.fault_i = in.fault;
    model_.in_valid_i = in.in_valid;
    // Operands are half of the engine's time: its array gets those alone that it takes. The bench's
    // gets all pins, for it must be seen that it takes no others.
    constexpr bool is_bench = std::is_same_v<Base, BenchArray>;
    if (!is_bench && !in.in_valid) return;
    model_.in_first_i = in.in_first;
    model_.in_last_i = in.in_last;
    model_.in_preload_i = in.in_preload;
    model_.format_a_i = in.format_a;
    model_.format_b_i = in.format_b;
    put(model_.a_codes_i, in.a_codes);
    put(model_.a_scales_i, in.a_scales);
    put(model_.b_codes_i, in.b_codes);
    put(model_.b_scales_i, in.b_scales);
    if (is_bench || in.in_preload) put(model_.c_i, in.c);
  }
  void get_outputs() {
    outputs_.in_ready = model_.in_ready_o;
    outputs_.out_valid = model_.out_valid_o;
    outputs_.out_last = model_.out_last_o;
    outputs_.out_row = model_.out_row_o;
    get(model_.out_data_o, outputs_.out_data);
    outputs_.trace_valid = model_.trace_valid_o;
    outputs_.trace_first = model_.trace_first_o;
    outputs_.trace_last = model_.trace_last_o;
    outputs_.trace_stages = model_.trace_stages_o;
    get(model_.trace_acc_o, outputs_.trace_acc);
  }

  ArrayOutputs outputs_;
};

// Verilator itself ends the program, or says nothing. Leaves an empty file.
void require_opens(const std::filesystem::path& path) {
  if (!std::ofstream(path)) throw InputError(path.string() + ": cannot be written");
}

template <typename Model, int ROWS, int COLS>
class VerilatedBenchArray : public VerilatedArray<BenchArray, Model, ROWS, COLS> {
 public:
  VerilatedBenchArray() { this->context_.traceEverOn(true); }
  ~VerilatedBenchArray() override { waves_.close(); }

  int64_t assertions_failed() const override { return this->model_.failures_o; }
  void open_waves(const std::filesystem::path& path) override {
    require_opens(path);
    this->model_.trace(&waves_, /*levels=*/99);
    waves_.open(path.c_str());
  }
  void write_coverage(const std::filesystem::path& path) override {
    require_opens(path);
    this->context_.coveragep()->write(path.c_str());
  }

 protected:
  void after_eval() override {
    if (waves_.isOpen()) waves_.dump(this->context_.time());
    this->context_.timeInc(1);
  }

 private:
  VerilatedFstC waves_;
};

std::string to_string(ArrayShape shape) {
  return std::to_string(shape.rows) + "x" + std::to_string(shape.cols);
}

}  // namespace

const std::vector<ArrayShape>& bench_shapes() {
  static const std::vector<ArrayShape> shapes{{2, 2}, {3, 5}};
  return shapes;
}

std::unique_ptr<BenchArray> make_bench_array(ArrayShape shape) {
  if (shape == ArrayShape{2, 2})
    return std::make_unique<VerilatedBenchArray<Vbench_array_2x2, 2, 2>>();
  if (shape == ArrayShape{3, 5})
    return std::make_unique<VerilatedBenchArray<Vbench_array_3x5, 3, 5>>();
  std::string valid;
  for (ArrayShape built : bench_shapes()) valid.append(" ").append(to_string(built));
  throw UsageError("no array of shape " + to_string(shape) + " was built; valid:" + valid);
}

std::unique_ptr<BenchArray> make_covered_array() {
  return std::make_unique<VerilatedBenchArray<Vcovered_array_2x3, covered_array_shape.rows,
                                              covered_array_shape.cols>>();
}

std::unique_ptr<ArrayPort> make_engine_array() {
  return std::make_unique<
      VerilatedArray<ArrayPort, Varray_8x8, engine_array_shape.rows, engine_array_shape.cols>>();
}

}  // namespace mxref
