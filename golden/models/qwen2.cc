// Qwen2 and Qwen2.5: a Llama with biases on q, k and v, without an option for them.
#include "golden/models/families.h"

namespace mxref {

DecoderDescription describe_qwen2(ModelConfig& config) {
  DecoderDescription d = describe_common(config, 10000, 32768);
  d.qkv_bias = true;
  config.integer("num_key_value_heads");  // absent, the published class takes 32
  // The window means nothing unless it is switched on.
  config.integer("sliding_window", 1);
  if (config.flag("use_sliding_window", false))
    config.fail("use_sliding_window", "sliding windows are not computed here");
  return d;
}

}  // namespace mxref
