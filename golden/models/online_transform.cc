#include "golden/models/online_transform.h"

#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "emu/error.h"
#include "emu/files/json_file.h"
#include "emu/kernels/parts.h"
#include "golden/models/hadamard.h"

namespace mxref {
namespace {

using nlohmann::json;

class Hadamard : public OnlineTransform {
 public:
  Hadamard(int64_t size, int64_t inner) : size_(size), inner_(inner) {}
  at::Tensor operator()(const at::Tensor& x) const override {
    at::Tensor y = x.clone();
    hadamard_transform(y.data_ptr<float>(), y.numel() / (size_ * inner_), size_, inner_);
    return y;
  }

 private:
  int64_t size_, inner_;
};

// (M, a·b) → leftᵀ·X·right of each row X (a,b), or leftᵀ·X.
class Kronecker : public OnlineTransform {
 public:
  // right (b,b) or undefined.
  Kronecker(const at::Tensor& left, const at::Tensor& right, int64_t b, const Rest& rest)
      : rest_(rest),
        a_(left.size(0)),
        b_(b),
        left_(rest.prepare(left.t().contiguous())),
        right_(right.defined() ? rest.prepare(right.t().contiguous()) : nullptr) {}
  at::Tensor operator()(const at::Tensor& x) const override {
    const int64_t M = x.size(0);
    const at::Tensor by_right = right_ ? rest_.product(x.view({M * a_, b_}), *right_) : x;
    const at::Tensor columns = by_right.view({M, a_, b_}).transpose(1, 2).contiguous();
    const at::Tensor by_left = rest_.product(columns.view({M * b_, a_}), *left_);
    return by_left.view({M, b_, a_}).transpose(1, 2).reshape({M, a_ * b_}).contiguous();
  }

 private:
  const Rest& rest_;
  int64_t a_, b_;
  std::unique_ptr<RestWeight> left_, right_;
};

class Affine : public OnlineTransform {
 public:
  Affine(const at::Tensor& keys, const at::Tensor& queries, const Rest& rest)
      : rest_(rest),
        keys_(rest.prepare(keys.t().contiguous())),
        queries_(rest.prepare(queries.t().contiguous())) {}
  at::Tensor operator()(const at::Tensor& x) const override { return rest_.product(x, *queries_); }
  at::Tensor keys(const at::Tensor& x) const override { return rest_.product(x, *keys_); }

 private:
  const Rest& rest_;
  std::unique_ptr<RestWeight> keys_, queries_;
};

class Clip : public OnlineTransform {
 public:
  Clip(float ratio, int64_t block) : ratio_(ratio), block_(block) {}
  at::Tensor operator()(const at::Tensor& x) const override {
    at::Tensor y = at::empty_like(x);
    const int64_t n = x.size(1);
    for_each_range(x.size(0), 32, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row)
        for (int64_t k = 0; k < n; k += block_)
          clip(x.data_ptr<float>() + row * n + k, std::min(block_, n - k),
               y.data_ptr<float>() + row * n + k);
    });
    return y;
  }

 private:
  // A block with a NaN stays as it is: comparisons with NaN are false.
  void clip(const float* x, int64_t count, float* y) const {
    float largest = 0;
    for (int64_t i = 0; i < count; ++i) largest = std::max(largest, std::abs(x[i]));
    const float bound = ratio_ * largest;
    for (int64_t i = 0; i < count; ++i) y[i] = x[i] > bound ? bound : x[i] < -bound ? -bound : x[i];
  }
  float ratio_;
  int64_t block_;
};

// One entry of the list, with what reads and refuses it.
struct Entry {
  const json& object;
  std::string where;
  const std::function<at::Tensor(const std::string&)>& read;
  int64_t n;
  const Rest& rest;

  [[noreturn]] void fail(const std::string& reason) const { throw InputError(where + reason); }
  int64_t integer(const char* field, int64_t absent) const {
    const auto found = object.find(field);
    if (found == object.end()) return absent;
    if (!found->is_number_integer() || *found < 1 || *found > n)
      fail(std::string("'") + field + "' is " + shown(*found) + "; expected 1 to " +
           std::to_string(n));
    return *found;
  }
  at::Tensor matrix(const char* field) const {
    const auto found = object.find(field);
    if (found == object.end() || !found->is_string())
      fail(std::string("'") + field + "' is no name of a tensor");
    const at::Tensor x = read(*found);
    if (x.dim() != 2 || x.size(0) != x.size(1))
      fail("tensor '" + found->get<std::string>() + "' is not square");
    return x;
  }
};

void check_fields(const Entry& entry, std::vector<std::string_view> valid) {
  valid.insert(valid.end(), {"after", "kind"});
  for (const auto& [key, value] : entry.object.items())
    if (std::ranges::find(valid, key) == valid.end()) entry.fail(unknown_name("field", key, valid));
}

std::unique_ptr<OnlineTransform> make_hadamard(const Entry& entry) {
  check_fields(entry, {"size", "inner"});
  const int64_t size = entry.integer("size", entry.n), inner = entry.integer("inner", 1);
  if (entry.n % (size * inner) != 0)
    entry.fail("size " + std::to_string(size) + " times inner " + std::to_string(inner) +
               " does not divide the width " + std::to_string(entry.n));
  if (!has_hadamard_order(size))
    entry.fail("no Hadamard matrix of order " + std::to_string(size) + " is known");
  return std::make_unique<Hadamard>(size, inner);
}

std::unique_ptr<OnlineTransform> make_kronecker(const Entry& entry) {
  check_fields(entry, {"left", "right"});
  const at::Tensor left = entry.matrix("left");
  if (!entry.object.contains("right")) {
    if (entry.n % left.size(0) != 0)
      entry.fail("matrix of " + std::to_string(left.size(0)) +
                 " rows, which do not divide the width " + std::to_string(entry.n));
    return std::make_unique<Kronecker>(left, at::Tensor(), entry.n / left.size(0), entry.rest);
  }
  const at::Tensor right = entry.matrix("right");
  if (left.size(0) * right.size(0) != entry.n)
    entry.fail("matrices of " + std::to_string(left.size(0)) + " and " +
               std::to_string(right.size(0)) + " rows; the width is " + std::to_string(entry.n));
  return std::make_unique<Kronecker>(left, right, right.size(0), entry.rest);
}

std::unique_ptr<OnlineTransform> make_affine(const Entry& entry) {
  check_fields(entry, {"matrix", "inverse"});
  const at::Tensor keys = entry.matrix("matrix"), queries = entry.matrix("inverse");
  if (keys.size(0) != entry.n || queries.size(0) != entry.n)
    entry.fail("matrices of " + std::to_string(keys.size(0)) + " and " +
               std::to_string(queries.size(0)) + " rows; a head has " + std::to_string(entry.n));
  return std::make_unique<Affine>(keys, queries, entry.rest);
}

std::unique_ptr<OnlineTransform> make_clip(const Entry& entry) {
  check_fields(entry, {"ratio", "block"});
  const auto ratio = entry.object.find("ratio");
  if (ratio == entry.object.end() || !ratio->is_number() || *ratio <= 0 || *ratio > 1)
    entry.fail("'ratio' is no number above 0 and at most 1");
  return std::make_unique<Clip>(ratio->get<float>(), entry.integer("block", 32));
}

struct Kind {
  std::string_view name;
  std::unique_ptr<OnlineTransform> (*make)(const Entry& entry);
};
constexpr std::array kinds{Kind{"hadamard", make_hadamard}, Kind{"kronecker", make_kronecker},
                           Kind{"affine", make_affine}, Kind{"clip", make_clip}};
static_assert(names_are_distinct(kinds));

std::string text_of(const json& object, const char* field, const std::string& where) {
  if (!object.is_object() || !object.contains(field) || !object[field].is_string())
    throw InputError(where + "has no string '" + field + "'");
  return object[field];
}

}  // namespace

OnlineTransforms::OnlineTransforms(const json& list, const std::string& where,
                                   const std::function<at::Tensor(const std::string&)>& read,
                                   const std::function<int64_t(const std::string&)>& width,
                                   const Rest& rest) {
  if (list.is_null()) return;
  if (!list.is_array()) throw InputError(where + ": 'transforms' is no array");
  for (const json& object : list) {
    const std::string place = where + ": transforms[" + std::to_string(rows_.size()) + "] ";
    const std::string module = text_of(object, "after", place),
                      kind = text_of(object, "kind", place);
    const int64_t n = width(module);
    if (n == 0) throw InputError(place + "stands after '" + module + "', where none can stand");
    const auto row = std::ranges::find(kinds, kind, &Kind::name);
    if (row == kinds.end()) {
      std::vector<std::string_view> valid;
      for (const Kind& known : kinds) valid.push_back(known.name);
      throw InputError(place + unknown_name("kind", kind, valid));
    }
    if (kind == "affine" && !module.ends_with("self_attn.rotary"))
      throw InputError(place + "is affine; that stands after self_attn.rotary only");
    rows_.push_back({module, row->make({object, place, read, n, rest})});
  }
}

bool OnlineTransforms::has(const std::string& module) const {
  return std::ranges::find(rows_, module, &Row::module) != rows_.end();
}

at::Tensor OnlineTransforms::apply(const std::string& module, const at::Tensor& x) const {
  at::Tensor y = x;
  for (const Row& row : rows_)
    if (row.module == module) y = (*row.transform)(y);
  return y;
}

at::Tensor OnlineTransforms::apply_to_keys(const std::string& module, const at::Tensor& x) const {
  at::Tensor y = x;
  for (const Row& row : rows_)
    if (row.module == module) y = row.transform->keys(y);
  return y;
}

std::vector<std::string> OnlineTransforms::tensors(const json& list) {
  std::vector<std::string> names;
  if (!list.is_array()) return names;
  for (const json& object : list)
    for (const char* field : {"left", "right", "matrix", "inverse"})
      if (object.is_object() && object.contains(field) && object[field].is_string())
        names.push_back(object[field]);
  return names;
}

}  // namespace mxref
