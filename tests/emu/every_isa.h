#pragma once
// Runs a test once for each instruction set of the machine.

#include <boost/test/unit_test.hpp>
#include <string>

#include "emu/isa.h"

namespace mxref {

template <typename F>
void for_every_isa(const F& test) {
  const std::string before(name_of(current_isa()));
  for (const IsaRow& row : isas) {
    if (!machine_has(row.isa)) {
      BOOST_TEST_MESSAGE("skipped: this machine does not have " << row.name);
      continue;
    }
    set_isa(row.name);
    test(row.name);
  }
  set_isa(before);
}

}  // namespace mxref
