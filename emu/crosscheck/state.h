#pragma once
// What a crosscheck has compared so far, in a file from which a run that was stopped goes on.

#include <filesystem>
#include <set>
#include <string>

#include "emu/crosscheck/crosscheck.h"

namespace mxref {

class CrosscheckState {
 public:
  // Reads the file, where there is one, into `report`; its controls are in place. engines: of whom
  // each pair of formats on a datapath has a row, in this order. Throws InputError where it is of a
  // run with another key, or no such file.
  CrosscheckState(std::filesystem::path file, std::string key,
                  const std::vector<std::string>& engines, CrosscheckReport& report);

  // Whether the random products of this pair of formats on this datapath are in it.
  bool has(const BlockFormat& a, const BlockFormat& b, const Datapath& datapath) const;
  // Writes the report of what has been done. Throws InputError.
  void keep(const CrosscheckReport& report) const;

 private:
  std::filesystem::path file_;
  std::string key_;
  std::set<std::string> done_;
};

}  // namespace mxref
