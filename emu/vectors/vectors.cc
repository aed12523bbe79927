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
  Vectors v{&a, &b, &datapath, block, std::move(kind), seed, {}, {}, {}, {}, {}, {}, {}};
  v.codes_a.resize(n * size_t(block));  // +0 where a short block has no elements
  v.codes_b.resize(n * size_t(block));
  for (auto* scale : {&v.scale_a, &v.scale_b}) scale->resize(n);
  for (auto* acc : {&v.acc_in, &v.acc_out}) acc->resize(n);
  return v;
}

}  // namespace

Vectors random_vectors(const BlockFormat& a, const BlockFormat& b, const Datapath& datapath,
                       int64_t count, uint64_t seed) {
  if (a.block != b.block)
    throw UsageError(std::string(a.name) + " and " + std::string(b.name) +
                     " have different block lengths");
  Vectors v = empty_vectors(a, b, datapath, a.block, "random", count, seed);
  Stimulus stimulus(seed);
  const auto block = size_t(v.block);
  for (size_t i = 0; i < v.count(); ++i) {
    const auto codes_a = std::span(v.codes_a).subspan(i * block, block);
    const auto codes_b = std::span(v.codes_b).subspan(i * block, block);
    stimulus.codes(*a.element, codes_a);
    stimulus.codes(*b.element, codes_b);
    v.scale_a[i] = stimulus.scale();
    v.scale_b[i] = stimulus.scale();
    const BlockSum sum = block_sum(*a.element, codes_a, *b.element, codes_b);
    v.acc_in[i] = stimulus.accumulator(sum, v.scale_a[i], v.scale_b[i]);
    v.acc_out[i] = accumulate_block(datapath, v.acc_in[i], sum, v.scale_a[i], v.scale_b[i]);
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
    const auto begin = size_t(step * a.block());
    const auto exist = std::min(size_t(a.block()), size_t(a.cols()) - begin);
    const auto codes_a = a.row_codes(m).subspan(begin, exist);
    const auto codes_b = b.row_codes(n).subspan(begin, exist);
    std::copy(codes_a.begin(), codes_a.end(), v.codes_a.begin() + int64_t(i) * v.block);
    std::copy(codes_b.begin(), codes_b.end(), v.codes_b.begin() + int64_t(i) * v.block);
    v.scale_a[i] = a.row_scales(m)[size_t(step)];
    v.scale_b[i] = b.row_scales(n)[size_t(step)];
    v.acc_in[i] = acc;
    acc = accumulate_block(datapath, acc, block_sum(a.element(), codes_a, b.element(), codes_b),
                           v.scale_a[i], v.scale_b[i]);
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
}

}  // namespace mxref
