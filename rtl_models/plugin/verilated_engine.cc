// A Verilated design as an engine plugin: the array of this project behind the C ABI that designs
// of others use. A product is cut into tiles of 8×8 results; a tile's blocks go in as beats, one a
// cycle, and its rows come out (rtl_models/README.md has the pins).
//
//   mxref crosscheck --impl plugin:build/lib/verilated_engine.so --format mxfp4 --datapath fused

#include <algorithm>
#include <cmath>
#include <cstring>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "emu/capi/engine_plugin.h"
#include "Varray_8x8.h"

namespace {

constexpr int tile = 8, block = 32;
constexpr uint32_t canonical_nan = 0x7FC00000;
constexpr int patience_cycles = 1000;  // no stall of a sound array is longer

// A format's number on the pins; -1: the array does not have it.
int format_number(const std::string& name) {
  return name == "mxfp4" ? 0 : name == "mxfp8_e4m3" ? 3 : -1;
}

int64_t blocks_of(const mxref_operand& x) { return (x.cols + block - 1) / block; }

// What mxref prepares: a copy of the weights, for the caller's arrays go away.
struct Weights {
  explicit Weights(const mxref_operand& from)
      : b(from),
        codes(from.codes, from.codes + from.rows * from.cols),
        scales(from.scales, from.scales + from.rows * blocks_of(from)) {
    b.codes = codes.data();
    b.scales = scales.data();
  }
  mxref_operand b;
  std::vector<uint8_t> codes, scales;
};

class Array {
 public:
  ~Array() { pins_.final(); }

  void reset() {
    pins_.rst_ni = 0;
    pins_.in_valid_i = 0;
    pins_.out_ready_i = 1;
    clock();
    pins_.rst_ni = 1;
    clock();
  }

  // d of the tile whose first result is (m0, n0); c: where its accumulators start, or null.
  void multiply_tile(const mxref_operand& a, const mxref_operand& b, int64_t m0, int64_t n0,
                     const float* c, float* d) {
    pins_.format_a_i = CData(format_number(a.format));
    pins_.format_b_i = CData(format_number(b.format));
    pins_.in_preload_i = c != nullptr;
    const int64_t rows = std::min<int64_t>(tile, a.rows - m0);
    const int64_t cols = std::min<int64_t>(tile, b.rows - n0);
    if (c) put_start(c, b.rows, m0, n0, rows, cols);
    for (int64_t i = 0; i < blocks_of(a); ++i) {
      put_blocks(a, m0, rows, i, pins_.a_codes_i, &pins_.a_scales_i);
      put_blocks(b, n0, cols, i, pins_.b_codes_i, &pins_.b_scales_i);
      pins_.in_first_i = i == 0;
      pins_.in_last_i = i + 1 == blocks_of(a);
      pins_.in_lanes_i = CData(std::min<int64_t>(block, a.cols - i * block));
      pins_.in_valid_i = 1;
      await(pins_.in_ready_o, "in_ready_o");
      clock();
    }
    pins_.in_valid_i = 0;
    for (int64_t row = 0; row < tile; ++row) {
      await(pins_.out_valid_o, "out_valid_o");
      if (row < rows)
        std::memcpy(d + (m0 + row) * b.rows + n0, &pins_.out_data_o, size_t(cols) * sizeof *d);
      clock();
    }
  }

 private:
  void clock() {
    pins_.clk_i = 0;
    pins_.eval();
    pins_.clk_i = 1;
    pins_.eval();
  }
  void await(const CData& pin, const std::string& name) {
    for (int waited = 0; !pin; clock())
      if (waited++ == patience_cycles)
        throw std::runtime_error(name + " of the array stays 0 for " +
                                 std::to_string(patience_cycles) + " cycles");
  }
  // Lanes behind the last row, and elements behind the last of a short block, are +0 codes.
  template <typename Codes>
  static void put_blocks(const mxref_operand& x, int64_t first, int64_t count, int64_t index,
                         Codes& codes, QData* scales) {
    std::memset(&codes, 0, sizeof codes);
    std::memset(scales, 0x7F, sizeof *scales);
    const auto length = size_t(std::min<int64_t>(block, x.cols - index * block));
    for (int64_t lane = 0; lane < count; ++lane) {
      std::memcpy(reinterpret_cast<char*>(&codes) + lane * block,
                  x.codes + (first + lane) * x.cols + index * block, length);
      std::memcpy(reinterpret_cast<char*>(scales) + lane,
                  x.scales + (first + lane) * blocks_of(x) + index, 1);
    }
  }
  void put_start(const float* c, int64_t N, int64_t m0, int64_t n0, int64_t rows, int64_t cols) {
    std::memset(&pins_.c_i, 0, sizeof pins_.c_i);
    for (int64_t row = 0; row < rows; ++row)
      std::memcpy(reinterpret_cast<float*>(&pins_.c_i) + row * tile, c + (m0 + row) * N + n0,
                  size_t(cols) * sizeof *c);
  }

  VerilatedContext context_;
  Varray_8x8 pins_{&context_};
};

// RNE32(c + RNE32(acc · up / down)). The 64 bits of long double round no quotient of these so that
// it ends on a tie of binary32 that it does not have.
void finish(std::vector<float>& d, const float* c, uint64_t up, uint64_t down) {
  for (size_t i = 0; i < d.size(); ++i) {
    const auto scaled = float(static_cast<long double>(d[i]) * up / down);
    d[i] = (c ? c[i] : 0) + scaled;
    if (std::isnan(d[i])) std::memcpy(&d[i], &canonical_nan, sizeof d[i]);
  }
}

void multiply(const mxref_operand& a, const mxref_operand& b, const float* c, float* result) {
  static Array array;
  array.reset();  // after a product that was given up, too
  const uint64_t up = uint64_t(a.prescale_denominator) * b.prescale_denominator;
  const uint64_t down = uint64_t(a.prescale_numerator) * b.prescale_numerator;
  std::vector<float> d(size_t(a.rows * b.rows));
  for (int64_t m = 0; m < a.rows; m += tile)
    for (int64_t n = 0; n < b.rows; n += tile)
      array.multiply_tile(a, b, m, n, up == down ? c : nullptr, d.data());
  if (up != down) finish(d, c, up, down);
  std::ranges::copy(d, result);
}

// Runs `work`; an exception becomes the text of *error.
template <typename Work>
bool succeeds(const Work& work, const char** error) {
  static std::string message;
  try {
    work();
    return true;
  } catch (const std::exception& e) {
    message = e.what();
    *error = message.c_str();
    return false;
  }
}

}  // namespace

int32_t mxref_plugin_version() { return MXREF_PLUGIN_VERSION; }

const char* mxref_plugin_name() { return "Verilated array of 8x8"; }

const char* mxref_plugin_refuses(const char* format_a, const char* format_b, int32_t length,
                                 const char* datapath) {
  if (std::strcmp(datapath, "fused") != 0) return "the array has the datapath fused alone";
  if (format_number(format_a) < 0 || format_number(format_b) < 0)
    return "the array has mxfp4 and mxfp8_e4m3 alone";
  return length == block ? nullptr : "the array has blocks of 32 alone";
}

void* mxref_plugin_prepare(const mxref_operand* b, const char* /*datapath*/, const char** error) {
  void* weights = nullptr;
  succeeds([&] { weights = new Weights(*b); }, error);
  return weights;
}

int32_t mxref_plugin_multiply(void* prepared, const mxref_operand* a, const float* c, float* d,
                              const char** error) {
  return succeeds([&] { multiply(*a, static_cast<Weights*>(prepared)->b, c, d); }, error) ? 0 : 1;
}

void mxref_plugin_free(void* prepared) { delete static_cast<Weights*>(prepared); }
