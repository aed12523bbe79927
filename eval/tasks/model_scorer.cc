#include "eval/tasks/model_scorer.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "emu/threads.h"

namespace mxref {
namespace {

// One row of logits (V) → log p of `token`, in binary64: a binary32 sum over a large vocabulary is
// too small by about 6e-5 a token.
double log_probability(const float* row, int64_t vocabulary, int64_t token) {
  const double largest = *std::max_element(row, row + vocabulary);
  double sum = 0;
  for (int64_t v = 0; v < vocabulary; ++v) sum += std::exp(double(row[v]) - largest);
  return double(row[token]) - largest - std::log(sum);
}

// Context and continuation without the last token, which predicts nothing that is asked.
std::vector<int64_t> inputs_of(const TokenRequest& request) {
  if (request.context.empty() || request.continuation.empty())
    throw std::invalid_argument("a request without context or continuation");
  std::vector<int64_t> ids = request.context;
  ids.insert(ids.end(), request.continuation.begin(), request.continuation.end() - 1);
  return ids;
}

size_t common_prefix(const std::vector<std::vector<int64_t>>& sequences) {
  size_t length = sequences[0].size();
  for (const auto& ids : sequences) {
    const auto [a, b] = std::ranges::mismatch(sequences[0], ids);
    length = std::min(length, size_t(a - sequences[0].begin()));
  }
  return length;
}

}  // namespace

at::Tensor ModelScorer::logits(std::span<const int64_t> ids, KvCache* cache, int64_t first) {
  const at::Tensor input = at::empty({1, int64_t(ids.size())}, at::kLong);
  std::copy(ids.begin(), ids.end(), input.data_ptr<int64_t>());
  return model_.forward(input, /*with_hidden=*/false, cache, first).logits[0];
}

std::vector<double> ModelScorer::log_probabilities(const at::Tensor& logits,
                                                   std::span<const int64_t> tokens) {
  const at::Tensor rows = logits.contiguous();
  const int64_t vocabulary = rows.size(1), count = int64_t(tokens.size());
  const float* values = rows.data_ptr<float>();
  digest_.add({reinterpret_cast<const char*>(values), size_t(count * vocabulary) * sizeof(float)});
  std::vector<double> result(tokens.size());
#pragma omp parallel for num_threads(threads())
  for (int64_t i = 0; i < count; ++i)
    result[size_t(i)] = log_probability(values + i * vocabulary, vocabulary, tokens[size_t(i)]);
  return result;
}

std::vector<double> ModelScorer::nll(std::span<const int64_t> ids) {
  std::vector<double> result =
      log_probabilities(logits(ids.first(ids.size() - 1), nullptr, 0), ids.subspan(1));
  for (double& value : result) value = -value;
  return result;
}

std::vector<double> ModelScorer::loglikelihoods(std::span<const TokenRequest> requests) {
  std::vector<std::vector<int64_t>> inputs;
  for (const TokenRequest& request : requests) inputs.push_back(inputs_of(request));
  const auto shared = int64_t(common_prefix(inputs));
  // Row t predicts token t+1; asked are those from the last token of each context on.
  int64_t first = INT64_MAX;
  for (const TokenRequest& request : requests)
    first = std::min(first, int64_t(request.context.size()) - 1);
  KvCache cache;
  const at::Tensor whole = logits(inputs[0], &cache, first);  // of the first request
  cache = cache.first(shared);
  const auto rows_of_whole = [&](int64_t begin, int64_t end) {
    return whole.narrow(0, begin - first, end - begin);
  };

  std::vector<double> sums;
  for (size_t r = 0; r < requests.size(); ++r) {
    const std::span<const int64_t> ids = inputs[r];
    const int64_t asked = int64_t(requests[r].context.size()) - 1, end = int64_t(ids.size());
    at::Tensor rows;
    if (r == 0 || end == shared) {
      rows = rows_of_whole(asked, end);
    } else {
      KvCache copy = cache;
      rows = logits(ids.subspan(size_t(shared)), &copy, std::max(asked - shared, int64_t(0)));
      if (asked < shared) rows = at::cat({rows_of_whole(asked, shared), rows});
    }
    double sum = 0;
    for (double p : log_probabilities(rows, requests[r].continuation)) sum += p;
    sums.push_back(sum);
  }
  return sums;
}

}  // namespace mxref
