// The engine `kernel`: packs, runs the kernels of current_isa() over panels, and computes by the
// definition the few elements whose ranges the kernels' proofs do not cover.

#include <bit>
#include <numeric>
#include <string>

#include "emu/binary32.h"
#include "emu/dot.h"
#include "emu/e8m0.h"
#include "emu/engine.h"
#include "emu/gemm.h"
#include "emu/kernels/float_environment.h"
#include "emu/kernels/kernels.h"
#include "emu/kernels/packing.h"
#include "emu/kernels/paths.h"
#include "emu/quantize.h"
#include "emu/threads.h"

namespace mxref {
namespace {

using namespace kernels;

struct KernelOperand : PreparedOperand {
  PackedColumns b;
  const Datapath* datapath;
};

// One call of multiply().
class Product {
 public:
  Product(const MxTensor& a, const KernelOperand& operand, std::span<const float> c,
          std::span<float> d)
      : a_(a), b_(operand.b), datapath_(*operand.datapath), c_(c), d_(d) {
    unit_log2_ = a.element().unit_log2() + b_.header.element().unit_log2();
    has_factor_ = has_last_step(a, b_.header);
  }

  // a by rows of a block, b by panels, K by chunks: acc of a block of rows and one panel stays in
  // the cache of the thread that computes it.
  template <typename Path>
  void run(Path path) {
    min_log2_ = Path::min_log2 - unit_log2_;
    max_log2_ = Path::max_log2 - unit_log2_;
    // Chunks of about the same length: a short last one costs as much as it saves.
    const int64_t most = std::max<int64_t>(1, Path::chunk_length / b_.block());
    const int64_t chunks = (b_.blocks() + most - 1) / most;
    const auto chunk_begin = [&](int64_t index) { return index * b_.blocks() / chunks; };
    auto of_row = std::vector<RowScales>(Path::rows);
    // A small product is done before a second thread has started.
    constexpr int64_t worth_threads = 1 << 18;
    const int64_t products = a_.rows() * b_.columns() * b_.header.cols();
#pragma omp parallel if (products >= worth_threads)
    {
      const FloatEnvironment ieee;
      Buffer acc_buffer, scratch;
      std::vector<uint8_t> scales(size_t(b_.blocks()));
      for (int64_t m = 0; m < a_.rows(); m += Path::rows) {
        const int64_t rows = std::min(Path::rows, a_.rows() - m);
#pragma omp for schedule(static)
        for (int64_t r = 0; r < rows; ++r) {
          of_row[size_t(r)] = usable_scales(a_, m + r, scales.data());
          path.decode_row(m + r, r, scales.data());
        }
#pragma omp for schedule(static)
        for (int64_t panel = 0; panel < b_.panels(); ++panel) {
          float* acc = acc_buffer.of<float>(Path::rows * panel_columns);
          start(m, rows, panel, acc);
          for (int64_t i = 0; i < chunks; ++i)
            path.add_blocks(int(rows), panel, chunk_begin(i),
                            int(chunk_begin(i + 1) - chunk_begin(i)), acc, scratch);
          for (int64_t r = 0; r < rows; ++r)
            finish_row(m + r, of_row[size_t(r)], panel, acc + r * panel_columns);
        }
      }
    }
  }

 private:
  int64_t columns_of(int64_t panel) const {
    return std::min<int64_t>(panel_columns, b_.columns() - panel * panel_columns);
  }
  const float* c_row(int64_t m, int64_t n) const {
    return c_.empty() ? nullptr : c_.data() + m * b_.columns() + n;
  }

  // Without a pre-scale C is the accumulator's start.
  void start(int64_t m, int64_t rows, int64_t panel, float* acc) const {
    std::fill(acc, acc + rows * panel_columns, 0.0f);
    if (c_.empty() || has_factor_) return;
    for (int64_t r = 0; r < rows; ++r)
      std::copy_n(c_row(m + r, panel * panel_columns), columns_of(panel), acc + r * panel_columns);
  }

  // Whether the proofs of the kernels cover all of this element's block products.
  bool is_proven(const RowScales& row, const RowScales& column) const {
    return row.min_log2 + column.min_log2 >= min_log2_ &&
           row.max_log2 + column.max_log2 <= max_log2_;
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

  // acc (panel_columns) of row m: what the kernels cannot know.
  void settle(int64_t m, const RowScales& row, int64_t first, int64_t columns, const float* c,
              float* acc) const {
    for (int64_t n = 0; n < columns; ++n) {
      const RowScales& column = b_.of_column[size_t(first + n)];
      // The kernels add zeros as IEEE does: an accumulator that starts at -0 becomes +0 even where
      // it meets no nonzero product. Such an element ends in zero; any other has the right bits.
      const bool zero_in_doubt = acc[n] == 0 && c && !has_factor_ && c[n] == 0;
      if (row.has_nan || column.has_nan)
        acc[n] = std::bit_cast<float>(binary32::canonical_nan);
      else if (zero_in_doubt || row.has_inf || column.has_inf || !is_proven(row, column))
        acc[n] = exact_acc(m, first + n);
    }
  }

  // acc (panel_columns) of row m → d.
  void finish_row(int64_t m, const RowScales& row, int64_t panel, float* acc) const {
    const int64_t first = panel * panel_columns, columns = columns_of(panel);
    const RowScales& of_panel = b_.of_panel[size_t(panel)];
    const float* c = c_row(m, first);
    if (row.has_nan || row.has_inf || of_panel.has_nan || of_panel.has_inf ||
        !is_proven(row, of_panel) || (c && !has_factor_))
      settle(m, row, first, columns, c, acc);
    if (has_factor_) apply_factor(acc, c, columns);
    float* d = d_.data() + m * b_.columns() + first;
    for (int64_t n = 0; n < columns; ++n)
      d[n] = acc[n] == acc[n] ? acc[n] : std::bit_cast<float>(binary32::canonical_nan);
  }

  // acc ← RNE32(c + RNE32(acc · factor)), factor = 1 / (p_a·p_b) in lowest terms; NaN of any
  // payload. Proof of the product in binary64: where the denominator is a power of two it is exact.
  // Where the numerator is one and the denominator odd (as 16/9), an exact quotient of finitely
  // many bits is a multiple of acc's last place and a binary32 number; any other differs from each
  // halfway point h by at least one unit of the integers acc · numerator and h · denominator,
  // relatively more than 2^-(25 + 26), while factor and product have a relative error below 2^-52
  // together: the binary64 number lies on the same side of h.
  void apply_factor(float* acc, const float* c, int64_t columns) const {
    const Prescale p_a = a_.conversion.prescale, p_b = b_.header.conversion.prescale;
    const uint64_t by = uint64_t(p_a.denominator) * p_b.denominator;
    const uint64_t over = uint64_t(p_a.numerator) * p_b.numerator;
    const uint64_t numerator = by / std::gcd(by, over), denominator = over / std::gcd(by, over);
    constexpr uint64_t most = 1 << 26;
    if (numerator < most && denominator < most &&
        (std::has_single_bit(denominator) ||
         (std::has_single_bit(numerator) && denominator % 2 == 1))) {
      float addend[panel_columns] = {};
      if (c) std::copy_n(c, columns, addend);
      const double factor = double(numerator) / double(denominator);
      for (int n = 0; n < panel_columns; ++n) acc[n] = float(double(acc[n]) * factor) + addend[n];
      return;
    }
    for (int64_t n = 0; n < columns; ++n)
      acc[n] = std::bit_cast<float>(last_step(datapath_, std::bit_cast<uint32_t>(acc[n]),
                                              {by, over}, c ? std::bit_cast<uint32_t>(c[n]) : 0));
  }

  const MxTensor& a_;
  const PackedColumns& b_;
  const Datapath& datapath_;
  std::span<const float> c_;
  std::span<float> d_;
  int unit_log2_;
  bool has_factor_;
  int min_log2_ = 0, max_log2_ = 0;  // of the product of two scales
};

class KernelEngine : public Engine {
 public:
  std::string_view name() const override { return "kernel"; }

  std::string refuses(const BlockFormat& a, const BlockFormat& b, int block,
                      const Datapath& datapath) const override {
    constexpr int binary64_bits = 53, longest_block_bits = 7;
    if (datapath.kind != Accumulation::fused || datapath.ftz)
      return "no vector kernel for this datapath";
    if (!is_block_length(block)) return "blocks are of " + block_length_list() + " elements";
    for (const BlockFormat* format : {&a, &b})
      if (format->has_tensor_scale() || format->element->sign != Sign::magnitude ||
          format->element->has_inf())
        return "no vector kernel for " + std::string(format->name);
    if (a.element->magnitude_units_bits() + b.element->magnitude_units_bits() + longest_block_bits >
        binary64_bits)
      return "the sum of a block does not fit binary64";
    return "";
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
    const InstructionSet& kernels = instruction_set(current_isa());
    Product product(a, operand, c, d);
    if (kernels.integer_panel && a.format().element == &e2m1 &&
        operand.b.header.format().element == &e2m1)
      product.run(IntegerPath(kernels, a, operand.b));
    else if (const WordSplit split =
                 word_split(a.element(), operand.b.header.element(), operand.b.block());
             kernels.word_panel && split.found)
      product.run(WordPath(kernels, a, operand.b, split));
    else
      product.run(DoublePath(kernels, a, operand.b));
  }
};

}  // namespace

std::unique_ptr<Engine> make_kernel_engine() { return std::make_unique<KernelEngine>(); }

}  // namespace mxref
