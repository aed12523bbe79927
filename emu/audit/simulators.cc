// Simulators to audit: software practice in floating point, and planted faults, each written as the
// tools that have it write it (ANCHORS, "Known faults elsewhere").

#include <algorithm>
#include <bit>
#include <cmath>

#include "emu/audit/simulator.h"
#include "emu/binary32.h"
#include "emu/codec.h"
#include "emu/quantize.h"

namespace mxref {
namespace {

// NaNs differ between machines in sign and payload: those of these simulators do not.
uint32_t bits_of(float x) {
  return std::isnan(x) ? binary32::canonical_nan : std::bit_cast<uint32_t>(x);
}

// Dequantize, then an ordinary product.
class FakeQuant : public Simulator {
 public:
  explicit FakeQuant(DType type) : type_(type) {}
  std::string name() const override {
    return type_ == DType::BF16 ? "fake_quant_bf16" : "fake_quant";
  }
  ProductAnswer multiply(const ProductInput& input, const Datapath&) override {
    const std::vector<float> a = values(input.a), b = values(input.b);
    const auto M = size_t(input.a.rows()), N = size_t(input.b.rows()), K = size_t(input.a.cols());
    ProductAnswer answer{type_, std::vector<uint32_t>(M * N)};
    for (size_t m = 0; m < M; ++m)
      for (size_t n = 0; n < N; ++n) {
        float sum = 0;
        for (size_t k = 0; k < K; ++k) {
          const float product = a[m * K + k] * b[n * K + k];
          sum = sum + product;
        }
        if (!input.c.empty()) sum += input.c[m * N + n];
        answer.d[m * N + n] = to_answer(type_, bits_of(sum));
      }
    return answer;
  }

 private:
  std::vector<float> values(const MxTensor& q) const {
    std::vector<float> x = dequantize(q);
    for (float& v : x)
      v = std::bit_cast<float>(from_answer(type_, to_answer(type_, std::bit_cast<uint32_t>(v))));
    return x;
  }

  DType type_;
};

// The datapath itself, but that the product of the scales is a float by itself: 2^200 · 2^-100 is
// no number of binary32 when it meets a sum of 2^-90.
class ScaleProductFirst : public Simulator {
 public:
  std::string name() const override { return "scale_product"; }
  std::string refuses(const BlockFormat& a, const BlockFormat& b, int,
                      const Datapath& datapath) const override {
    if (datapath.kind != Accumulation::fused && datapath.kind != Accumulation::blockwise)
      return "its step is a block: fused or blockwise";
    return a.has_tensor_scale() || b.has_tensor_scale() ? "its scales are e8m0" : "";
  }
  ProductAnswer multiply(const ProductInput& input, const Datapath& datapath) override {
    const int64_t M = input.a.rows(), N = input.b.rows();
    ProductAnswer answer;
    for (int64_t m = 0; m < M; ++m)
      for (int64_t n = 0; n < N; ++n) {
        const float c = input.c.empty() ? 0 : input.c[size_t(m * N + n)];
        const bool has_factor = has_last_step(input.a, input.b);
        uint32_t acc = accumulated(has_factor ? 0 : bits_of(c), row_of(input.a, m),
                                   row_of(input.b, n), datapath);
        if (has_factor)
          acc = last_step(datapath, acc, factor_of(input.a, m, input.b, n), bits_of(c));
        answer.d.push_back(acc);
      }
    return answer;
  }

 private:
  static uint32_t accumulated(uint32_t acc, const RowView& a, const RowView& b,
                              const Datapath& datapath) {
    for (size_t i = 0; i < a.scales.size(); ++i) {
      const RowView x = block_of(a, int64_t(i)), y = block_of(b, int64_t(i));
      BlockSum sum = block_sum(*x.format->element, x.codes, *y.format->element, y.codes);
      const uint8_t scale_x = x.scales[0], scale_y = y.scales[0];
      if (!e8m0::is_nan(scale_x) && !e8m0::is_nan(scale_y)) {
        const float scale =
            std::ldexp(1.0f, e8m0::log2(scale_x)) * std::ldexp(1.0f, e8m0::log2(scale_y));
        const bool is_zero = sum.units == 0 && sum.infinity == 0;
        if (std::isinf(scale) && is_zero) sum.is_nan = true;
        if (std::isinf(scale) && sum.infinity == 0) sum.infinity = sum.units < 0 ? -1 : 1;
        if (scale == 0 && sum.infinity != 0) sum.is_nan = true;
        if (scale == 0) sum.units = 0;
      }
      acc = accumulate_block(datapath, acc, sum, scale_x, scale_y);
    }
    return acc;
  }
};

// A conversion as Python code does it, in float; the flags are the faults.
struct Faults {
  std::string_view name;
  bool float_log2 = false;         // the exponent of the largest magnitude by a logarithm
  bool ties_away = false;          // floor(|v| + 0.5) of the element in its last places
  bool scale_low_by_bias = false;  // the scale's code
};
class FaultyConversion : public Simulator {
 public:
  explicit FaultyConversion(const Faults& faults) : faults_(faults) {}
  std::string name() const override { return std::string(faults_.name); }
  std::string refuses(const BlockFormat& a, const BlockFormat&, int,
                      const Datapath&) const override {
    return a.has_tensor_scale() ? "its scales are e8m0" : "";
  }
  MxTensor convert(const ConversionInput& input) override {
    const Conversion& conversion = input.conversion;
    if (conversion.rule != &scale_rules[0] || !conversion.prescale.is_one() ||
        conversion.rounding != &roundings[0])
      throw UsageError("the simulator '" + name() +
                       "' has the rule floor, the rounding rne and no pre-scale");
    MxTensor q{conversion, input.shape, std::vector<uint8_t>(input.x.size()), {}};
    const int64_t K = q.cols();
    for (int64_t row = 0; row < q.rows(); ++row)
      for (int64_t k = 0; k < K; k += q.block()) {
        const auto first = size_t(row * K + k);
        const auto count = size_t(std::min<int64_t>(q.block(), K - k));
        q.scales.push_back(convert_block(std::span(input.x).subspan(first, count),
                                         *conversion.format,
                                         std::span(q.codes).subspan(first, count)));
      }
    return q;
  }

 private:
  uint8_t convert_block(std::span<const float> x, const BlockFormat& format,
                        std::span<uint8_t> codes) const {
    const ElementFormat& f = *format.element;
    float amax = 0;
    bool is_finite = true;
    for (float v : x) {
      amax = std::max(amax, std::abs(v));
      is_finite &= std::isfinite(v);
    }
    std::ranges::fill(codes, uint8_t(0));
    if (!is_finite) return e8m0::nan;
    int exponent = e8m0::min_log2;
    if (amax > 0) {
      const int e = faults_.float_log2 ? int(std::floor(std::log2(amax))) : std::ilogb(amax);
      exponent = e8m0::clamp(e - f.emax());
    }
    // In binary64 nothing is lost by the division.
    for (size_t i = 0; i < x.size(); ++i)
      codes[i] = uint8_t(
          f.code(std::signbit(x[i]), magnitude(f, std::ldexp(double(std::abs(x[i])), -exponent))));
    const bool is_low = faults_.scale_low_by_bias && amax > 0;
    return e8m0::encode_sat(exponent - (is_low ? f.bias : 0));
  }
  uint32_t magnitude(const ElementFormat& f, double v) const {
    if (v == 0) return 0;
    const int binade = std::clamp(std::ilogb(v), f.emin(), f.emax());
    const double last_places = std::ldexp(v, f.mantissa_bits - binade);
    const double rounded =
        faults_.ties_away ? std::floor(last_places + 0.5) : std::nearbyint(last_places);
    const double value = std::ldexp(rounded, binade - f.mantissa_bits);
    const double largest = std::ldexp(double(f.magnitude_units(f.max_code())), f.unit_log2());
    if (value >= largest) return f.max_code();
    // The codes in order are the values in order.
    uint32_t code = 0;
    while (std::ldexp(double(f.magnitude_units(code)), f.unit_log2()) < value) ++code;
    return code;
  }

  Faults faults_;
};

class Definition : public Simulator {
 public:
  std::string name() const override { return "definition"; }
  ProductAnswer multiply(const ProductInput& input, const Datapath& datapath) override {
    return define_product(input, datapath);
  }
  MxTensor convert(const ConversionInput& input) override {
    return quantize_ref(input.x, input.shape, input.conversion);
  }
};

template <DType type>
std::unique_ptr<Simulator> make_fake_quant() {
  return std::make_unique<FakeQuant>(type);
}

class EngineSimulator : public Simulator {
 public:
  explicit EngineSimulator(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}
  std::string name() const override { return std::string(engine_->name()); }
  std::string refuses(const BlockFormat& a, const BlockFormat& b, int block,
                      const Datapath& datapath) const override {
    return engine_->refuses(a, b, block, datapath);
  }
  ProductAnswer multiply(const ProductInput& input, const Datapath& datapath) override {
    require(*engine_, input.a.format(), input.b.format(), input.a.block(), datapath);
    std::vector<float> d(size_t(input.a.rows() * input.b.rows()),
                         std::bit_cast<float>(not_written));
    engine_->multiply(input.a, *engine_->prepare(input.b, datapath), input.c, d);
    ProductAnswer answer;
    for (float value : d) answer.d.push_back(std::bit_cast<uint32_t>(value));
    return answer;
  }

 private:
  std::unique_ptr<Engine> engine_;
};

}  // namespace

ProductAnswer Simulator::multiply(const ProductInput&, const Datapath&) {
  throw UsageError("the simulator '" + name() + "' computes no products");
}
MxTensor Simulator::convert(const ConversionInput&) {
  throw UsageError("the simulator '" + name() + "' computes no conversions");
}

std::unique_ptr<Simulator> make_engine_simulator(std::unique_ptr<Engine> engine) {
  return std::make_unique<EngineSimulator>(std::move(engine));
}

const std::array<BuiltinSimulator, 8> builtin_simulators{
    BuiltinSimulator{"definition",
                     {},
                     "the definition itself: nothing may differ",
                     []() -> std::unique_ptr<Simulator> { return std::make_unique<Definition>(); }},
    BuiltinSimulator{"fake_quant", AuditOperation::product,
                     "dequantizes to binary32, multiplies and adds in order",
                     make_fake_quant<DType::F32>},
    BuiltinSimulator{"fake_quant_bf16", AuditOperation::product,
                     "dequantizes to bfloat16, adds in binary32, rounds to bfloat16",
                     make_fake_quant<DType::BF16>},
    BuiltinSimulator{
        "scale_product", AuditOperation::product,
        "the product of two scales overflows before it meets the sum",
        []() -> std::unique_ptr<Simulator> { return std::make_unique<ScaleProductFirst>(); }},
    BuiltinSimulator{"faultless", AuditOperation::conversion,
                     "the conversion of the three below without a fault: nothing may differ",
                     []() -> std::unique_ptr<Simulator> {
                       return std::make_unique<FaultyConversion>(Faults{.name = "faultless"});
                     }},
    BuiltinSimulator{"float_log2", AuditOperation::conversion, "the scale by a binary32 logarithm",
                     []() -> std::unique_ptr<Simulator> {
                       return std::make_unique<FaultyConversion>(
                           Faults{.name = "float_log2", .float_log2 = true});
                     }},
    BuiltinSimulator{"ties_away", AuditOperation::conversion, "elements at a tie go away from zero",
                     []() -> std::unique_ptr<Simulator> {
                       return std::make_unique<FaultyConversion>(
                           Faults{.name = "ties_away", .ties_away = true});
                     }},
    BuiltinSimulator{"scale_low_by_bias", AuditOperation::conversion,
                     "the scale's code one element bias low",
                     []() -> std::unique_ptr<Simulator> {
                       return std::make_unique<FaultyConversion>(
                           Faults{.name = "scale_low_by_bias", .scale_low_by_bias = true});
                     }},
};

}  // namespace mxref
