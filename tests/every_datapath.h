#pragma once
// The presets, each other kind with flush to zero, and alignments at the ends of what may be
// described.

#include <vector>

#include "emu/datapaths.h"

namespace mxref {

inline const std::vector<const Datapath*>& every_datapath() {
  static const std::vector<const Datapath*> all = [] {
    std::vector<const Datapath*> list;
    for (const Datapath& preset : datapaths) list.push_back(&preset);
    for (
        const char* described :
        {R"({"kind":"fused","ftz":true})", R"({"kind":"blockwise","ftz":true})",
         R"({"kind":"sequential","ftz":true})", R"({"kind":"exact","ftz":true})",
         R"({"kind":"aligned","terms":1024,"group":32,"fraction_bits":44,"e_zero":-1024,"output":"rne"})",
         R"({"kind":"aligned","terms":48,"group":8,"fraction_bits":44,"e_zero":1024,"output":"rz","ftz":true})",
         R"({"kind":"aligned","terms":24,"group":8,"fraction_bits":40,"e_zero":-300,"output":"rz13"})",
         R"({"kind":"aligned","terms":5,"group":1,"fraction_bits":1,"e_zero":0,"output":"rne"})"})
      list.push_back(&datapath(described));
    return list;
  }();
  return all;
}

}  // namespace mxref
