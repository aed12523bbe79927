// openPangu-Embedded: a Llama with biases on all four projections of attention, under the name
// `bias`, true in the published class where it is absent (`attention_bias` means the same;
// `qkv_bias` overrides the part of q, k and v).
#include "golden/models/families.h"

namespace mxref {

DecoderDescription describe_openpangu(ModelConfig& config) {
  DecoderDescription d = describe_common(config, std::nullopt, 32768);
  config.integer("num_key_value_heads");
  const bool attention_bias = config.flag("attention_bias", false);
  const bool bias = config.flag("bias", true);
  d.o_bias = attention_bias || bias;
  d.qkv_bias = config.flag("qkv_bias", d.o_bias);
  return d;
}

}  // namespace mxref
