// The engine `kernel`: packs, runs the kernels of current_isa() over panels, and computes by the
// definition the few elements whose ranges the kernels' proofs do not cover.

#include <bit>
#include <limits>
#include <numeric>
#include <optional>
#include <string>

#include "emu/dot.h"
#include "emu/dot_aligned.h"
#include "emu/engine.h"
#include "emu/gemm.h"
#include "emu/kernels/aligned_path.h"
#include "emu/kernels/chain_path.h"
#include "emu/kernels/float_environment.h"
#include "emu/kernels/kernels.h"
#include "emu/kernels/split_path.h"
#include "emu/quantize.h"
#include "emu/threads.h"

namespace mxref {
namespace {

using namespace kernels;
using binary32::uint128;

struct KernelOperand : PreparedOperand {
  PackedColumns b;
  const Datapath* datapath;
};

Step step_of(const Datapath& datapath) {
  switch (datapath.kind) {
    case Accumulation::blockwise:
      return datapath.ftz ? Step::blockwise_ftz : Step::blockwise;
    case Accumulation::exact:
      return Step::exact;  // flushed, where it is, after its one rounding
    default:
      return datapath.ftz ? Step::fused_ftz : Step::fused;
  }
}

// How the sums of ExactStep64 are split for a row of so many blocks.
struct ExactSplit {
  explicit ExactSplit(int64_t blocks) {
    const int log2_blocks = int(std::bit_width(uint64_t(blocks)));
    low_bits = 52 - log2_blocks;
    // Each part adds up to at most 2^53 units; both together to less than 2^95.
    range_bits = std::min(low_bits + 51 - log2_blocks, 94 - log2_blocks);
  }
  int low_bits;    // of the lower part: h
  int range_bits;  // that all block sums of a row and a panel have, between the least unit and them
};

// One call of multiply().
class Product {
 public:
  Product(const MxTensor& a, const KernelOperand& operand, std::span<const float> c,
          std::span<float> d)
      : a_(a),
        b_(operand.b),
        datapath_(*operand.datapath),
        step_(step_of(datapath_)),
        kernels_(instruction_set(current_isa())),
        scan_(a),
        c_(c),
        d_(d),
        has_factor_(has_last_step(a, b_.header)),
        split_(b_.blocks()) {
    const BlockFormat &format_a = a.format(), &format_b = b_.header.format();
    sum_bits_ = std::bit_width(unsigned(b_.block()) - 1);
    if (!format_a.has_tensor_scale() && datapath_.kind != Accumulation::aligned)
      factor_ = binary64_factor(factor_of(a, 0, b_.header, 0));
    is_exact_ = datapath_.kind == Accumulation::exact;
    is_chain_ = datapath_.kind == Accumulation::sequential;
    is_block_sum_ = datapath_.kind != Accumulation::aligned && !is_chain_;
    unit_log2_ = format_a.element->unit_log2() + format_b.element->unit_log2();
    a_units_ = values_of_codes<int64_t>(*format_a.element);
    b_units_ = values_of_codes<int64_t>(*format_b.element);
  }

  void run() {
    const ElementFormat &a = a_.element(), &b = b_.header.element();
    const int block = b_.block();
    if (datapath_.kind == Accumulation::aligned) {
      if (!AlignedPath::fits(a_.format(), b_.header.format(), datapath_.alignment))
        return run_definition();
      return run_path(AlignedPath(kernels_, a_, b_, datapath_));
    }
    if (is_chain_) return run_path(ChainPath(kernels_, a_, b_, datapath_.ftz));
    const bool flushes = step_ == Step::fused_ftz || step_ == Step::blockwise_ftz;
    const bool bytes = IntegerPath::has_bytes(kernels_, a, b, block);
    if (!flushes && (bytes || IntegerPath::has_words(kernels_, a, b, block)))
      return run_path(IntegerPath(kernels_, a_, b_, bytes));
    const WordSplit split = word_split(a, b, block);
    if (!flushes && kernels_.split_panel && split.found && SplitPath::is_worthwhile(a_, b_, split))
      return run_path(SplitPath(kernels_, a_, b_, split));
    run_path(DoublePath(kernels_, a_, b_));
  }

 private:
  static constexpr float nan = std::numeric_limits<float>::quiet_NaN();

  // 2^exponent, a normal binary64 number.
  static double power_of_two(int exponent) {
    return std::bit_cast<double>(uint64_t(exponent + 1023) << 52);
  }

  // a by rows of a block, b by groups of panels, K by chunks: a chunk of the rows, and what is
  // accumulated of the group, stay in the cache of the thread that computes it.
  template <typename Path>
  void run_path(Path path) {
    proven_ = path.proven(step_);
    // Chunks of about the same length: a short last one costs as much as it saves.
    const int64_t unit = std::max<int64_t>(1, path.blocks_at_once()),
                  units = (b_.blocks() + unit - 1) / unit;
    const int64_t most = std::max<int64_t>(1, Path::chunk_length / (b_.block() * unit));
    const int64_t chunks = std::max<int64_t>(1, (units + most - 1) / most);
    const auto chunk_begin = [&](int64_t index) {
      return std::min(b_.blocks(), index * units / chunks * unit);
    };
    // As many groups, of about the same size, for each thread.
    constexpr int64_t panels_at_once = 4;
    const int64_t each = panels_at_once * threads();
    const int64_t groups = (b_.panels() + each - 1) / each * threads();
    const auto group_begin = [&](int64_t index) { return index * b_.panels() / groups; };
    auto of_row = std::vector<RowRange>(Path::rows);
    // A small product is done before a second thread has started.
    constexpr int64_t worth_threads = 1 << 18;
    const int64_t products = a_.rows() * b_.columns() * b_.header.cols();
#pragma omp parallel if (products >= worth_threads)
    {
      const FloatEnvironment ieee;
      Buffer scratch;
      std::vector<PanelWork> group(panels_at_once);
      std::vector<uint8_t> scales(size_t(b_.blocks()));
      std::vector<double> norms(Path::has_wide_sums ? size_t(b_.blocks()) : 0);
      for (int64_t m = 0; m < a_.rows(); m += Path::rows) {
        const int64_t rows = std::min(Path::rows, a_.rows() - m);
#pragma omp for schedule(static)
        for (int64_t r = 0; r < rows; ++r) {
          double* of_blocks = Path::has_wide_sums ? norms.data() : nullptr;
          of_row[size_t(r)] = scan_.row(m + r, scales.data(), of_blocks);
          path.decode_row(m + r, r, scales.data(), of_blocks);
        }
        const auto rows_of_a = std::span(of_row).first(size_t(rows));
#pragma omp for schedule(static)
        for (int64_t g = 0; g < groups; ++g) {
          const int64_t first = group_begin(g), count = group_begin(g + 1) - first;
          for (int64_t p = 0; p < count; ++p)
            start(m, rows_of_a, first + p, path.has_binary64_step(), group[size_t(p)]);
          for (int64_t i = 0; i < chunks; ++i)
            for (int64_t p = 0; p < count; ++p)
              path.add_blocks(int(rows), first + p, chunk_begin(i),
                              int(chunk_begin(i + 1) - chunk_begin(i)), group[size_t(p)].step,
                              group[size_t(p)].acc, scratch);
          for (int64_t p = 0; p < count; ++p)
            for (int64_t r = 0; r < rows; ++r)
              finish_row(m + r, r, of_row[size_t(r)], first + p, group[size_t(p)]);
        }
      }
    }
  }

  // Where no kernel holds the sums of the datapath.
  void run_definition() {
#pragma omp parallel for schedule(dynamic)
    for (int64_t m = 0; m < a_.rows(); ++m) {
      std::vector<uint8_t> scales(size_t(b_.blocks()));
      const bool row_has_nan = scan_.row(m, scales.data()).has_nan;
      const Factor factor = factor_of(a_, m, b_.header, 0);
      for (int64_t n = 0; n < b_.columns(); ++n) {
        const float* c = c_row(m, n);
        const bool has_nan = row_has_nan || b_.of_column[size_t(n)].has_nan;
        d_[size_t(m * b_.columns() + n)] =
            last_step_of(factor, has_nan ? nan : exact_acc(m, n), c ? *c : 0);
      }
    }
  }

  int64_t columns_of(int64_t panel) const {
    return std::min<int64_t>(panel_columns, b_.columns() - panel * panel_columns);
  }
  const float* c_row(int64_t m, int64_t n) const {
    return c_.empty() ? nullptr : c_.data() + m * b_.columns() + n;
  }
  // Every block sum of the row and the panel is a multiple of this power of two.
  int least_log2(const RowRange& row, int64_t panel) const {
    return row.min_log2 + b_.of_panel[size_t(panel)].min_log2 + unit_log2_;
  }

  // Whether each acc + x·S of the rows and the panel is a binary64 number, where the step is
  // `fused`. Proof: acc begins at zero; all are multiples of one unit, and rounding to binary32
  // leaves a multiple of it. By Cauchy and Schwarz the magnitudes of all terms of a sum add up to
  // at most the product of both norms; its roundings do not double that, since acc is a binary32
  // number, so that each rounding errs by at most |x·S|. None overflows.
  bool sums_are_exact(const RowRange& rows, int64_t panel) const {
    if (step_ != Step::fused || (!c_.empty() && !has_factor_)) return false;
    const RowRange& columns = b_.of_panel[size_t(panel)];
    const int unit = least_log2(rows, panel) + rows.element_low + columns.element_low;
    constexpr int binary64_bits = 53;
    const double largest = 2 * std::ldexp(rows.norm, unit_log2_) * columns.norm;
    return largest <= std::ldexp(1.0, std::min(unit + binary64_bits, binary32::emax));
  }

  // Of an accumulator.
  static int floats_of(Step step) {
    return step == Step::exact ? 4 : step == Step::fused_exact_sums ? 2 : 1;
  }

  // What some rows and a panel have accumulated.
  struct PanelWork {
    PanelStep step{};
    float* acc = nullptr;  // (rows, panel_columns) of what the step accumulates in
    Buffer accumulators;
    std::vector<double> split;            // (rows), where the step is exact
    std::vector<uint8_t> sums_are_exact;  // (rows), where it is `fused` and binary64 may serve
  };
  // Of rows from m on. Without a pre-scale C is the accumulator's start; to an exact sum it is
  // added at the end.
  void start(int64_t m, std::span<const RowRange> rows, int64_t panel, bool has_binary64_step,
             PanelWork& work) const {
    const bool all_exact = has_binary64_step && sums_are_exact(together(rows), panel);
    const Step step = all_exact ? Step::fused_exact_sums : step_;
    work.sums_are_exact.clear();
    if (has_binary64_step && !all_exact && step == Step::fused)
      for (const RowRange& row : rows) work.sums_are_exact.push_back(sums_are_exact(row, panel));
    const int64_t floats = int64_t(rows.size()) * panel_columns * floats_of(step);
    work.acc = work.accumulators.of<float>(floats);
    std::fill_n(work.acc, floats, 0.0f);
    if (is_exact_) {
      work.split.clear();
      for (const RowRange& row : rows)
        work.split.push_back(std::ldexp(1.5, 52 + least_log2(row, panel) + split_.low_bits));
    } else if (!c_.empty() && !has_factor_) {
      for (int64_t r = 0; r < int64_t(rows.size()); ++r)
        std::copy_n(c_row(m + r, panel * panel_columns), columns_of(panel),
                    work.acc + r * panel_columns);
    }
    work.step = {step, is_exact_ ? work.split.data() : nullptr,
                 work.sums_are_exact.empty() ? nullptr : work.sums_are_exact.data()};
  }

  // Whether the proofs of the kernels cover all of this element's block products.
  bool is_proven(const RowRange& row, const RowRange& column, int64_t panel) const {
    constexpr int binary64_bits = 53;
    const int low = row.min_log2 + column.min_log2, high = row.max_log2 + column.max_log2;
    const int sum_high = row.element_high + column.element_high + sum_bits_;
    const int sum_low = row.element_low + column.element_low;
    if (is_block_sum_ && sum_high - sum_low > binary64_bits) return false;
    if (is_exact_ &&
        high + sum_high - (row.min_log2 + b_.of_panel[size_t(panel)].min_log2) > split_.range_bits)
      return false;
    if (is_chain_ && !(ChainPath::is_representable(a_.element(), row) &&
                       ChainPath::is_representable(b_.header.element(), column)))
      return false;
    return low >= proven_.min_log2 && high <= proven_.max_log2;
  }

  // The same of fused and blockwise where there is neither NaN nor Inf: by the definition's step,
  // the sums of its blocks from decoded elements, a those of row m.
  float acc_of_sums(int64_t m, int64_t n, std::span<const int64_t> a) const {
    const float* c = c_row(m, n);
    uint32_t acc = has_factor_ || !c ? 0 : std::bit_cast<uint32_t>(*c);
    const auto scales = a_.row_scales(m);
    uint8_t codes[longest_block];
    for (int64_t i = 0; i < b_.blocks(); ++i) {
      b_.block_codes(n, i, codes);
      BlockSum sum{.unit_log2 = unit_log2_};
      const int64_t* values = a.data() + i * b_.block();
      for (int k = 0; k < b_.block(); ++k) {
        const __int128 product = __int128(values[k]) * b_units_[codes[k]];
        sum.units += product;
        sum.has_nonzero_product |= product != 0;
      }
      acc = accumulate_block(datapath_, acc, sum, scales[size_t(i)], b_.scale(n, i),
                             *a_.format().scale, *b_.header.format().scale);
    }
    return std::bit_cast<float>(acc);
  }
  std::vector<int64_t> units_of_row(int64_t m) const {
    std::vector<int64_t> units(size_t(b_.blocks() * b_.block()));
    const auto codes = a_.row_codes(m);
    for (size_t k = 0; k < codes.size(); ++k) units[k] = a_units_[codes[k]];
    return units;
  }

  // The accumulator of one element, by the definition.
  float exact_acc(int64_t m, int64_t n) const {
    const float* c = c_row(m, n);
    std::vector<uint8_t> codes(size_t(b_.blocks() * b_.block())), scales(size_t(b_.blocks()));
    for (int64_t i = 0; i < b_.blocks(); ++i) {
      b_.block_codes(n, i, codes.data() + i * b_.block());
      scales[size_t(i)] = b_.scale(n, i);
    }
    const RowView column{&b_.header.format(), b_.block(), std::span(codes).first(size_t(a_.cols())),
                         scales};
    const uint32_t acc = has_factor_ || !c ? 0 : std::bit_cast<uint32_t>(*c);
    return std::bit_cast<float>(dot_ref(datapath_, acc, row_of(a_, m), column));
  }

  // The kernels add zeros as IEEE does: an accumulator that starts at -0 becomes +0 even where it
  // meets no nonzero product. Such an element ends in zero; any other has the right bits. Where
  // results are flushed, a zero may come from within.
  bool zero_in_doubt(float acc, const float* c) const {
    if (acc != 0 || is_chain_ || !is_block_sum_ || datapath_.kind == Accumulation::blockwise)
      return false;
    return datapath_.ftz ||
           (c && !has_factor_ && std::bit_cast<uint32_t>(*c) == binary32::sign_mask);
  }

  // acc (panel_columns) of row m: what the kernels cannot know.
  void settle(int64_t m, const RowRange& row, int64_t panel, const float* c, float* acc) const {
    const int64_t first = panel * panel_columns;
    std::vector<int64_t> units;  // of row m, once they are needed
    for (int64_t n = 0; n < columns_of(panel); ++n) {
      const RowRange& column = b_.of_column[size_t(first + n)];
      if (row.has_nan || column.has_nan) {
        acc[n] = nan;
      } else if (row.has_inf || column.has_inf) {
        acc[n] = exact_acc(m, first + n);
      } else if (zero_in_doubt(acc[n], c ? c + n : nullptr) || !is_proven(row, column, panel)) {
        if (is_block_sum_ && !is_exact_) {
          if (units.empty()) units = units_of_row(m);
          acc[n] = acc_of_sums(m, first + n, units);
        } else {
          acc[n] = exact_acc(m, first + n);
        }
      }
    }
  }

  // One rounding of an exact sum, the parts of ExactStep64, and C. Both are binary64 integers in
  // their units, so far below 2^63. The conversion to binary32
  // rounds a sum of 64 bits.
  float round_sum(double high_part, double low_part, int unit, const float* c) const {
    const auto high = int64_t(high_part * power_of_two(-unit - split_.low_bits));
    const auto low = int64_t(low_part * power_of_two(-unit));
    const __int128 sum = (__int128(high) << split_.low_bits) + low;
    const bool meets_c = c && !has_factor_;
    if (!meets_c && sum == int64_t(sum)) {
      const double rounded = double(float(int64_t(sum))) * power_of_two(unit);
      if (std::fabs(rounded) >= 0x1p-126 && std::fabs(rounded) < 0x1p128) return float(rounded);
    }
    const binary32::Real exact{sum < 0, uint128(sum < 0 ? -sum : sum), unit};
    const uint32_t addend = meets_c ? std::bit_cast<uint32_t>(*c) : 0;
    const uint32_t bits = binary32::is_finite(addend)
                              ? binary32::round_sum_rne(binary32::real(addend), exact)
                              : addend;
    const bool flushed = datapath_.ftz && binary32::is_subnormal(bits);
    return std::bit_cast<float>(flushed ? bits & binary32::sign_mask : bits);
  }

  // The exact sums of row m, the r-th → acc (panel_columns); those not proven are not computed.
  void round_sums(int64_t r, const RowRange& row, int64_t panel, const float* c, const double* sums,
                  float* acc) const {
    const double* of_row = sums + r * 2 * panel_columns;
    for (int64_t n = 0; n < columns_of(panel); ++n) {
      const RowRange& column = b_.of_column[size_t(panel * panel_columns + n)];
      acc[n] = is_proven(row, column, panel)
                   ? round_sum(of_row[n], of_row[panel_columns + n], least_log2(row, panel),
                               c ? c + n : nullptr)
                   : 0;
    }
  }

  // Row m, the r-th of the accumulators → d.
  void finish_row(int64_t m, int64_t r, const RowRange& row, int64_t panel,
                  const PanelWork& work) const {
    const Step step = work.step.step;
    const int64_t first = panel * panel_columns, columns = columns_of(panel);
    const RowRange& of_panel = b_.of_panel[size_t(panel)];
    const float* c = c_row(m, first);
    float rounded[panel_columns];
    float* acc = floats_of(step) > 1 ? rounded : work.acc + r * panel_columns;
    const auto* doubles = reinterpret_cast<const double*>(work.acc);
    if (step == Step::exact) round_sums(r, row, panel, c, doubles, rounded);
    if (step == Step::fused_exact_sums)
      std::copy_n(doubles + r * panel_columns, panel_columns, rounded);  // binary32 numbers
    if (row.has_nan || row.has_inf || of_panel.has_nan || of_panel.has_inf ||
        !is_proven(row, of_panel, panel) || (c && !has_factor_) || datapath_.ftz)
      settle(m, row, panel, c, acc);
    float* d = d_.data() + m * b_.columns() + first;
    if (factor_)
      return kernels_.scale_and_add(acc, *factor_, has_factor_ ? c : nullptr, int(columns), d);
    const Factor factor = factor_of(a_, m, b_.header, 0);
    for (int64_t n = 0; n < columns; ++n) d[n] = last_step_of(factor, acc[n], c ? c[n] : 0);
  }

  // Proof of RNE32(acc · factor) in binary64: where the denominator is a power of two it is exact.
  // Where the numerator is one and the denominator odd (as 16/9), an exact quotient of finitely
  // many bits is a multiple of acc's last place and a binary32 number; any other differs from each
  // halfway point h by at least one unit of the integers acc · numerator and h · denominator,
  // relatively more than 2^-(25 + 26), while factor and product have a relative error below 2^-52
  // together: the binary64 number lies on the same side of h.
  static std::optional<double> binary64_factor(const Factor& factor) {
    const uint64_t common = std::gcd(factor.numerator, factor.denominator);
    const uint64_t numerator = factor.numerator / common, denominator = factor.denominator / common;
    constexpr uint64_t most = 1 << 26;
    if (numerator >= most || denominator >= most) return std::nullopt;
    if (!std::has_single_bit(denominator) &&
        !(std::has_single_bit(numerator) && denominator % 2 == 1))
      return std::nullopt;
    return double(numerator) / double(denominator);
  }

  // D of an accumulator and C; without a factor the accumulator has met C.
  float last_step_of(const Factor& factor, float acc, float c) const {
    if (has_factor_)
      acc = std::bit_cast<float>(
          last_step(datapath_, std::bit_cast<uint32_t>(acc), factor, std::bit_cast<uint32_t>(c)));
    if (acc == acc) return acc;
    return std::bit_cast<float>(datapath_.kind == Accumulation::aligned ? aligned_nan
                                                                        : binary32::canonical_nan);
  }

  const MxTensor& a_;
  const PackedColumns& b_;
  const Datapath& datapath_;
  Step step_;
  const InstructionSet& kernels_;
  RowScan scan_;
  std::span<const float> c_;
  std::span<float> d_;
  bool has_factor_, is_exact_ = false, is_chain_ = false, is_block_sum_ = false;
  std::optional<double> factor_;  // where scale_and_add serves
  ExactSplit split_;
  int sum_bits_ = 0, unit_log2_ = 0;
  std::array<int64_t, 256> a_units_, b_units_;
  ProvenRange proven_{};
};

class KernelEngine : public Engine {
 public:
  std::string_view name() const override { return "kernel"; }

  std::string refuses(const BlockFormat&, const BlockFormat&, int block,
                      const Datapath&) const override {
    return is_block_length(block) ? "" : "blocks are of " + block_length_list() + " elements";
  }

  std::unique_ptr<PreparedOperand> prepare(const MxTensor& b,
                                           const Datapath& datapath) const override {
    auto operand = std::make_unique<KernelOperand>();
    operand->rows = b.rows();
    operand->cols = b.cols();
    operand->b = pack_columns(b);
    operand->datapath = &datapath;
    return operand;
  }

  void multiply(const MxTensor& a, const PreparedOperand& prepared, std::span<const float> c,
                std::span<float> d) override {
    const auto& operand = dynamic_cast<const KernelOperand&>(prepared);
    check_operands(a, operand.b.header);
    const FloatEnvironment ieee;
    Product(a, operand, c, d).run();
  }
};

}  // namespace

std::unique_ptr<Engine> make_kernel_engine() { return std::make_unique<KernelEngine>(); }

}  // namespace mxref
