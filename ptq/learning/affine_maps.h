#pragma once
// The affine maps of FlatQuant in one layer, while they are learned and as they are folded.

#include <ATen/core/Tensor.h>

#include <array>
#include <map>
#include <optional>
#include <string>

#include "ptq/learning/learned_layer.h"
#include "ptq/learning/orthogonal.h"

namespace mxref {

// P = U·diag(e^g)·Vᵀ, U and V orthogonal: random ones times Cayley maps. CHOICE: the diagonal is
// learned by its logarithm, so that it stays positive, and the maps begin at I.
class LearnedMatrix {
 public:
  LearnedMatrix(int64_t n, uint64_t seed);

  struct Both {
    at::Tensor matrix, inverse_transposed;
  };
  Both evaluate() const;  // binary32 (n,n), with gradients
  int64_t size() const { return n_; }

  at::Tensor u, v;          // (n,n) binary64, what is below their diagonals counts
  at::Tensor log_diagonal;  // (n)

 private:
  int64_t n_;
  at::Tensor u_start_, v_start_;
};

// a·b = n with a - b least for squares: the smallest a ≥ √n with a² - n = b² → (a - b, a + b).
std::pair<int64_t, int64_t> kronecker_sizes(int64_t n);

struct AffineSettings {
  bool diagonals, weight_clips, activation_clips;
  double clip_start;  // before the sigmoid
};

class AffineMaps {
 public:
  AffineMaps(const PtqModel& model, size_t layer, const LayerQuantizers& quantizers,
             const AffineSettings& settings, uint64_t seed);

  // Channel scales of a place begin at this (binary64); o has none.
  void start_diagonal(Place place, const std::vector<double>& scales);

  // The layer as it is quantized under the maps of now.
  struct Quantized {
    LayerWeights weights;
    LayerMaps maps;
  };
  Quantized evaluate() const;

  // Everything that is learned, by name; clips apart.
  std::map<std::string, at::Tensor> maps() const;
  std::map<std::string, at::Tensor> clips() const;

  // Folds the maps into the model's layer and adds what runs on line.
  void fold(PtqModel& model) const;

 private:
  struct PlaceMap {
    LearnedMatrix left, right;
    at::Tensor log_diagonal;  // (K) binary64, or undefined
    at::Tensor clip;          // (1) binary64, of activations, before the sigmoid; or undefined
    int64_t block = 32;       // of the clip
  };
  at::Tensor map_weight(Linear linear, const at::Tensor& weight, const LearnedMatrix::Both& left,
                        const LearnedMatrix::Both& right) const;
  void fold_place(PtqModel& model, LayerWeights& layer, Place place) const;

  const PtqModel& model_;
  size_t layer_;
  const LayerQuantizers& quantizers_;
  std::vector<PlaceMap> places_;
  std::optional<LearnedMatrix> keys_;
  std::array<at::Tensor, all_linears.size()> weight_clips_;  // (N,1) binary64 or undefined
};

}  // namespace mxref
