#pragma once
// Changes of a model that leave its function: what one layer does to its output, the next undoes in
// its weights. Computed in binary64 and rounded to binary32 once a change.

#include <functional>
#include <span>

#include "ptq/model.h"

namespace mxref {

// rows (count,n) binary64 → rows·M, in place. Bits do not depend on the number of threads.
using RowMap = std::function<void(double* rows, int64_t count)>;

// w (N,K) → w·M, row by row.
void map_inputs(at::Tensor& w, const RowMap& map);
// w (N,K), bias (N) or undefined, of a layer whose output y becomes y·M.
void map_outputs(LinearWeights& linear, const RowMap& map);

// The weights of all norms go into the layers behind them; lm_head gets a matrix of its own.
void fold_norms(PtqModel& model);

// The stream of residual sums x becomes x·Q, Q orthogonal: `map` does x·Q to rows of the model's
// width. Norms must be folded. (RMSNorm without weights commutes with rotations.)
void rotate_residual(PtqModel& model, const RowMap& map);

// What comes in at a place becomes x·S/√size on line, S of Hadamard along an axis of `size`
// elements `inner` apart; its linear layers undo it.
void add_hadamard(PtqModel& model, LayerWeights& layer, Place place, int64_t size,
                  int64_t inner = 1);
// Queries and keys, head by head, on line; nothing to undo. Throws UsageError where a head's
// dimension has no Hadamard matrix.
void add_head_hadamard(PtqModel& model, LayerWeights& layer);

// largest (K) ← the largest magnitude of each column, of all rows of x (T,K).
void add_largest(const at::Tensor& x, std::vector<double>& largest);

// The input at `place` is divided by s (width): its linear layers are multiplied by s, and what is
// in front of it is divided: the norm's weight (qkv, gate_up), the rows of v (o: every value head
// serves one query head), the rows of up (down).
void scale_channels(PtqModel& model, LayerWeights& layer, Place place, std::span<const double> s);

// The weights that codes are chosen for: bounded where a change asks for it (LinearWeights::clip).
at::Tensor bounded_weight(const LinearWeights& linear, int64_t block);

// x·diag(±1)·H/√n on rows of n, the signs by Philox from the seed.
RowMap random_hadamard(int64_t n, uint64_t seed);

}  // namespace mxref
