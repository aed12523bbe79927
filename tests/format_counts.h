#pragma once
// How many formats, and pairs of formats that have a product, the rows of emu/formats.h make: what
// a test that iterates them must have met.

#include <cstddef>
#include <vector>

#include "emu/formats.h"

namespace mxref {

// The formats without a tensor scale.
inline const std::vector<const BlockFormat*>& mx_formats() {
  static const std::vector<const BlockFormat*> formats = [] {
    std::vector<const BlockFormat*> list;
    for (const BlockFormat& row : block_formats)
      if (!row.has_tensor_scale()) list.push_back(&row);
    return list;
  }();
  return formats;
}

// MX formats meet each other, a format with tensor scales (nvfp4) itself.
inline size_t pairs_of_formats() {
  const size_t mx = mx_formats().size();
  return mx * mx + (block_formats.size() - mx);
}

}  // namespace mxref
