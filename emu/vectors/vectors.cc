#include "emu/vectors/vectors.h"

#include <algorithm>
#include <random>

#include "emu/dot.h"
#include "emu/gemm.h"
#include "emu/vectors/stimulus.h"

namespace mxref {
namespace {

Vectors empty_vectors(const BlockFormat& a, const BlockFormat& b, const Datapath& datapath,
                      int block, std::string kind, int64_t count, uint64_t seed) {
  if (count < 1) throw UsageError("a set of vectors holds at least 1");
  const auto n = size_t(count);
  Vectors v{&a, &b, &datapath, block, std::move(kind), seed, {}, {}, {}, {}, {}, {}, {}, {}};
  v.codes_a.resize(n * size_t(block));  // +0 where a short block has no elements
  v.codes_b.resize(n * size_t(block));
  for (auto* scale : {&v.scale_a, &v.scale_b}) scale->resize(n);
  for (auto* acc : {&v.acc_in, &v.acc_out}) acc->resize(n);
  return v;
}

}  // namespace

Vectors random_vectors(const BlockFormat& a, const BlockFormat& b, const Datapath& datapath,
                       int64_t count, uint64_t seed) {
  if (const std::string reason = no_product(a, b, a.block, datapath); !reason.empty())
    throw UsageError(reason);
  Vectors v = empty_vectors(a, b, datapath, a.block, "random", count, seed);
  Stimulus stimulus(seed);
  const auto block = size_t(v.block);
  for (size_t i = 0; i < v.count(); ++i) {
    const auto codes_a = std::span(v.codes_a).subspan(i * block, block);
    const auto codes_b = std::span(v.codes_b).subspan(i * block, block);
    stimulus.codes(*a.element, codes_a);
    stimulus.codes(*b.element, codes_b);
    v.scale_a[i] = stimulus.scale(*a.scale);
    v.scale_b[i] = stimulus.scale(*b.scale);
    const BlockSum sum = block_sum(*a.element, codes_a, *b.element, codes_b);
    v.acc_in[i] = stimulus.accumulator(sum, v.scale_a[i], v.scale_b[i], *a.scale, *b.scale);
    v.acc_out[i] = dot_ref(datapath, v.acc_in[i], {&a, v.block, codes_a, {&v.scale_a[i], 1}},
                           {&b, v.block, codes_b, {&v.scale_b[i], 1}});
  }
  return v;
}

Vectors model_vectors(const MxTensor& a, const MxTensor& b, const Datapath& datapath, int64_t count,
                      uint64_t seed) {
  check_operands(a, b);
  Vectors v = empty_vectors(a.format(), b.format(), datapath, a.block(), "model", count, seed);
  std::mt19937_64 random(seed);
  int64_t m = 0, n = 0, step = a.blocks_per_row();
  uint32_t acc = 0;
  for (size_t i = 0; i < v.count(); ++i) {
    if (step == a.blocks_per_row()) {
      m = int64_t(random() % uint64_t(a.rows()));
      n = int64_t(random() % uint64_t(b.rows()));
      step = 0;
      acc = 0;
    }
    const RowView x = block_of(row_of(a, m), step), y = block_of(row_of(b, n), step);
    std::ranges::copy(x.codes, v.codes_a.begin() + int64_t(i) * v.block);
    std::ranges::copy(y.codes, v.codes_b.begin() + int64_t(i) * v.block);
    v.scale_a[i] = x.scales[0];
    v.scale_b[i] = y.scales[0];
    v.acc_in[i] = acc;
    acc = dot_ref(datapath, acc, x, y);
    v.acc_out[i] = acc;
    ++step;
  }
  return v;
}

void append(Vectors& vectors, const Vectors& more) {
  const auto join = [](auto& to, const auto& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  join(vectors.codes_a, more.codes_a);
  join(vectors.codes_b, more.codes_b);
  join(vectors.scale_a, more.scale_a);
  join(vectors.scale_b, more.scale_b);
  join(vectors.acc_in, more.acc_in);
  join(vectors.acc_out, more.acc_out);
  join(vectors.comments, more.comments);
}

}  // namespace mxref
