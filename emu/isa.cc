#include "emu/isa.h"

#include <string>

#include "emu/error.h"

namespace mxref {
namespace {

Isa widest() {
  Isa best = Isa::portable;
  for (const IsaRow& row : isas)
    if (machine_has(row.isa)) best = row.isa;
  return best;
}

Isa& chosen() {
  static Isa isa = widest();
  return isa;
}

}  // namespace

bool machine_has(Isa isa) {
  __builtin_cpu_init();
  switch (isa) {
    case Isa::portable:
      return true;
    case Isa::avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case Isa::avx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    case Isa::avx512vnni:
      return machine_has(Isa::avx512) && __builtin_cpu_supports("avx512vnni");
  }
  return false;
}

Isa current_isa() { return chosen(); }

std::string_view name_of(Isa isa) {
  for (const IsaRow& row : isas)
    if (row.isa == isa) return row.name;
  return "?";
}

void set_isa(std::string_view name) {
  const Isa isa = find_by_name(isas, "instruction set", name).isa;
  if (!machine_has(isa)) throw UsageError("this machine does not have " + std::string(name));
  chosen() = isa;
}

}  // namespace mxref
