/* A program in C that uses mxref as anybody would, and checks what it gets: the conversion of a
 * block with the ties of e2m1 (ARITHMETIC, section 2), a product, a block step, and a failure. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "emu/capi/mxref.h"

static int failed = 0;

static void check(int holds, const char* what) {
  printf("%s: %s\n", holds ? "good" : "WRONG", what);
  failed |= !holds;
}

int main(void) {
  /* The largest magnitude is 6, so the scale is 1; the others are the ties. */
  const float x[8] = {6, 0.25f, 0.75f, 1.25f, 1.75f, 2.5f, 3.5f, -5};
  const uint8_t codes[8] = {7, 0, 2, 2, 4, 4, 6, 14};
  const float values[8] = {6, 0, 1, 1, 2, 2, 4, -4};
  const mxref_conversion mxfp4 = {.format = "mxfp4"};
  mxref_tensor* a = mxref_quantize(&mxfp4, x, 1, 8);
  mxref_operand operand;
  if (!a || mxref_tensor_operand(a, &operand) != MXREF_OK) {
    fprintf(stderr, "%s\n", mxref_error());
    return 1;
  }
  check(operand.rows == 1 && operand.cols == 8 && operand.block == 32, "shape");
  check(memcmp(operand.codes, codes, sizeof codes) == 0, "ties go to even");
  check(operand.scales[0] == 127, "scale 1");
  float back[8];
  check(mxref_dequantize(a, back) == MXREF_OK && memcmp(back, values, sizeof back) == 0,
        "dequantized");

  /* 36 + 0 + 1 + 1 + 4 + 4 + 16 + 16, and C. */
  const mxref_datapath* fused = mxref_datapath_by_name("fused");
  const float c = 0.5f;
  float d = 0;
  check(mxref_gemm(NULL, fused, a, a, &c, &d) == MXREF_OK && d == 78.5f, "product");

  /* One block of 32 ones, scales 2 and 4, from 1.0f on: 1 + 8 * 32. */
  uint8_t ones[32];
  memset(ones, 2, sizeof ones);
  uint32_t acc = 0;
  const mxref_format* format = mxref_format_by_name("mxfp4");
  check(mxref_block_step(fused, format, format, 32, ones, ones, 128, 129, 0x3F800000, &acc) ==
                MXREF_OK &&
            acc == 0x43808000,
        "block step");

  check(mxref_format_by_name("mxfp44") == NULL && strstr(mxref_error(), "did you mean 'mxfp4'"),
        "an unknown name is refused with the valid ones");
  mxref_tensor_free(a);
  printf("mxref %s\n", mxref_version());
  return failed;
}
