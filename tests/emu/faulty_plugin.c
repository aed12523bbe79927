/* Engine plugins that are wrong, one a FAULT: what the loader and the engine must refuse. */
#include <stdatomic.h>
#include <stddef.h>

#include "emu/capi/engine_plugin.h"

enum { WRONG_VERSION = 1, NO_MULTIPLY, PREPARE_FAILS, MULTIPLY_FAILS, NO_REASONS, ONE_CALLER };

int32_t mxref_plugin_version(void) {
  return FAULT == WRONG_VERSION ? MXREF_PLUGIN_VERSION + 1 : MXREF_PLUGIN_VERSION;
}

const char* mxref_plugin_name(void) { return FAULT == NO_REASONS ? NULL : "faulty"; }

const char* mxref_plugin_refuses(const char* format_a, const char* format_b, int32_t block,
                                 const char* datapath) {
  (void)format_a, (void)format_b, (void)block, (void)datapath;
  return FAULT == NO_REASONS ? "" : NULL;
}

static int prepared_operand;

void* mxref_plugin_prepare(const mxref_operand* b, const char* datapath, const char** error) {
  (void)b, (void)datapath;
  if (FAULT == PREPARE_FAILS) *error = "no room for weights";
  return FAULT == PREPARE_FAILS || FAULT == NO_REASONS ? NULL : &prepared_operand;
}

#if FAULT != 2 /* NO_MULTIPLY, as the preprocessor knows it */
int32_t mxref_plugin_multiply(void* prepared, const mxref_operand* a, const float* c, float* d,
                              const char** error) {
  (void)prepared, (void)a, (void)c;
  if (FAULT == ONE_CALLER) {
    static atomic_int callers; /* how many are inside */
    int32_t failed = atomic_fetch_add(&callers, 1) > 0;
    for (int i = 0; i < 20000; ++i) failed |= atomic_load(&callers) > 1;
    if (failed) *error = "two callers at once";
    *d = 0;
    atomic_fetch_sub(&callers, 1);
    return failed;
  }
  if (FAULT == MULTIPLY_FAILS) *error = "the simulator stopped";
  return 1;
}
#endif

void mxref_plugin_free(void* prepared) { (void)prepared; }
