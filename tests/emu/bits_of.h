#pragma once

#include <bit>
#include <cstdint>

inline uint32_t bits_of(float x) { return std::bit_cast<uint32_t>(x); }
