#pragma once
// binary32 ↔ MX (ARITHMETIC.md §2).

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "emu/block.h"

namespace mxref {

std::string block_length_list();                           // "8, 16, 32, 64, 128"
std::string block_length_list(const BlockFormat& format);  // those that it has

// Throws UsageError where the format does not have what the conversion asks for: its block length,
// a scale rule, a pre-scale or a scale for each row.
void check_conversion(const Conversion& conversion);

// The largest magnitude of x, as binary32 bits: magnitudes order as their bits do, Inf and NaN
// above all.
uint32_t max_magnitude(std::span<const float> x);

// Where a block stands in its tensor.
struct BlockPlace {
  uint64_t first_element = 0;  // row-major index: of the random words of a stochastic rounding
  float tensor_scale = 1;      // g, of a format that has one
};
// x: the elements of one block that exist (1 … block of them) → codes of the same count; returns
// the scale code. The definition, in integers.
uint8_t quantize_block_ref(std::span<const float> x, const Conversion& conversion,
                           std::span<uint8_t> codes, const BlockPlace& place = {});
// g of the elements x, by rows of K; blocks that hold a NaN or Inf do not count.
float tensor_scale_ref(std::span<const float> x, int64_t K, const BlockFormat& format);

// x (shape (…, K), K > 0) → tensor. The definition, and the same bits by the vector kernels.
// Where x is part of a larger tensor, `first_element` is the index there of its first element: of
// the random words of a stochastic rounding. Throws UsageError where x is empty, and as
// check_conversion.
MxTensor quantize_ref(std::span<const float> x, std::vector<int64_t> shape,
                      const Conversion& conversion, uint64_t first_element = 0);
MxTensor quantize(std::span<const float> x, std::vector<int64_t> shape,
                  const Conversion& conversion, uint64_t first_element = 0);

// RNE32(code · scale · g / p), NaN as 0x7FC00000.
float dequantize_element(const BlockFormat& format, uint8_t code, uint8_t scale, Prescale p = {},
                         float tensor_scale = 1);
std::vector<float> dequantize(const MxTensor& q);

}  // namespace mxref
