#include "golden/models/hadamard.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "emu/error.h"
#include "emu/kernels/parts.h"

namespace mxref {
namespace {

constexpr int64_t largest_core = 512;

// q = prime^degree.
struct PrimePower {
  int64_t prime, degree;
};
std::optional<PrimePower> prime_power(int64_t q) {
  if (q < 2) return std::nullopt;
  int64_t prime = 2;
  while (prime * prime <= q && q % prime != 0) ++prime;
  if (q % prime != 0) prime = q;
  int64_t degree = 0;
  for (; q % prime == 0; q /= prime) ++degree;
  if (q != 1) return std::nullopt;
  return PrimePower{prime, degree};
}

// The field of q elements: polynomials of a degree below `degree` over the integers modulo `prime`,
// written as numbers in base `prime`, modulo an irreducible one.
class Field {
 public:
  explicit Field(PrimePower q) : prime_(q.prime), degree_(q.degree) {
    for (int64_t i = 0; i < degree_; ++i) size_ *= prime_;
    if (degree_ > 1) find_modulus();
  }
  int64_t size() const { return size_; }
  int64_t subtract(int64_t a, int64_t b) const {
    int64_t result = 0;
    for (int64_t place = 1; place < size_; place *= prime_)
      result += (a / place % prime_ - b / place % prime_ + prime_) % prime_ * place;
    return result;
  }
  int64_t multiply(int64_t a, int64_t b) const {
    if (degree_ == 1) return a * b % prime_;
    std::vector<int64_t> product(size_t(2 * degree_ - 1));
    for (int64_t i = 0; i < degree_; ++i)
      for (int64_t j = 0; j < degree_; ++j)
        product[size_t(i + j)] += coefficient(a, i) * coefficient(b, j);
    for (int64_t i = 2 * degree_ - 2; i >= degree_; --i)  // x^degree = -modulus
      for (int64_t j = 0; j < degree_; ++j)
        product[size_t(i - degree_ + j)] +=
            product[size_t(i)] % prime_ * (prime_ - coefficient(modulus_, j));
    int64_t result = 0;
    for (int64_t i = degree_ - 1; i >= 0; --i)
      result = result * prime_ + product[size_t(i)] % prime_;
    return result;
  }
  // 0 of 0, else 1 for the squares and -1 for the rest.
  std::vector<int> quadratic_characters() const {
    std::vector<int> character(size_t(size_), -1);
    character[0] = 0;
    for (int64_t a = 1; a < size_; ++a) character[size_t(multiply(a, a))] = 1;
    return character;
  }

 private:
  int64_t coefficient(int64_t a, int64_t i) const {
    for (; i > 0; --i) a /= prime_;
    return a % prime_;
  }
  // x^degree + modulus_ is irreducible where no element but 0 divides 0; for the small fields here
  // that is tried.
  void find_modulus() {
    for (modulus_ = 1; modulus_ < size_; ++modulus_) {
      bool has_divisors = false;
      for (int64_t a = 1; a < size_ && !has_divisors; ++a)
        for (int64_t b = a; b < size_ && !has_divisors; ++b) has_divisors = multiply(a, b) == 0;
      if (!has_divisors) return;
    }
  }

  int64_t prime_, degree_, size_ = 1, modulus_ = 0;
};

using Signs = std::vector<int8_t>;

// Paley I, order q+1, q = 3 mod 4: I + S, S the skew matrix of the characters with a border.
Signs paley_first(const Field& field) {
  const int64_t q = field.size(), n = q + 1;
  const std::vector<int> character = field.quadratic_characters();
  Signs h(size_t(n * n));
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) {
      int value = 0;
      if (i == j)
        value = 1;
      else if (i == 0 || j == 0)
        value = i == 0 ? 1 : -1;
      else
        value = character[size_t(field.subtract(i - 1, j - 1))];
      h[size_t(i * n + j)] = int8_t(value);
    }
  return h;
}

// Paley II, order 2(q+1), q = 1 mod 4: each entry ±1 of the symmetric matrix becomes ±[+ +; + -],
// the zeros of its diagonal [+ -; - -].
Signs paley_second(const Field& field) {
  const int64_t half = field.size() + 1, n = 2 * half;
  const std::vector<int> character = field.quadratic_characters();
  Signs h(size_t(n * n));
  for (int64_t i = 0; i < half; ++i)
    for (int64_t j = 0; j < half; ++j) {
      const int value = i == j             ? 0
                        : i == 0 || j == 0 ? 1
                                           : character[size_t(field.subtract(i - 1, j - 1))];
      const int block[] = {value ? value : 1, value ? value : -1, value ? value : -1,
                           value ? -value : -1};
      for (int64_t r = 0; r < 2; ++r)
        for (int64_t c = 0; c < 2; ++c)
          h[size_t((2 * i + r) * n + 2 * j + c)] = int8_t(block[2 * r + c]);
    }
  return h;
}

// The field by which a core of this order is made, by the first construction or the second.
struct Paley {
  PrimePower q;
  bool first;
};
std::optional<Paley> paley_of(int64_t core) {
  if (core % 4 != 0) return std::nullopt;
  if (const auto q = prime_power(core - 1)) return Paley{*q, true};  // 3 mod 4 by itself
  const auto q = prime_power(core / 2 - 1);
  if (q && (core / 2 - 1) % 4 == 1) return Paley{*q, false};
  return std::nullopt;
}

std::optional<HadamardOrder> find_order(int64_t n) {
  if (n < 1) return std::nullopt;
  int64_t odd = n;
  while (odd % 2 == 0) odd /= 2;
  if (odd == 1) return HadamardOrder{1, n};
  for (int64_t core = odd; core <= std::min(n, largest_core); core *= 2)
    if (n % core == 0 && paley_of(core)) return HadamardOrder{core, n / core};
  return std::nullopt;
}

// x (n, inner): the stages of S over groups of `core` blocks of (power, inner).
template <typename T>
void sylvester(T* x, HadamardOrder order, int64_t inner) {
  const int64_t n = order.core * order.power;
  for (int64_t stride = 1; stride < order.power; stride *= 2)
    for (int64_t begin = 0; begin < n; begin += 2 * stride) {
      T* const a = x + begin * inner;
      T* const b = a + stride * inner;
      for (int64_t i = 0; i < stride * inner; ++i) {
        const T sum = a[i] + b[i];
        b[i] = a[i] - b[i];
        a[i] = sum;
      }
    }
}

// x (core, width) → H·x, by rows of `width` contiguous values.
template <typename T>
void dense(T* x, const Signs& h, int64_t core, int64_t width, bool transposed,
           std::vector<T>& copy) {
  copy.assign(x, x + core * width);
  for (int64_t i = 0; i < core; ++i) {
    T* const y = x + i * width;
    std::fill(y, y + width, T(0));
    for (int64_t j = 0; j < core; ++j) {
      const T sign = transposed ? h[size_t(j * core + i)] : h[size_t(i * core + j)];
      const T* const from = copy.data() + j * width;
      for (int64_t c = 0; c < width; ++c) y[c] += sign * from[c];  // the product is exact
    }
  }
}

}  // namespace

HadamardOrder hadamard_order(int64_t n) {
  const auto order = find_order(n);
  if (!order)
    throw UsageError("no Hadamard matrix of order " + std::to_string(n) +
                     " is known here: expected a power of two times the order of a Paley "
                     "construction (q+1 or 2(q+1), q a prime power)");
  return *order;
}

bool has_hadamard_order(int64_t n) { return find_order(n).has_value(); }

const Signs& hadamard_core(int64_t core) {
  static std::mutex mutex;
  static std::map<int64_t, Signs> kept;
  const std::lock_guard lock(mutex);
  const auto found = kept.find(core);
  if (found != kept.end()) return found->second;
  if (core == 1) return kept[1] = {1};
  const auto paley = paley_of(core);
  if (!paley) throw UsageError("no Hadamard matrix of order " + std::to_string(core) + " by Paley");
  const Field field(paley->q);
  return kept[core] = paley->first ? paley_first(field) : paley_second(field);
}

template <typename T>
void hadamard_transform(T* x, int64_t rows, int64_t n, int64_t inner, bool transposed) {
  constexpr int64_t part_values = 1 << 15;
  const HadamardOrder order = hadamard_order(n);
  const Signs& core = hadamard_core(order.core);
  const T scale = T(1 / std::sqrt(double(n)));
  const int64_t row = n * inner;
  for_each_range(rows, std::max(part_values / row, int64_t(1)), [&](int64_t begin, int64_t end) {
    std::vector<T> copy;
    for (int64_t r = begin; r < end; ++r) {
      T* const values = x + r * row;
      sylvester(values, order, inner);
      // x·H is Hᵀ·x of a column.
      if (order.core > 1)
        dense(values, core, order.core, order.power * inner, /*transposed=*/!transposed, copy);
      for (int64_t i = 0; i < row; ++i) values[i] *= scale;
    }
  });
}

template void hadamard_transform(float*, int64_t, int64_t, int64_t, bool);
template void hadamard_transform(double*, int64_t, int64_t, int64_t, bool);

}  // namespace mxref
