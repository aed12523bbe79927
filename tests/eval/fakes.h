#pragma once
// A tokenizer of bytes and a model of hashes: enough to know every score by another way.

#include <cmath>
#include <filesystem>
#include <string>

#include "emu/error.h"
#include "eval/tasks/scorer.h"
#include "golden/tokenizer/tokenizer.h"
#include "tests/temporary_folder.h"

namespace mxref {

// One token a byte; refuses the byte 0xFF, which no UTF-8 text has.
class ByteTokenizer : public Tokenizer {
 public:
  explicit ByteTokenizer(std::optional<int64_t> bos = {}, std::optional<int64_t> eos = {})
      : bos_(bos), eos_(eos) {}
  std::vector<int64_t> encode(std::string_view text) const override {
    std::vector<int64_t> ids;
    for (char c : text) ids.push_back(uint8_t(c));
    if (std::find(ids.begin(), ids.end(), 0xFF) != ids.end()) throw InputError("not UTF-8");
    return ids;
  }
  std::string decode(std::span<const int64_t> ids) const override {
    return std::string(ids.begin(), ids.end());
  }
  int64_t size() const override { return 256; }
  std::optional<int64_t> bos() const override { return bos_; }
  std::optional<int64_t> eos() const override { return eos_; }

 private:
  std::optional<int64_t> bos_, eos_;
};

// -log p of a token after another: a fixed number in (0, 1] made of the pair.
inline double bigram_nll(int64_t before, int64_t token) {
  const uint64_t hash = (uint64_t(before) * 257 + uint64_t(token) + 1) * 0x9E3779B97F4A7C15u;
  return double((hash >> 40) + 1) / double(1 << 24);
}

class BigramScorer : public Scorer {
 public:
  int64_t window() const override { return INT64_MAX; }
  void perturb(std::optional<uint64_t>) override {}
  std::vector<double> nll(std::span<const int64_t> ids) override {
    std::vector<double> result;
    for (size_t i = 1; i < ids.size(); ++i) result.push_back(bigram_nll(ids[i - 1], ids[i]));
    return result;
  }
  std::vector<double> loglikelihoods(std::span<const TokenRequest> requests) override {
    std::vector<double> sums;
    for (const TokenRequest& request : requests) {
      double sum = 0;
      int64_t before = request.context.back();
      for (int64_t token : request.continuation) {
        sum -= bigram_nll(before, token);
        before = token;
      }
      sums.push_back(sum);
    }
    return sums;
  }
};

// A model whose logits are all zero.
class AllZerosScorer : public Scorer {
 public:
  explicit AllZerosScorer(int64_t vocabulary) : log_vocabulary_(std::log(double(vocabulary))) {}
  std::vector<double> nll(std::span<const int64_t> ids) override {
    return std::vector<double>(ids.size() - 1, log_vocabulary_);
  }
  std::vector<double> loglikelihoods(std::span<const TokenRequest> requests) override {
    std::vector<double> sums;
    for (const TokenRequest& request : requests)
      sums.push_back(-double(request.continuation.size()) * log_vocabulary_);
    return sums;
  }
  int64_t window() const override { return INT64_MAX; }
  void perturb(std::optional<uint64_t>) override {}

 private:
  double log_vocabulary_;
};

// A file that lives as long as the object.
class TemporaryFile {
 public:
  TemporaryFile(const std::string& name, const std::string& text)
      : path(folder_.write(name, text)) {}

 private:
  TemporaryFolder folder_;

 public:
  const std::filesystem::path path;
};

}  // namespace mxref
