// What is no product: quantizers, clips, norm, gate, rotation, with their gradients.

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>

#include "emu/quantize.h"
#include "golden/models/tensor_values.h"
#include "ptq/learning/functions.h"
#include "ptq/learning/threads.h"
#include "ptq/model.h"

namespace mxref {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t rows_at_once = 32;

struct StraightThrough : torch::autograd::Function<StraightThrough> {
  static at::Tensor forward(AutogradContext*, const at::Tensor& x, const RecipeSide& side) {
    const AllThreads all;
    if (side.conversion)
      return to_tensor(
          {x.sizes().vec(), dequantize(quantize(values_of(x), x.sizes().vec(), *side.conversion))});
    return side.format == "bf16" ? x.to(at::kBFloat16).to(at::kFloat) : x.clone();
  }
  static variable_list backward(AutogradContext*, const variable_list& gradients) {
    return {gradients[0], {}};
  }
};

// A block of a row: where it begins, its elements, and the largest magnitude among them.
struct ClipBlock {
  ClipBlock(const float* x, int64_t count) {
    for (int64_t i = 0; i < count; ++i)
      if (std::abs(x[i]) > largest) {
        largest = std::abs(x[i]);
        where = i;
      }
  }
  float largest = 0;
  int64_t where = 0;
};

struct ClipBlocks : torch::autograd::Function<ClipBlocks> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& ratio,
                            int64_t block) {
    context->save_for_backward({x, ratio});
    context->saved_data["block"] = block;
    at::Tensor y = at::empty(x.sizes(), at::kFloat);
    const int64_t K = x.size(1);
    share_ranges(x.size(0), rows_at_once, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const float* xs = x.data_ptr<float>() + row * K;
        auto* ys = y.data_ptr<float>() + row * K;
        const float r = ratio.data_ptr<float>()[ratio.numel() == 1 ? 0 : row];
        for (int64_t k = 0; k < K; k += block) {
          const int64_t count = std::min(block, K - k);
          const float bound = r * ClipBlock(xs + k, count).largest;
          for (int64_t i = k; i < k + count; ++i) ys[i] = std::clamp(xs[i], -bound, bound);
        }
      }
    });
    return y;
  }

  // y = ± ratio·largest for what is clipped: its gradient goes to both.
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &ratio = saved[1], g = gradients[0].contiguous();
    const int64_t block = context->saved_data.at("block").toInt(), K = x.size(1);
    at::Tensor dx = g.clone(), of_rows = at::zeros({x.size(0)}, at::kFloat);
    share_ranges(x.size(0), rows_at_once, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const float *xs = x.data_ptr<float>() + row * K, *gs = g.data_ptr<float>() + row * K;
        auto* dxs = dx.data_ptr<float>() + row * K;
        const float r = ratio.data_ptr<float>()[ratio.numel() == 1 ? 0 : row];
        double of_ratio = 0;
        for (int64_t k = 0; k < K; k += block) {
          const int64_t count = std::min(block, K - k);
          const ClipBlock here(xs + k, count);
          double of_bound = 0;
          for (int64_t i = k; i < k + count; ++i)
            if (std::abs(xs[i]) > r * here.largest) {
              of_bound += xs[i] < 0 ? -gs[i] : gs[i];
              dxs[i] = 0;
            }
          of_ratio += of_bound * here.largest;
          dxs[k + here.where] += float(of_bound * (xs[k + here.where] < 0 ? -r : r));
        }
        of_rows.data_ptr<float>()[row] = float(of_ratio);
      }
    });
    const at::Tensor of_ratio =
        ratio.numel() == 1 ? of_rows.sum().view(ratio.sizes()) : of_rows.view(ratio.sizes());
    return {dx, of_ratio, {}};
  }
};

struct UnitRms : torch::autograd::Function<UnitRms> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, double eps) {
    at::Tensor y = at::empty(x.sizes(), at::kFloat), factors = at::empty({x.size(0)}, at::kFloat);
    const int64_t D = x.size(1);
    share_ranges(x.size(0), rows_at_once, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const float* xs = x.data_ptr<float>() + row * D;
        double sum = 0;
        for (int64_t i = 0; i < D; ++i) sum += double(xs[i]) * xs[i];
        const auto r = float(1 / std::sqrt(sum / double(D) + eps));
        factors.data_ptr<float>()[row] = r;
        for (int64_t i = 0; i < D; ++i) y.data_ptr<float>()[row * D + i] = xs[i] * r;
      }
    });
    context->save_for_backward({y, factors});
    return y;
  }
  // dx = r·(dy - y·mean(dy·y)).
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &y = saved[0], &factors = saved[1], g = gradients[0].contiguous();
    at::Tensor dx = at::empty(y.sizes(), at::kFloat);
    const int64_t D = y.size(1);
    share_ranges(y.size(0), rows_at_once, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const float *ys = y.data_ptr<float>() + row * D, *gs = g.data_ptr<float>() + row * D;
        double sum = 0;
        for (int64_t i = 0; i < D; ++i) sum += double(gs[i]) * ys[i];
        const auto mean = float(sum / double(D));
        const float r = factors.data_ptr<float>()[row];
        for (int64_t i = 0; i < D; ++i)
          dx.data_ptr<float>()[row * D + i] = r * (gs[i] - ys[i] * mean);
      }
    });
    return {dx, {}};
  }
};

struct GatedSilu : torch::autograd::Function<GatedSilu> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& gate,
                            const at::Tensor& up) {
    context->save_for_backward({gate, up});
    at::Tensor y = at::empty(gate.sizes(), at::kFloat);
    const float *gs = gate.data_ptr<float>(), *us = up.data_ptr<float>();
    auto* ys = y.data_ptr<float>();
    share_ranges(y.numel(), 1 << 14, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) ys[i] = gs[i] / (1 + std::exp(-gs[i])) * us[i];
    });
    return y;
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor g = gradients[0].contiguous();
    at::Tensor dgate = at::empty(g.sizes(), at::kFloat), dup = at::empty(g.sizes(), at::kFloat);
    const float *gs = saved[0].data_ptr<float>(), *us = saved[1].data_ptr<float>(),
                *dys = g.data_ptr<float>();
    float *dgs = dgate.data_ptr<float>(), *dus = dup.data_ptr<float>();
    share_ranges(g.numel(), 1 << 14, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const float sigma = 1 / (1 + std::exp(-gs[i]));
        dgs[i] = dys[i] * us[i] * sigma * (1 + gs[i] * (1 - sigma));
        dus[i] = dys[i] * gs[i] * sigma;
      }
    });
    return {dgate, dup};
  }
};

// Pairs (x_i, x_(i+d/2)) turned by the angle of their position, or back.
at::Tensor turned(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin,
                  int64_t sequences, bool back) {
  at::Tensor y = at::empty(x.sizes(), at::kFloat);
  const int64_t T = x.size(0) / sequences, width = x.size(1), half = cos.size(1);
  share_ranges(x.size(0), rows_at_once, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float *c = cos.data_ptr<float>() + row % T * half,
                  *s = sin.data_ptr<float>() + row % T * half;
      for (int64_t head = 0; head < width; head += 2 * half) {
        const float* a = x.data_ptr<float>() + row * width + head;
        float* out = y.data_ptr<float>() + row * width + head;
        for (int64_t i = 0; i < half; ++i) {
          const float turn = back ? -s[i] : s[i];
          out[i] = a[i] * c[i] - a[i + half] * turn;
          out[i + half] = a[i + half] * c[i] + a[i] * turn;
        }
      }
    }
  });
  return y;
}

struct RotatePairs : torch::autograd::Function<RotatePairs> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& cos,
                            const at::Tensor& sin, int64_t sequences) {
    context->save_for_backward({cos, sin});
    context->saved_data["sequences"] = sequences;
    return turned(x, cos, sin, sequences, false);
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    return {turned(gradients[0].contiguous(), saved[0], saved[1],
                   context->saved_data.at("sequences").toInt(), true),
            {},
            {},
            {}};
  }
};

}  // namespace

at::Tensor straight_through(const at::Tensor& x, const RecipeSide& side) {
  return StraightThrough::apply(x, side);
}

at::Tensor clip_blocks(const at::Tensor& x, const at::Tensor& ratio, int64_t block) {
  return ClipBlocks::apply(x, ratio, block);
}

at::Tensor unit_rms(const at::Tensor& x, double eps) { return UnitRms::apply(x, eps); }

at::Tensor gated_silu(const at::Tensor& gate, const at::Tensor& up) {
  return GatedSilu::apply(gate, up);
}

at::Tensor rotate_pairs(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin,
                        int64_t sequences) {
  return RotatePairs::apply(x, cos, sin, sequences);
}

}  // namespace mxref
