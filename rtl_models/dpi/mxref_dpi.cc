// What mxref_dpi_pkg.sv imports: the C interface of mxref in the types of DPI-C.

#include <svdpi.h>

#include <cstdint>
#include <cstring>

#include "emu/capi/mxref.h"

namespace {

constexpr int max_block = 128;  // MAX_BLOCK of the package

// The package's vectors as the arrays that they hold.
struct Codes {
  uint8_t elements[max_block];
};
struct Values {
  float elements[max_block];
};
template <typename Array>
Array array_of(const svBitVecVal* vector) {
  Array array;
  std::memcpy(&array, vector, sizeof array);  // element 0 in the lowest bits: little-endian
  return array;
}

const mxref_format* format_of(void* handle) { return static_cast<const mxref_format*>(handle); }
const mxref_datapath* datapath_of(void* handle) {
  return static_cast<const mxref_datapath*>(handle);
}

}  // namespace

extern "C" {

const char* mxref_dpi_version() { return mxref_version(); }
const char* mxref_dpi_error() { return mxref_error(); }

void* mxref_dpi_format(const char* name) {
  return const_cast<mxref_format*>(mxref_format_by_name(name));
}
void* mxref_dpi_format_at(int number) { return const_cast<mxref_format*>(mxref_format_at(number)); }
void* mxref_dpi_datapath(const char* name_or_json) {
  return const_cast<mxref_datapath*>(mxref_datapath_by_name(name_or_json));
}

int mxref_dpi_decode(void* format, unsigned char code, svBitVecVal* value) {
  float decoded = 0;
  const int status = mxref_decode(format_of(format), code, &decoded);
  std::memcpy(value, &decoded, sizeof decoded);
  return status;
}

int mxref_dpi_block_step(void* datapath, void* format_a, void* format_b, int block,
                         const svBitVecVal* codes_a, const svBitVecVal* codes_b,
                         unsigned char scale_a, unsigned char scale_b, const svBitVecVal* acc_in,
                         svBitVecVal* acc_out) {
  const auto a = array_of<Codes>(codes_a), b = array_of<Codes>(codes_b);
  uint32_t acc = 0;
  const int status =
      mxref_block_step(datapath_of(datapath), format_of(format_a), format_of(format_b), block,
                       a.elements, b.elements, scale_a, scale_b, *acc_in, &acc);
  *acc_out = acc;
  return status;
}

int mxref_dpi_quantize_block(const char* format, const char* scale_rule, const char* rounding,
                             const char* prescale, int count, const svBitVecVal* x,
                             svBitVecVal* codes, unsigned char* scale) {
  mxref_conversion conversion{};
  conversion.format = format;
  conversion.scale_rule = scale_rule;
  conversion.rounding = rounding;
  conversion.prescale = prescale;
  const auto values = array_of<Values>(x);
  Codes result{};
  *scale = 0;
  const int status = mxref_quantize_block(&conversion, values.elements, count, /*tensor_scale=*/0,
                                          /*first_element=*/0, result.elements, scale);
  std::memcpy(codes, &result, sizeof result);
  return status;
}

}  // extern "C"
