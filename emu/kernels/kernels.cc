#include "emu/kernels/kernels.h"

#include <algorithm>
#include <array>
#include <bit>

#include "emu/binary32.h"
#include "emu/e8m0.h"
#include "emu/kernels/float_environment.h"
#include "emu/quantize.h"

namespace mxref::kernels {

const InstructionSet& instruction_set(Isa isa) {
  switch (isa) {
    case Isa::portable:
      return portable_kernels;
    case Isa::avx2:
      return avx2_kernels;
    case Isa::avx512:
      return avx512_kernels;
    case Isa::avx512vnni:
      return avx512vnni_kernels;
  }
  __builtin_unreachable();
}

namespace {

// What encode_blocks proves: rounding to nearest even, a pre-scale from 1/2 to 1 with at most four
// significant bits (so p / scale is a binary32 number and |x| · p has at most 28 bits). Any scale
// rule that looks at the largest magnitude alone. The rest goes block by block by the definition.
bool has_vector_form(const Conversion& conversion) {
  const Prescale p = conversion.prescale;
  return conversion.rounding->name == "rne" && !conversion.rule->searches && !conversion.relabel &&
         !conversion.format->has_tensor_scale() &&
         conversion.format->element->sign == Sign::magnitude &&
         std::has_single_bit(p.denominator) && p.numerator < 16 && p.numerator <= p.denominator &&
         p.denominator <= 2 * p.numerator;
}

class RowQuantizer {
 public:
  explicit RowQuantizer(const Conversion& conversion)
      : conversion_(conversion),
        kernels_(instruction_set(current_isa())),
        prescale_(double(conversion.prescale.numerator) / conversion.prescale.denominator) {
    const ElementFormat& f = *conversion.format->element;
    fields_ = {f.emin(), f.mantissa_bits, f.bits() - 1, int(f.max_code())};
  }

  // x (K) → codes (K), scales (blocks).
  void row(const float* x, int64_t K, uint8_t* codes, uint8_t* scales) const {
    const int block = conversion_.block;
    const int64_t whole = K / block;
    for (int64_t i = 0; i < whole; i += batch)
      blocks(x + i * block, int(std::min<int64_t>(batch, whole - i)), codes + i * block,
             scales + i);
    const int64_t begin = whole * block, rest = K - begin;
    if (rest == 0) return;
    float padded_x[block_lengths.back()] = {};
    uint8_t padded_codes[block_lengths.back()];
    std::copy_n(x + begin, rest, padded_x);
    blocks(padded_x, 1, padded_codes, scales + whole);
    std::copy_n(padded_codes, rest, codes + begin);
  }

 private:
  static constexpr int batch = 64;  // blocks at a time: they are in L1 when they are read again

  void blocks(const float* x, int count, uint8_t* codes, uint8_t* scales) const {
    std::array<uint32_t, batch> maxima;
    std::array<float, batch> factors;
    const int block = conversion_.block;
    kernels_.block_maxima(x, count, block, maxima.data());
    for (int i = 0; i < count; ++i) {
      scales[i] = scale(maxima[size_t(i)]);
      const int log2 = e8m0::is_nan(scales[i]) ? 0 : e8m0::log2(scales[i]);
      factors[size_t(i)] = float(prescale_ * std::bit_cast<double>(uint64_t(1023 - log2) << 52));
    }
    kernels_.encode_blocks(x, count, block, factors.data(), fields_, codes);
    for (int i = 0; i < count; ++i)
      if (e8m0::is_nan(scales[i])) std::fill_n(codes + i * block, block, uint8_t(0));
  }

  uint8_t scale(uint32_t amax_bits) const {
    if (!binary32::is_finite(amax_bits)) return e8m0::nan;
    if (amax_bits == 0) return 0;
    const binary32::Parts amax = binary32::parts(amax_bits);
    return e8m0::encode_sat(conversion_.rule->exponent({amax.significand, 1, amax.exponent},
                                                       *conversion_.format->element));
  }

  const Conversion& conversion_;
  const InstructionSet& kernels_;
  double prescale_;
  EncodeFields fields_;
};

void row_by_definition(const float* x, MxTensor& q, int64_t row) {
  const int64_t K = q.cols(), block = q.block();
  for (int64_t begin = 0; begin < K; begin += block) {
    const size_t count = size_t(std::min<int64_t>(block, K - begin));
    const int64_t at = row * K + begin;
    q.scales[size_t(row * q.blocks_per_row() + begin / block)] =
        quantize_block_ref({x + at, count}, q.conversion, {q.codes.data() + at, count},
                           {uint64_t(at), q.tensor_scale(row)});
  }
}

}  // namespace

void quantize_rows(const float* x, MxTensor& q) {
  const int64_t rows = q.rows(), K = q.cols();
  const bool by_vectors = has_vector_form(q.conversion);
  const RowQuantizer quantizer(q.conversion);
  constexpr int64_t worth_threads = 1 << 15;
#pragma omp parallel if (rows * K >= worth_threads)
  {
    const FloatEnvironment ieee;
#pragma omp for schedule(static)
    for (int64_t row = 0; row < rows; ++row)
      if (by_vectors)
        quantizer.row(x + row * K, K, q.codes.data() + row * K,
                      q.scales.data() + row * q.blocks_per_row());
      else
        row_by_definition(x, q, row);
  }
}

}  // namespace mxref::kernels
