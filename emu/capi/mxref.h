/* The arithmetic of mxref from C: formats and datapaths by name, conversion, matrix products, and
 * the step of one block pair. Link to libmxref_emu (CMake target mxref::emu, pkg-config mxref).
 * `ARITHMETIC` names the project's specification of the arithmetic.
 *
 * Failures: a function that returns an int gives MXREF_OK or the kind of failure, one that returns
 * a pointer gives null; mxref_error() is the message. No exception leaves a function. Functions may
 * be called from several threads. Pointers to formats and datapaths are valid as long as the
 * program runs; a tensor is freed by mxref_tensor_free().
 */
#ifndef MXREF_EMU_CAPI_MXREF_H
#define MXREF_EMU_CAPI_MXREF_H

#include <stdint.h>

#include "emu/capi/engine_plugin.h" /* mxref_operand: a tensor as plain arrays */

#ifdef __cplusplus
extern "C" {
#endif

/* The numbers are the exit codes of the program `mxref`. */
enum {
  MXREF_OK = 0,
  MXREF_WRONG_USE = 2, /* an unknown name, a value out of range, shapes that do not fit */
  MXREF_BAD_INPUT = 3, /* a file, such as a plugin's */
  MXREF_OUT_OF_MEMORY = 4,
  MXREF_INTERNAL_ERROR = 5
};

const char* mxref_version(void); /* such as "0.1.0" */

/* The message of this thread's last failure, until its next call that fails; "" before the first.
 */
const char* mxref_error(void);

/* ---- Formats: "mxfp4" and the other rows of emu/formats.h */

typedef struct mxref_format mxref_format;
const mxref_format* mxref_format_by_name(const char* name);
const mxref_format* mxref_format_at(int32_t index); /* 0, 1, ...; null behind the last */
const char* mxref_format_name(const mxref_format* format);
/* Bits of an element's code, and the format's own block length; 0 where format is null. */
int32_t mxref_format_bits(const mxref_format* format);
int32_t mxref_format_block(const mxref_format* format);

/* The binary32 that equals an element's code, without any scale; NaN is 0x7FC00000. */
int mxref_decode(const mxref_format* format, uint8_t code, float* value);

/* ---- Datapaths: a name such as "fused", or a description in JSON */

typedef struct mxref_datapath mxref_datapath;
const mxref_datapath* mxref_datapath_by_name(const char* name_or_json);
const mxref_datapath* mxref_datapath_at(int32_t index); /* the named ones; null behind the last */
const char* mxref_datapath_name(const mxref_datapath* datapath);

/* ---- Conversion of binary32 (ARITHMETIC, section 2). What is null or 0 has its default. */

typedef struct mxref_conversion {
  const char* format;
  const char* scale_rule;      /* "floor", ceil, even, roundup, mse */
  const char* rounding;        /* "rne", rna, rtz, stochastic */
  const char* prescale;        /* "1"; such as "3/4" */
  int32_t block;               /* the format's own */
  int32_t relabel;             /* 1: the scale is taken of x * p */
  uint64_t seed;               /* of a stochastic rounding */
  int32_t tensor_scale_by_row; /* nvfp4: 1: one tensor scale a row */
} mxref_conversion;

/* One block: x (count, at most a block) -> codes (count), *scale. tensor_scale: of nvfp4, else
 * ignored. first_element: the row-major index of x[0] in its tensor, for a stochastic rounding. */
int mxref_quantize_block(const mxref_conversion* conversion, const float* x, int32_t count,
                         float tensor_scale, uint64_t first_element, uint8_t* codes,
                         uint8_t* scale);

typedef struct mxref_tensor mxref_tensor;
/* x (rows, cols), row-major -> a tensor. */
mxref_tensor* mxref_quantize(const mxref_conversion* conversion, const float* x, int64_t rows,
                             int64_t cols);
/* A tensor of given codes and scales, which are copied and checked. */
mxref_tensor* mxref_tensor_of(const mxref_operand* operand);
/* The tensor's arrays; valid until it is freed. */
int mxref_tensor_operand(const mxref_tensor* tensor, mxref_operand* operand);
/* -> values (rows, cols), code * scale * g / p rounded once. */
int mxref_dequantize(const mxref_tensor* tensor, float* values);
void mxref_tensor_free(mxref_tensor* tensor); /* null is allowed */

/* ---- Products */

/* d (M,N) = c (M,N) or null + a (M,K) x b (N,K), pre-scales and tensor scales included. engine:
 * "kernel", "ref" (the definition) or "plugin:FILE.so"; null: kernel. All but a plugin give the
 * same bits. */
int mxref_gemm(const char* engine, const mxref_datapath* datapath, const mxref_tensor* a,
               const mxref_tensor* b, const float* c, float* d);

/* One block pair: `block` codes a side, a code a byte, and the scales' codes; binary32 bits of the
 * accumulator before and after. The step of a golden vector (`mxref vectors`): before the factor of
 * pre-scales and tensor scales. */
int mxref_block_step(const mxref_datapath* datapath, const mxref_format* format_a,
                     const mxref_format* format_b, int32_t block, const uint8_t* codes_a,
                     const uint8_t* codes_b, uint8_t scale_a, uint8_t scale_b, uint32_t acc_in,
                     uint32_t* acc_out);

#ifdef __cplusplus
}
#endif

#endif
