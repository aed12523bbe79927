// Llama 1 to 3 and what is stored as them.
#include "golden/models/families.h"

namespace mxref {

DecoderDescription describe_llama(ModelConfig& config) {
  DecoderDescription d = describe_common(config, 10000, 2048);
  d.qkv_bias = d.o_bias = config.flag("attention_bias", false);
  d.mlp_bias = config.flag("mlp_bias", false);
  config.require_number("pretraining_tp", 1);
  return d;
}

}  // namespace mxref
