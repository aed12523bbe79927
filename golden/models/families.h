#pragma once
// The families of text models, a file each. A family translates its configuration into the
// description of the decoder.

#include <array>

#include "golden/models/model_config.h"

namespace mxref {

DecoderDescription describe_llama(ModelConfig& config);
DecoderDescription describe_qwen2(ModelConfig& config);
DecoderDescription describe_openpangu(ModelConfig& config);

struct Family {
  std::string_view name;        // the entry of "architectures"
  std::string_view model_type;  // what stands for it where that is absent
  DecoderDescription (*describe)(ModelConfig& config);
};
inline constexpr std::array families{
    Family{"LlamaForCausalLM", "llama", describe_llama},
    Family{"Qwen2ForCausalLM", "qwen2", describe_qwen2},
    Family{"PanguEmbeddedForCausalLM", "PanguEmbedded", describe_openpangu},
};

// What the checkpoint's configuration says, by the family that it names. Throws InputError for what
// none of them computes.
DecoderDescription describe(const Checkpoint& checkpoint);

// What all of them say in the same words: sizes, eps, rope, tied embeddings; refuses what the
// decoder does not compute. Where rope_theta or max_position_embeddings is absent, those of the
// published class are taken, where known.
DecoderDescription describe_common(ModelConfig& config, std::optional<double> absent_theta,
                                   int64_t absent_window);

}  // namespace mxref
