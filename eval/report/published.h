#pragma once
// Published figures to stand beside ours: of other, larger models, and no pass marks.

#include <array>
#include <string_view>

namespace mxref {

// Round-to-nearest, from arXiv 2601.09555, Tables 1, 2, 9 and 10: recovery is the average accuracy
// of its zero-shot tasks over that of BF16, perplexity is of WikiText-2.
struct PublishedCell {
  std::string_view model, recipe;
  double recovery_percent, perplexity;
};
inline constexpr std::string_view published_paper =
    "arXiv 2601.09555, “Benchmarking Post-Training Quantization of Large Language Models under "
    "Microscaling Floating Point Formats”";
inline constexpr std::string_view published_source = "arXiv 2601.09555, RTN";
inline constexpr std::array published_cells{
    PublishedCell{"Llama-3.1-8B-Instruct", "bf16", 100, 7.21},
    PublishedCell{"Llama-3.1-8B-Instruct", "w8a8", 98.87, 7.31},
    PublishedCell{"Llama-3.1-8B-Instruct", "w4a16", 98.27, 7.64},
    PublishedCell{"Llama-3.1-8B-Instruct", "w4a8", 97.68, 7.71},
    PublishedCell{"Llama-3.1-8B-Instruct", "w4a4", 94.98, 8.27},
    PublishedCell{"openPangu-Embedded-7B", "bf16", 100, 34.89},
    PublishedCell{"openPangu-Embedded-7B", "w8a8", 98.83, 35.75},
    PublishedCell{"openPangu-Embedded-7B", "w4a16", 97.01, 39.99},
    PublishedCell{"openPangu-Embedded-7B", "w4a8", 95.44, 42.17},
    PublishedCell{"openPangu-Embedded-7B", "w4a4", 92.45, 49.33},
};

// Its recipes that a run here need not have.
struct PublishedRecipe {
  std::string_view name, what;
};
inline constexpr std::array published_recipes{
    PublishedRecipe{"bf16", "the paper’s baseline: weights and activations in bfloat16"},
    PublishedRecipe{"w4a16", "in the paper: weights in MXFP4, activations in bfloat16"},
};

// The paper's words for a drop of the average accuracy, in percent of the baseline.
inline constexpr double lossless_drop_percent = 1, risky_drop_percent = 3;

}  // namespace mxref
