#pragma once
// Instruction sets of the vector kernels, chosen at run time.

#include <array>
#include <string_view>

namespace mxref {

enum class Isa {
  portable,
  avx2,
  avx512,
  avx512vnni
};  // ascending: a machine that has one has those before it

struct IsaRow {
  std::string_view name;
  Isa isa;
};
inline constexpr std::array isas{IsaRow{"portable", Isa::portable}, IsaRow{"avx2", Isa::avx2},
                                 IsaRow{"avx512", Isa::avx512},
                                 IsaRow{"avx512vnni", Isa::avx512vnni}};

bool machine_has(Isa isa);
// The widest that the machine has, or what set_isa() chose.
Isa current_isa();
std::string_view name_of(Isa isa);
// Throws UsageError on an unknown name, or a set that this machine does not have.
void set_isa(std::string_view name);

}  // namespace mxref
