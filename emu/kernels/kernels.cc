#include "emu/kernels/kernels.h"

#include <algorithm>
#include <array>
#include <bit>
#include <climits>
#include <optional>

#include "emu/binary32.h"
#include "emu/e8m0.h"
#include "emu/kernels/float_environment.h"
#include "emu/kernels/row_blocks.h"
#include "emu/kernels/tensor_scale_quantizer.h"
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

std::optional<ElementRounding> vector_rounding(const Rounding& rounding) {
  if (rounding.name == "rne") return ElementRounding::rne;
  if (rounding.name == "rna") return ElementRounding::rna;
  if (rounding.name == "rtz") return ElementRounding::rtz;
  if (rounding.name == "stochastic") return ElementRounding::stochastic;
  return std::nullopt;
}

// What encode_blocks proves: a pre-scale from 1/2 to 1 with at most four significant bits (so
// p / scale is a binary32 number and |x| · p has at most 28 bits). Any scale rule. What neither
// this nor TensorScaleQuantizer takes goes block by block by the definition.
bool has_vector_form(const Conversion& conversion) {
  const Prescale p = conversion.prescale;
  return vector_rounding(*conversion.rounding) && !conversion.format->has_tensor_scale() &&
         std::has_single_bit(p.denominator) && p.numerator < 16 && p.numerator <= p.denominator &&
         p.denominator <= 2 * p.numerator;
}

class RowQuantizer {
 public:
  explicit RowQuantizer(const Conversion& conversion)
      : conversion_(conversion),
        kernels_(instruction_set(current_isa())),
        rounding_(vector_rounding(*conversion.rounding).value_or(ElementRounding::rne)),
        prescale_(double(conversion.prescale.numerator) / conversion.prescale.denominator) {
    const ElementFormat& f = *conversion.format->element;
    fields_ = {f.emin(), f.mantissa_bits, f.bits() - 1, int(f.max_code()),
               f.sign == Sign::twos_complement};
  }

  // x (K), of which the first has this index in its tensor → codes (K), scales (blocks).
  void row(const float* x, int64_t K, uint64_t first_element, uint8_t* codes,
           uint8_t* scales) const {
    for_row_blocks(x, K, conversion_.block, batch, codes, scales,
                   [&](const float* of, int count, int64_t first, uint8_t* to, uint8_t* scales_to) {
                     blocks(of, count, first_element + uint64_t(first), to, scales_to);
                   });
  }

 private:
  static constexpr int batch = 64;  // blocks at a time: they are in L1 when they are read again
  static constexpr int not_finite = INT_MAX;  // in place of a scale's exponent
  using Exponents = std::array<int, batch>;
  using Factors = std::array<float, batch>;

  void blocks(const float* x, int count, uint64_t first_element, uint8_t* codes,
              uint8_t* scales) const {
    std::array<uint32_t, batch> maxima;
    Exponents exponents;
    Factors factors;
    const int block = conversion_.block;
    kernels_.block_maxima(x, count, block, maxima.data());
    for (int i = 0; i < count; ++i) exponents[size_t(i)] = scale_exponent(maxima[size_t(i)]);
    if (conversion_.rule->searches) search(x, count, maxima, exponents);
    find_factors(count, exponents, 0, factors);
    // Of whole groups of four elements, which the counters of Philox count.
    uint32_t random[batch * block_lengths.back() + 32];
    if (rounding_ == ElementRounding::stochastic)
      kernels_.random_words(conversion_.seed, first_element / 4, count * block / 4 + 1, random);
    kernels_.encode_blocks(
        x, count, block, factors.data(), fields_, rounding_,
        rounding_ == ElementRounding::stochastic ? random + first_element % 4 : nullptr, codes);
    for (int i = 0; i < count; ++i) {
      const bool is_finite = exponents[size_t(i)] != not_finite;
      const bool is_zero = maxima[size_t(i)] == 0;
      scales[i] = !is_finite ? e8m0::nan : is_zero ? 0 : e8m0::encode_sat(exponents[size_t(i)]);
      if (!is_finite) std::fill_n(codes + i * block, block, uint8_t(0));
    }
  }

  // By the rule, before clamping; of a block of zeros anything.
  int scale_exponent(uint32_t amax_bits) const {
    if (!binary32::is_finite(amax_bits)) return not_finite;
    if (amax_bits == 0) return 0;
    const binary32::Parts amax = binary32::parts(amax_bits);
    const Prescale p = conversion_.relabel ? conversion_.prescale : Prescale{};
    return conversion_.rule->exponent(
        {uint64_t(amax.significand) * p.numerator, p.denominator, amax.exponent},
        *conversion_.format->element);
  }

  void find_factors(int count, const Exponents& exponents, int offset, Factors& factors) const {
    for (int i = 0; i < count; ++i) {
      const int exponent = exponents[size_t(i)];
      const int log2 = exponent == not_finite ? 0 : e8m0::clamp(exponent + offset);
      factors[size_t(i)] = factor(log2);
    }
  }
  float factor(int log2) const {
    return float(prescale_ * std::bit_cast<double>(uint64_t(1023 - log2) << 52));
  }

  // The exponent with the least squared error among each and its neighbours. Errors in binary64
  // decide where they differ by more than they may be wrong; else the definition does.
  void search(const float* x, int count, std::span<const uint32_t> maxima,
              Exponents& exponents) const {
    constexpr double doubt = 0x1p-36;
    const int block = conversion_.block;
    std::array<std::array<double, batch>, 3> errors;
    Factors factors;
    for (int c = 0; c < 3; ++c) {
      find_factors(count, exponents, c - 1, factors);
      kernels_.block_errors(x, count, block, factors.data(), fields_, tried(),
                            errors[size_t(c)].data());
    }
    for (int i = 0; i < count; ++i) {
      int& exponent = exponents[size_t(i)];
      if (exponent == not_finite || maxima[size_t(i)] == 0) continue;
      int best = e8m0::clamp(exponent - 1);
      double least = in_units_of_x(errors[0][size_t(i)], best);
      bool in_doubt = false;
      for (int c = 1; c < 3; ++c) {
        const int candidate = e8m0::clamp(exponent + c - 1);
        if (candidate == best) continue;
        const double error = in_units_of_x(errors[size_t(c)][size_t(i)], candidate);
        const double difference = error < least ? least - error : error - least;
        const bool is_close =
            difference <= doubt * std::max(error, least) && (error != 0 || least != 0);
        // Most often both give every element the same value: then it is a tie.
        if (is_close && have_same_values(x + i * block, best, candidate)) continue;
        in_doubt |= is_close;
        if (error < least) {
          best = candidate;
          least = error;
        }
      }
      exponent = in_doubt ? by_definition(x + i * block) : best;
    }
  }
  bool have_same_values(const float* x, int exponent, int larger) const {
    return kernels_.same_values(x, conversion_.block, factor(exponent), factor(larger),
                                larger - exponent, fields_, tried());
  }
  ElementRounding tried() const {
    return rounding_ == ElementRounding::stochastic ? ElementRounding::rne : rounding_;
  }
  static double in_units_of_x(double error, int log2) {
    return error * std::bit_cast<double>(uint64_t(1023 + 2 * log2) << 52);
  }
  int by_definition(const float* x) const {
    const auto block = size_t(conversion_.block);
    std::array<uint8_t, block_lengths.back()> codes;
    return e8m0::log2(
        quantize_block_ref({x, block}, conversion_, std::span(codes).first(block), {0, 1}));
  }

  const Conversion& conversion_;
  const InstructionSet& kernels_;
  ElementRounding rounding_;
  double prescale_;
  EncodeFields fields_;
};

void row_by_definition(const float* x, MxTensor& q, int64_t row, uint64_t first_element) {
  const int64_t K = q.cols(), block = q.block();
  for (int64_t begin = 0; begin < K; begin += block) {
    const size_t count = size_t(std::min<int64_t>(block, K - begin));
    const int64_t at = row * K + begin;
    q.scales[size_t(row * q.blocks_per_row() + begin / block)] =
        quantize_block_ref({x + at, count}, q.conversion, {q.codes.data() + at, count},
                           {first_element + uint64_t(at), q.tensor_scale(row)});
  }
}

}  // namespace

void quantize_rows(const float* x, MxTensor& q, uint64_t first_element) {
  const int64_t rows = q.rows(), K = q.cols();
  const bool by_vectors = has_vector_form(q.conversion);
  const bool by_bounds = TensorScaleQuantizer::takes(q.conversion);
  const RowQuantizer quantizer(q.conversion);
  const TensorScaleQuantizer under_tensor_scale(q.conversion, instruction_set(current_isa()));
  constexpr int64_t worth_threads = 1 << 15;
#pragma omp parallel if (rows * K >= worth_threads)
  {
    const FloatEnvironment ieee;
#pragma omp for schedule(static)
    for (int64_t row = 0; row < rows; ++row) {
      uint8_t* codes = q.codes.data() + row * K;
      uint8_t* scales = q.scales.data() + row * q.blocks_per_row();
      if (by_vectors)
        quantizer.row(x + row * K, K, first_element + uint64_t(row * K), codes, scales);
      else if (by_bounds)
        under_tensor_scale.row(x + row * K, K, q.tensor_scale(row), codes, scales);
      else
        row_by_definition(x, q, row, first_element);
    }
  }
}

}  // namespace mxref::kernels
