#include "emu/capi/mxref.h"

#include <algorithm>
#include <bit>
#include <new>
#include <stdexcept>

#include "emu/binary32.h"
#include "emu/capi/operand.h"
#include "emu/dot.h"
#include "emu/engine.h"
#include "emu/gemm.h"
#include "emu/quantize.h"

// The opaque types of the header. Formats and datapaths are the rows themselves.
struct mxref_tensor {
  mxref::MxTensor tensor;
};

namespace mxref {
namespace {

thread_local std::string last_error;

int failed(int kind, const char* message) {
  try {
    last_error = message;
  } catch (...) {  // no memory even for the message
    last_error.clear();
  }
  return kind;
}

// Runs `work` → MXREF_OK or the kind of failure. Nothing is thrown.
template <typename Work>
int guarded(const Work& work) {
  try {
    work();
    return MXREF_OK;
  } catch (const UsageError& e) {
    return failed(MXREF_WRONG_USE, e.what());
  } catch (const InputError& e) {
    return failed(MXREF_BAD_INPUT, e.what());
  } catch (const std::bad_alloc&) {
    return failed(MXREF_OUT_OF_MEMORY, "out of memory");
  } catch (const std::length_error&) {  // of a container: more than any memory holds
    return failed(MXREF_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& e) {
    return failed(MXREF_INTERNAL_ERROR, e.what());
  }
}

// The same of work that gives a pointer: null where it fails.
template <typename Work>
auto guarded_pointer(const Work& work) {
  decltype(work()) result = nullptr;
  guarded([&] { result = work(); });
  return result;
}

template <typename T>
T& given(T* argument, const char* name) {
  if (!argument) throw UsageError(std::string(name) + " is null");
  return *argument;
}

const BlockFormat& row(const mxref_format* format, const char* name) {
  return *reinterpret_cast<const BlockFormat*>(&given(format, name));
}
const Datapath& row(const mxref_datapath* datapath) {
  return *reinterpret_cast<const Datapath*>(&given(datapath, "datapath"));
}
const mxref_format* handle(const BlockFormat& format) {
  return reinterpret_cast<const mxref_format*>(&format);
}
const mxref_datapath* handle(const Datapath& datapath) {
  return reinterpret_cast<const mxref_datapath*>(&datapath);
}

Conversion conversion_of(const mxref_conversion* conversion) {
  const mxref_conversion& from = given(conversion, "conversion");
  Conversion c{.format = &block_format(&given(from.format, "the conversion's format"))};
  if (from.scale_rule) c.rule = &scale_rule(from.scale_rule);
  if (from.rounding) c.rounding = &rounding(from.rounding);
  if (from.prescale) c.prescale = parse_prescale(from.prescale);
  if (from.block != 0) c.block = from.block;
  c.relabel = from.relabel != 0;
  c.seed = from.seed;
  c.scale_by_row = from.tensor_scale_by_row != 0;
  check_conversion(c);
  return c;
}

// Without a name: the kernels.
std::unique_ptr<Engine> engine_of(const char* name, const MxTensor& a, const MxTensor& b,
                                  const Datapath& path) {
  static const EngineTable engines{{"kernel", make_kernel_engine}, {"ref", make_ref_engine}};
  std::unique_ptr<Engine> engine = make_engine(engines, name ? name : "kernel");
  require(*engine, a.format(), b.format(), a.block(), path);
  return engine;
}

}  // namespace
}  // namespace mxref

using namespace mxref;

const char* mxref_version() { return MXREF_VERSION; }
const char* mxref_error() { return last_error.c_str(); }

const mxref_format* mxref_format_by_name(const char* name) {
  return guarded_pointer([&] { return handle(block_format(&given(name, "name"))); });
}
const mxref_format* mxref_format_at(int32_t index) {
  return index >= 0 && size_t(index) < block_formats.size() ? handle(block_formats[size_t(index)])
                                                            : nullptr;
}
const char* mxref_format_name(const mxref_format* format) {
  return guarded_pointer([&] { return row(format, "format").name.data(); });  // a literal
}
int32_t mxref_format_bits(const mxref_format* format) {
  int32_t bits = 0;
  guarded([&] { bits = row(format, "format").element->bits(); });
  return bits;
}
int32_t mxref_format_block(const mxref_format* format) {
  int32_t block = 0;
  guarded([&] { block = row(format, "format").block; });
  return block;
}

int mxref_decode(const mxref_format* format, uint8_t code, float* value) {
  return guarded([&] {
    const BlockFormat& f = row(format, "format");
    check_codes(*f.element, {&code, 1});
    // The element alone: of the MX format of its elements under the scale 1.
    given(value, "value") =
        dequantize_element(block_format_of(*f.element), code, uint8_t(e8m0::bias));
  });
}

const mxref_datapath* mxref_datapath_by_name(const char* name_or_json) {
  return guarded_pointer([&] { return handle(datapath(&given(name_or_json, "name_or_json"))); });
}
const mxref_datapath* mxref_datapath_at(int32_t index) {
  return index >= 0 && size_t(index) < datapaths.size() ? handle(datapaths[size_t(index)])
                                                        : nullptr;
}
const char* mxref_datapath_name(const mxref_datapath* datapath) {
  return guarded_pointer([&] { return row(datapath).name.data(); });  // a literal, or kept
}

int mxref_quantize_block(const mxref_conversion* conversion, const float* x, int32_t count,
                         float tensor_scale, uint64_t first_element, uint8_t* codes,
                         uint8_t* scale) {
  return guarded([&] {
    const Conversion c = conversion_of(conversion);
    if (count < 1 || count > c.block)
      throw UsageError("count " + std::to_string(count) + " is none of 1 to the block length " +
                       std::to_string(c.block));
    const bool has_g = c.format->has_tensor_scale();
    if (has_g && !(tensor_scale > 0 && binary32::is_finite(std::bit_cast<uint32_t>(tensor_scale))))
      throw UsageError("the tensor scale is not finite and above 0");
    given(scale, "scale") = quantize_block_ref({&given(x, "x"), size_t(count)}, c,
                                               {&given(codes, "codes"), size_t(count)},
                                               {first_element, has_g ? tensor_scale : 1});
  });
}

mxref_tensor* mxref_quantize(const mxref_conversion* conversion, const float* x, int64_t rows,
                             int64_t cols) {
  return guarded_pointer([&] {
    const Conversion c = conversion_of(conversion);
    check_shape(rows, cols);
    return new mxref_tensor{
        quantize({&given(x, "x"), size_t(rows) * size_t(cols)}, {rows, cols}, c)};
  });
}

mxref_tensor* mxref_tensor_of(const mxref_operand* operand) {
  return guarded_pointer([&] { return new mxref_tensor{tensor_of(given(operand, "operand"))}; });
}

int mxref_tensor_operand(const mxref_tensor* tensor, mxref_operand* operand) {
  return guarded([&] { given(operand, "operand") = operand_of(given(tensor, "tensor").tensor); });
}

int mxref_dequantize(const mxref_tensor* tensor, float* values) {
  return guarded([&] {
    std::ranges::copy(dequantize(given(tensor, "tensor").tensor), &given(values, "values"));
  });
}

void mxref_tensor_free(mxref_tensor* tensor) { delete tensor; }

int mxref_gemm(const char* engine, const mxref_datapath* datapath, const mxref_tensor* a,
               const mxref_tensor* b, const float* c, float* d) {
  return guarded([&] {
    const MxTensor &left = given(a, "a").tensor, &right = given(b, "b").tensor;
    check_operands(left, right);
    const std::unique_ptr<Engine> computes = engine_of(engine, left, right, row(datapath));
    const auto size = size_t(left.rows() * right.rows());
    computes->multiply(left, *computes->prepare(right, row(datapath)),
                       c ? std::span(c, size) : std::span<const float>(), {&given(d, "d"), size});
  });
}

int mxref_block_step(const mxref_datapath* datapath, const mxref_format* format_a,
                     const mxref_format* format_b, int32_t block, const uint8_t* codes_a,
                     const uint8_t* codes_b, uint8_t scale_a, uint8_t scale_b, uint32_t acc_in,
                     uint32_t* acc_out) {
  return guarded([&] {
    const BlockFormat &a = row(format_a, "format_a"), &b = row(format_b, "format_b");
    if (const std::string reason = no_product(a, b, block, row(datapath)); !reason.empty())
      throw UsageError(reason);
    const RowView left{&a, block, {&given(codes_a, "codes_a"), size_t(block)}, {&scale_a, 1}};
    const RowView right{&b, block, {&given(codes_b, "codes_b"), size_t(block)}, {&scale_b, 1}};
    check_codes(*a.element, left.codes);
    check_codes(*b.element, right.codes);
    given(acc_out, "acc_out") = dot_ref(row(datapath), acc_in, left, right);
  });
}
