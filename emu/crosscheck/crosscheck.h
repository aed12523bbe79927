#pragma once
// All engines against the definition (gemm_ref) on the same products, and engines with a known
// fault that the same comparison must catch.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "emu/engine.h"

namespace mxref {

// Operands given by the caller, for instance caught in a model: a (M,K), b (N,K), c (M,N) or empty.
struct GivenProduct {
  std::string source;  // where they come from, for the report
  MxTensor a, b;
  std::vector<float> c;
};

struct CrosscheckOptions {
  std::vector<const BlockFormat*> formats = {};    // of each operand; empty: all
  std::vector<const BlockFormat*> formats_b = {};  // of the right operand; empty: as `formats`
  std::vector<const Datapath*> datapaths = {};     // empty: all
  std::vector<std::string> implementations = {};   // names of the table; empty: all of it
  // 1 … 3: seconds, minutes, up to an hour. Level 3 compares 10^9 results of each engine that is
  // not slow, and no more of a slow one than it can do in that time.
  int level = 1;
  uint64_t seed = 1;
  std::vector<GivenProduct> given = {};  // beside the random products, on every datapath
  std::function<void(int64_t done, int64_t total)> progress = {};
  // A file that keeps what has been compared, pair of formats by pair: a run that was stopped goes
  // on from it. `resume_key` says what else the results depend on (the commit, the instruction
  // set). Empty: none is kept.
  std::filesystem::path resume = {};
  std::string resume_key = {};
};

// One engine on one pair of formats and one datapath.
struct CrosscheckRow {
  std::string implementation;
  std::string source;  // "random", or that of the given product
  std::string format_a, format_b, datapath;
  int64_t compared = 0;  // results, each the bits of one element of a product
  int64_t mismatches = 0;
  int64_t products = 0, refused = 0;  // of these products the engine does not take so many,
  std::string reason = {};            // for this reason: its own words, of the first
};

// A faulty engine; `caught` where the comparison saw its fault on every pair of formats.
struct CrosscheckControl {
  std::string name, what;  // what is wrong with it
  bool caught = false;
};

struct CrosscheckReport {
  std::vector<CrosscheckRow> rows;
  std::vector<CrosscheckControl> controls;
  // Of each row with mismatches the first: format, operands in hex, expected, got, index, seed and
  // the command that repeats it.
  std::vector<std::string> failures;
  bool passed() const;  // something compared, no mismatches, and every control caught
};

// Throws UsageError on an unknown implementation, one that is asked for by name and takes none of
// the products, formats and datapaths of which no product is, or a level outside 1 … 3; InputError
// where the file `resume` is of another run or cannot be read or written.
CrosscheckReport crosscheck(const EngineTable& engines, const CrosscheckOptions& options);

}  // namespace mxref
