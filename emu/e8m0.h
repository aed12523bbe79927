#pragma once
// The scale format e8m0: value = 2^(code - 127), code 0xFF = NaN; no zero, no sign.

#include <algorithm>
#include <cstdint>

namespace mxref::e8m0 {

inline constexpr int bias = 127;
inline constexpr uint8_t nan = 0xFF;
inline constexpr int min_log2 = -127;
inline constexpr int max_log2 = 127;

constexpr bool is_nan(uint8_t code) { return code == nan; }
// log2 of the scale; the code must not be NaN.
constexpr int log2(uint8_t code) { return int(code) - bias; }
// s within the range of the format, and the code of 2^s.
constexpr int clamp(int s) { return std::clamp(s, min_log2, max_log2); }
constexpr uint8_t encode_sat(int s) { return uint8_t(clamp(s) + bias); }

}  // namespace mxref::e8m0
