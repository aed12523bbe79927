#include "emu/array_steps.h"

#include <algorithm>

#include "emu/binary32.h"

namespace mxref {

int ArrayDesign::lanes() const {
  int longest = 0;
  for (const BlockFormat& format : block_formats)
    if (formats_a[format_number(format)]) longest = std::max(longest, format.block);
  return longest;
}

int ArrayDesign::step_terms() const {
  switch (datapath->kind) {
    case Accumulation::sequential:
      return 1;
    case Accumulation::aligned:
      return datapath->alignment.terms;
    default:
      return lanes();
  }
}

int ArrayDesign::step_lanes() const { return std::min(step_terms(), lanes()); }

void take_beat(const ArrayInputs& pins, ArrayBeat& beat) {
  beat.is_first = pins.in_first;
  beat.is_last = pins.in_last;
  beat.lanes = pins.in_lanes;
  if (beat.is_first) {
    beat.format_a = &block_formats[pins.format_a];
    beat.format_b = &block_formats[pins.format_b];
    beat.out_type = pins.out_type;
    beat.start = pins.c;
    if (!pins.in_preload) std::ranges::fill(beat.start, 0u);
  }
  // The pins are a byte wide for every format; bits above the format's are ignored.
  const auto take = [](const std::vector<uint8_t>& codes, const BlockFormat& format,
                       std::vector<uint8_t>& taken) {
    taken = codes;
    for (uint8_t& code : taken) code &= uint8_t(format.element->code_mask());
  };
  take(pins.a_codes, *beat.format_a, beat.a_codes);
  take(pins.b_codes, *beat.format_b, beat.b_codes);
  beat.a_scales = pins.a_scales;
  beat.b_scales = pins.b_scales;
}

// Items [first, first + count) of each row of `from`, behind the `held` ones of each row of `to`.
static void append_items(const std::vector<uint8_t>& from, size_t rows, int first, int count,
                         std::vector<uint8_t>& to, int held) {
  const size_t width_from = from.size() / rows, width_to = to.size() / rows;
  for (size_t r = 0; r < rows; ++r)
    std::copy_n(from.begin() + int64_t(r * width_from) + first, count,
                to.begin() + int64_t(r * width_to) + held);
}

ArrayStep StepCutter::next(const ArrayBeat& beat) {
  const int lanes = design_.step_lanes(), terms = design_.step_terms();
  ArrayStep step;
  step.format_a = beat.format_a;
  step.format_b = beat.format_b;
  step.out_type = beat.out_type;
  step.start = beat.start;
  step.terms = terms;
  step.blocks = 1;
  step.codes = std::min(lanes, beat.lanes - step_ * lanes);
  step.continues = terms_ > 0;
  if (!step.continues) is_first_ = beat.is_first && step_ == 0;
  step.is_first = is_first_;

  const size_t rows = beat.a_scales.size(), cols = beat.b_scales.size();
  step.a_codes.resize(rows * size_t(terms));
  step.b_codes.resize(cols * size_t(terms));
  step.a_scales.resize(step.a_codes.size());
  step.b_scales.resize(step.b_codes.size());
  append_items(beat.a_codes, rows, step_ * lanes, step.codes, step.a_codes, 0);
  append_items(beat.b_codes, cols, step_ * lanes, step.codes, step.b_codes, 0);
  append_items(beat.a_scales, rows, 0, 1, step.a_scales, 0);
  append_items(beat.b_scales, cols, 0, 1, step.b_scales, 0);

  const bool is_last_of_beat = is_last(beat);
  step_ = is_last_of_beat ? 0 : step_ + 1;
  step.is_last = beat.is_last && is_last_of_beat;
  // A step of several blocks counts them whole: a short one is its tile's last.
  terms_ += beat.format_a->block;
  const bool spans_blocks = design_.datapath->kind == Accumulation::aligned;
  step.is_full = !spans_blocks || terms_ >= terms || step.is_last;
  if (step.is_full) terms_ = 0;
  return step;
}

void append(ArrayStep& step, const ArrayStep& more) {
  const size_t rows = step.a_codes.size() / size_t(step.terms);
  const size_t cols = step.b_codes.size() / size_t(step.terms);
  append_items(more.a_codes, rows, 0, more.codes, step.a_codes, step.codes);
  append_items(more.b_codes, cols, 0, more.codes, step.b_codes, step.codes);
  append_items(more.a_scales, rows, 0, more.blocks, step.a_scales, step.blocks);
  append_items(more.b_scales, cols, 0, more.blocks, step.b_scales, step.blocks);
  step.codes += more.codes;
  step.blocks += more.blocks;
  step.is_last = more.is_last;
  step.is_full = more.is_full;
}

Accumulators::Accumulators(const ArrayDesign& design)
    : design_(design), values_(size_t(design.shape.rows) * size_t(design.shape.cols)) {
  if (design.datapath->kind == Accumulation::exact) exact_.resize(values_.size());
}

void Accumulators::apply(const ArrayStep& step) {
  const auto row = [&](const BlockFormat* format, const std::vector<uint8_t>& codes,
                       const std::vector<uint8_t>& scales, size_t index) {
    const auto width = size_t(step.terms);
    return RowView{format, format->block,
                   std::span(codes).subspan(index * width, size_t(step.codes)),
                   std::span(scales).subspan(index * width, size_t(step.blocks))};
  };
  const Accumulation kind = design_.datapath->kind;
  if (kind == Accumulation::fused || kind == Accumulation::blockwise) return apply_block(step);
  size_t i = 0;
  for (size_t r = 0; r < size_t(design_.shape.rows); ++r) {
    const RowView a = row(step.format_a, step.a_codes, step.a_scales, r);
    for (size_t c = 0; c < size_t(design_.shape.cols); ++c, ++i) {
      const RowView b = row(step.format_b, step.b_codes, step.b_scales, c);
      if (exact_.empty()) {
        values_[i] = dot_ref(*design_.datapath, step.is_first ? step.start[i] : values_[i], a, b);
      } else {
        if (step.is_first) exact_[i] = ExactSum(step.start[i]);
        exact_[i].add(a, b);
        values_[i] = with_ftz(*design_.datapath, exact_[i].rounded());
      }
    }
  }
}

// A step of one block: each is decoded once for the row or column that uses it.
void Accumulators::apply_block(const ArrayStep& step) {
  const auto decoded = [&](const BlockFormat& format, const std::vector<uint8_t>& codes) {
    std::vector<DecodedBlock> blocks;
    const auto width = size_t(step.terms);
    blocks.reserve(codes.size() / width);
    for (size_t first = 0; first < codes.size(); first += width)
      blocks.emplace_back(*format.element, std::span(codes).subspan(first, size_t(step.codes)));
    return blocks;
  };
  const std::vector<DecodedBlock> a = decoded(*step.format_a, step.a_codes),
                                  b = decoded(*step.format_b, step.b_codes);
  const auto width = size_t(step.terms);  // scales lie as codes do
  size_t i = 0;
  for (size_t r = 0; r < a.size(); ++r)
    for (size_t c = 0; c < b.size(); ++c, ++i)
      values_[i] =
          accumulate_block(*design_.datapath, step.is_first ? step.start[i] : values_[i],
                           block_sum(a[r], b[c]), step.a_scales[r * width],
                           step.b_scales[c * width], *step.format_a->scale, *step.format_b->scale);
}

uint32_t to_out_type(uint32_t bits, OutType type) {
  switch (type) {
    case OutType::bf16:
      return binary32::to_bfloat16_rne(bits);
    case OutType::f16:
      return binary32::to_binary16_rne(bits);
    default:
      return bits;
  }
}

}  // namespace mxref
