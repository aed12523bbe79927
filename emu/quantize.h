#pragma once
// binary32 ↔ MX (ARITHMETIC.md §2).

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "emu/block.h"

namespace mxref {

std::string block_length_list();  // "8, 16, 32, 64, 128"

// x: the elements of one block that exist (1 … block of them) → codes of the same count; returns
// the scale code. The definition, in integers.
uint8_t quantize_block_ref(std::span<const float> x, const Conversion& conversion,
                           std::span<uint8_t> codes);

// x (shape (…, K), K > 0) → tensor. The definition, and the same bits by the vector kernels.
// Throws UsageError where x is empty or the block length is not one of block_lengths.
MxTensor quantize_ref(std::span<const float> x, std::vector<int64_t> shape,
                      const Conversion& conversion);
MxTensor quantize(std::span<const float> x, std::vector<int64_t> shape,
                  const Conversion& conversion);

// RNE32(code · 2^s / p), NaN as 0x7FC00000.
float dequantize_element(const ElementFormat& format, uint8_t code, uint8_t scale, Prescale p);
std::vector<float> dequantize(const MxTensor& q);

}  // namespace mxref
