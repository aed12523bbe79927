#pragma once
// The changes and the choices of codes, a file each.

#include "ptq/method.h"

namespace mxref::methods {

extern const ModelChange no_change;
extern const ModelChange smoothquant;
extern const ModelChange awq;
extern const ModelChange block_hadamard;  // of MR-GPTQ
extern const ModelChange quarot;
extern const ModelChange spinquant;
extern const ModelChange spinquant_activations;  // learned with weights as they are
extern const ModelChange flatquant;

extern const CodeChoice nearest;  // RTN
extern const CodeChoice clipped;  // AWQ: RTN of weights clipped by block
extern const CodeChoice gptq;
extern const CodeChoice mr_gptq;  // static scales, columns by activation

}  // namespace mxref::methods
