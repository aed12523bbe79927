#include "golden/models/linear.h"

#include <ATen/ops/empty.h>

#include "emu/quantize.h"
#include "golden/models/tensor_values.h"

namespace mxref {
namespace {

MxTensor quantize_tensor(const at::Tensor& x, const Conversion& conversion) {
  return quantize(values_of(x), x.sizes().vec(), conversion);
}

at::Tensor round_to_bf16(const at::Tensor& x) { return x.to(at::kBFloat16).to(at::kFloat); }

// Whether a conversion would give a tensor of this form; by which rule and rounding codes were
// chosen is their method's affair.
bool has_form(const MxTensor& stored, const Conversion& wanted) {
  const Conversion& c = stored.conversion;
  return c.format == wanted.format && c.block == wanted.block && c.prescale == wanted.prescale &&
         c.relabel == wanted.relabel;
}

}  // namespace

at::Tensor round_to(const RecipeSide& side, const at::Tensor& x) {
  if (side.conversion)
    return tensor_of(dequantize(quantize_tensor(x, *side.conversion)), x.sizes());
  return side.format == "bf16" ? round_to_bf16(x) : x;
}

const MxTensor& LinearInput::quantized(const Conversion& conversion) {
  if (!quantized_ || quantized_->conversion != conversion)
    quantized_ = quantize_tensor(values_, conversion);
  return *quantized_;
}

const at::Tensor& LinearInput::rounded(const RecipeSide& side) {
  if (!rounded_side_ || *rounded_side_ != side) {
    rounded_side_ = side;
    rounded_ = round_to(side, values_);
  }
  return rounded_;
}

LinearLayer::LinearLayer(std::string module, const Weight& weight, at::Tensor bias,
                         const LinearRecipe& recipe, const Datapath* datapath, Engine* engine,
                         const Rest& rest)
    : module_(std::move(module)),
      bias_(std::move(bias)),
      recipe_(recipe),
      engine_(engine),
      products_(datapath ? rest : library_rest()),
      rest_(rest) {
  const auto &w = recipe_.weights.conversion, &a = recipe_.activations.conversion;
  const bool as_stored = w && weight.stored && has_form(*weight.stored, *w);
  if (w && a && engine) {
    require(*engine, *a->format, *w->format, w->block, *datapath);
    prepared_ =
        engine->prepare(as_stored ? *weight.stored : quantize_tensor(weight.values, *w), *datapath);
  } else {
    weight_ =
        products_.prepare(as_stored ? weight.values : round_to(recipe_.weights, weight.values));
  }
}

at::Tensor LinearLayer::operator()(LinearInput& x) const {
  at::Tensor y;
  if (prepared_) {
    const MxTensor& a = x.quantized(*recipe_.activations.conversion);
    y = at::empty({a.rows(), prepared_->rows}, at::kFloat);
    engine_->multiply(a, *prepared_, {}, {y.data_ptr<float>(), size_t(y.numel())});
  } else {
    y = products_.product(x.rounded(recipe_.activations), *weight_);
  }
  if (bias_.defined()) rest_.add_bias(y, bias_);
  return recipe_.bf16_output ? round_to_bf16(y) : y;
}

}  // namespace mxref
