/* The C ABI of engine plugins: a shared library that computes matrix products for
 * `--impl plugin:FILE.so`, or for a recipe's "implementation". It may be a C model, or a design of
 * your own that is simulated. This header is all that a plugin needs: it includes nothing of mxref,
 * and the plugin links to nothing of it. Examples: emu/capi/example_engine.c, and one over a
 * Verilated array, rtl_models/plugin/verilated_engine.cc.
 *
 * A plugin defines the functions below, all of them. It is loaded once and stays loaded; functions
 * are called by one thread at a time. No exception may leave them. A text that a function gives
 * stays valid until the next call of that function.
 *
 * Names of the plugin's own that mxref has too (a Verilator runtime, for instance) must not be
 * visible outside of it, or the program's may be taken in their place: compile with
 * -fvisibility=hidden, and link archives with -Wl,--exclude-libs,ALL.
 */
#ifndef MXREF_EMU_CAPI_ENGINE_PLUGIN_H
#define MXREF_EMU_CAPI_ENGINE_PLUGIN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MXREF_PLUGIN_VERSION 1
#define MXREF_PLUGIN_EXPORT __attribute__((visibility("default")))

/* A quantized tensor of `rows` rows of K codes. Its arrays belong to the caller, for the call. */
typedef struct mxref_operand {
  const char* format;         /* such as "mxfp4"; `mxref formats` lists them; never freed */
  int64_t rows;               /* M of a left operand, N of a right one */
  int64_t cols;               /* K */
  int32_t block;              /* elements of a block; the last one of a row may be shorter */
  const uint8_t* codes;       /* (rows, K): a code a byte, in the lowest bits */
  const uint8_t* scales;      /* (rows, ceil(K / block)): e8m0, or ue4m3 of nvfp4 */
  const float* tensor_scales; /* g of nvfp4: one, or one a row; other formats: null */
  int64_t tensor_scale_count; /* 1 or rows; other formats: 0 */
  uint32_t prescale_numerator, prescale_denominator; /* p, 1/1 where there is none */
  int32_t relabel; /* 1: the scales were taken of x * p; no product depends on it */
} mxref_operand;

/* MXREF_PLUGIN_VERSION of the header that the plugin was compiled with. */
MXREF_PLUGIN_EXPORT int32_t mxref_plugin_version(void);

/* What messages call the plugin. */
MXREF_PLUGIN_EXPORT const char* mxref_plugin_name(void);

/* Null where the plugin computes a x b of these formats and this block length on this datapath;
 * else the reason why not. The datapath is a name, such as "fused", or a description in JSON, such
 * as {"kind":"aligned","terms":32,"group":1,"fraction_bits":25,"e_zero":-133,"output":"rz"}. */
MXREF_PLUGIN_EXPORT const char* mxref_plugin_refuses(const char* format_a, const char* format_b,
                                                     int32_t block, const char* datapath);

/* A right operand b (N,K) in the plugin's own form, from which it is multiplied many times; the
 * arrays of `b` are gone after the call. Null on a failure, with its reason in *error. */
MXREF_PLUGIN_EXPORT void* mxref_plugin_prepare(const mxref_operand* b, const char* datapath,
                                               const char** error);

/* a (M,K), a prepared b (N,K), c (M,N) or null -> d (M,N), row-major: the whole product. The
 * factor 1/(p_a p_b) or g_a g_b and the last addition of c are the plugin's work too:
 *   without pre-scales and tensor scales, or where p_a p_b = 1, the accumulator starts at c;
 *   else it starts at +0, and d = RNE32(c + RNE32(acc * factor)), an absent c being +0.
 * K and the block length are those of b. 0 on success; else *error holds the reason. */
MXREF_PLUGIN_EXPORT int32_t mxref_plugin_multiply(void* prepared, const mxref_operand* a,
                                                  const float* c, float* d, const char** error);

/* Frees what prepare gave. */
MXREF_PLUGIN_EXPORT void mxref_plugin_free(void* prepared);

#ifdef __cplusplus
}
#endif

#endif
