#include "golden/models/attention.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <array>

#include "emu/quantize.h"
#include "golden/models/tensor_values.h"

namespace mxref {
namespace {

at::Tensor bytes_of(const std::vector<uint8_t>& bytes, at::IntArrayRef shape) {
  at::Tensor x = at::empty(shape, at::kByte);
  std::ranges::copy(bytes, x.data_ptr<uint8_t>());
  return x;
}
std::vector<uint8_t> vector_of(const at::Tensor& bytes) {
  const at::Tensor x = bytes.contiguous();
  return {x.data_ptr<uint8_t>(), x.data_ptr<uint8_t>() + x.numel()};
}

// kept (B,G,L,n) ← with rows (B·T,G·n) behind it.
void append_rows(const at::Tensor& rows, int64_t B, int64_t G, at::Tensor& kept) {
  if (!rows.defined()) return;
  const at::Tensor by_head = rows.view({B, rows.size(0) / B, G, rows.size(1) / G}).transpose(1, 2);
  kept = kept.defined() ? at::cat({kept, by_head}, 2) : by_head.contiguous();
}

void require_product(const Engine& engine, const LinearRecipe& product, const Datapath& datapath) {
  const auto &a = product.activations.conversion, &b = product.weights.conversion;
  if (a && b) require(engine, *a->format, *b->format, b->block, datapath);
}

}  // namespace

Attention::Attention(const Recipe& recipe, const DecoderDescription& description, Engine* engine,
                     const Rest& rest)
    : heads_(description.heads),
      kv_heads_(description.kv_heads),
      head_dim_(description.head_dim),
      kv_(recipe.kv),
      products_(attention_products(recipe)),
      datapath_(recipe.datapath == "fake_quant" ? nullptr : &datapath(recipe.datapath)),
      engine_(engine),
      rest_(rest) {
  if (!products_ || !engine || !datapath_) return;
  require_product(*engine, products_->scores, *datapath_);
  require_product(*engine, products_->mixing, *datapath_);
}

CacheRows Attention::convert(const at::Tensor& x, int64_t sequences, int64_t first) const {
  if (!kv_.conversion) return {round_to(kv_, x)};
  const int64_t T = x.size(0) / sequences, G = kv_heads_, d = head_dim_;
  std::vector<at::Tensor> values, codes, scales;
  for (int64_t b = 0; b < sequences; ++b) {
    const MxTensor q = quantize(values_of(x.narrow(0, b * T, T)), {T * G, d}, *kv_.conversion,
                                uint64_t(first * G * d));
    values.push_back(tensor_of(dequantize(q), {T, G * d}));
    codes.push_back(bytes_of(q.codes, {T, G * d}));
    scales.push_back(bytes_of(q.scales, {T, G * q.blocks_per_row()}));
  }
  return {at::cat(values), at::cat(codes), at::cat(scales)};
}

void Attention::append(const CacheRows& keys, const CacheRows& values, int64_t sequences,
                       LayerCache& cache) const {
  append_rows(keys.values, sequences, kv_heads_, cache.keys);
  append_rows(values.values, sequences, kv_heads_, cache.values);
  if (!products_ || !products_->takes_cached_codes) return;
  append_rows(keys.codes, sequences, kv_heads_, cache.key_codes);
  append_rows(keys.scales, sequences, kv_heads_, cache.key_scales);
}

LinearLayer Attention::scores(const LayerCache& cache, int64_t sequence, int64_t group) const {
  LinearLayer::Weight keys{cache.keys[sequence][group], std::nullopt};
  if (products_->takes_cached_codes)
    keys.stored = MxTensor{*kv_.conversion, keys.values.sizes().vec(),
                           vector_of(cache.key_codes[sequence][group]),
                           vector_of(cache.key_scales[sequence][group])};
  return {"self_attn.attention", keys, {}, products_->scores, datapath_, engine_, rest_};
}

void Attention::attend(const LinearLayer& scores, const at::Tensor& values, const at::Tensor& q,
                       at::Tensor& out) const {
  constexpr int64_t queries_at_once = 256;
  const int64_t T = q.size(0), heads = q.size(1), L = values.size(0);
  const at::Tensor by_element = values.t().contiguous();  // (d,L)
  for (int64_t begin = 0; begin < T; begin += queries_at_once) {
    const int64_t count = std::min(queries_at_once, T - begin);
    LinearInput queries(q.narrow(0, begin, count).reshape({-1, head_dim_}));
    const at::Tensor all = scores(queries);
    for (int64_t i = 0; i < count; ++i) {
      // Only what this query sees is an operand: the last block of the values along the positions
      // ends with it, whatever the cache holds behind it.
      const int64_t t = begin + i, visible = L - T + t + 1;
      LinearInput p(rest_.softmax(
          all.narrow(0, i * heads, heads).narrow(1, 0, visible).contiguous(), head_dim_));
      const LinearLayer mixing("self_attn.attention",
                               {by_element.narrow(1, 0, visible).contiguous(), std::nullopt}, {},
                               products_->mixing, datapath_, engine_, rest_);
      out[t].copy_(mixing(p));
    }
  }
}

at::Tensor Attention::operator()(const at::Tensor& q, const LayerCache& cache) const {
  const int64_t B = cache.keys.size(0), T = q.size(0) / B;
  at::Tensor out = at::empty_like(q);
  for (int64_t b = 0; b < B; ++b) {
    const at::Tensor queries = q.narrow(0, b * T, T);
    at::Tensor rows = out.narrow(0, b * T, T);
    if (!products_) {
      rest_.attention(queries, cache.keys[b], cache.values[b], rows);
      continue;
    }
    const std::array by_head{T, kv_heads_, heads_ / kv_heads_, head_dim_};
    for (int64_t g = 0; g < kv_heads_; ++g) {
      at::Tensor of_group = rows.view(by_head).select(1, g);
      attend(scores(cache, b, g), cache.values[b][g], queries.view(by_head).select(1, g), of_group);
    }
  }
  return out;
}

}  // namespace mxref
