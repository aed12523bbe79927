// MR-GPTQ (Egiazarian et al., arXiv 2509.23202): activations are rotated on line in blocks, by the
// Hadamard matrix of the block's size, normalised; the weights behind undo it. Its codes are
// gptq_codes.cc's with fixed scales and columns by activation.

#include "golden/models/hadamard.h"
#include "ptq/methods/methods.h"
#include "ptq/transforms/fold.h"

namespace mxref::methods {
namespace {

std::vector<MethodOption> options() {
  return {{.name = "hadamard",
           .kind = MethodOption::Kind::integer,
           .default_value = "32",
           .least = 2,
           .most = 4096,
           .what = "elements of a rotated block (the paper: that of a scale)"}};
}

void apply(PtqModel& model, const MethodContext& context) {
  const int64_t size = context.options.integer("hadamard");
  hadamard_order(size);
  for (LayerWeights& layer : model.layers)
    for (const Place place : all_places) add_hadamard(model, layer, place, size);
}

}  // namespace

const ModelChange block_hadamard{
    {"block-hadamard", {}, always<RecipeSides{}>, options}, true, apply};

}  // namespace mxref::methods
