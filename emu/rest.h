#pragma once
// The rest of a model: what is not a product of two quantized operands, "strict" (ARITHMETIC.md
// §7). The same bits on every machine, instruction set and number of threads; each row of a result
// depends on its own inputs alone. A NaN result is 0x7FC00000.
//
// Functions that end in _ref are the definition; the others compute the same by the vector kernels
// of current_isa(). All values are binary32, all matrices row-major and without gaps unless a
// stride is named. Results may not overlap operands unless that is said.

#include <cstdint>
#include <vector>

namespace mxref::rest {

// ---- products of unquantized operands

// a (M,K), b (N,K) → d (M,N): each output acc = +0, then acc ← RNE32(a_k·b_k + acc), k ascending.
void product_ref(const float* a, const float* b, int64_t M, int64_t N, int64_t K, float* d);

// A right operand in the kernels' form, made once.
class PackedMatrix {
 public:
  // b (N,K), its rows `stride` values apart.
  static PackedMatrix of_rows(const float* b, int64_t N, int64_t K, int64_t stride);
  // b (K,N), its rows `stride` values apart: the values of attention.
  static PackedMatrix of_columns(const float* b, int64_t N, int64_t K, int64_t stride);

  int64_t rows() const { return N_; }  // N
  int64_t cols() const { return K_; }  // K
  int64_t panels() const;
  // (K, columns of a panel), zeros where there is no column.
  const float* panel(int64_t index) const;

 private:
  PackedMatrix(int64_t N, int64_t K);
  float* panel(int64_t index);
  int64_t N_, K_;
  std::vector<float> values_;  // (panels, K, columns of a panel), and what aligns it
  int64_t begin_ = 0;
};
void product(const float* a, int64_t M, const PackedMatrix& b, float* d);

// ---- rows of a model's width D

// sum ← x + y, count values; sum may be x or y.
void add_ref(const float* x, const float* y, int64_t count, float* sum);
void add(const float* x, const float* y, int64_t count, float* sum);

// x (rows,D) ← x + bias (D) in each row.
void add_bias_ref(const float* bias, int64_t rows, int64_t D, float* x);
void add_bias(const float* bias, int64_t rows, int64_t D, float* x);

// x (rows,D), w (D) → y (rows,D). D < 2^24.
void rms_norm_ref(const float* x, const float* w, int64_t rows, int64_t D, float eps, float* y);
void rms_norm(const float* x, const float* w, int64_t rows, int64_t D, float eps, float* y);

// The same with mean and bias (D), which may be null.
void layer_norm_ref(const float* x, const float* w, const float* bias, int64_t rows, int64_t D,
                    float eps, float* y);
void layer_norm(const float* x, const float* w, const float* bias, int64_t rows, int64_t D,
                float eps, float* y);

// y ← RNE32(silu(gate)·up), count values; y may be gate.
void gated_silu_ref(const float* gate, const float* up, int64_t count, float* y);
void gated_silu(const float* gate, const float* up, int64_t count, float* y);

// y ← f(x), count values, by the kernels: the definitions are in emu/elementary.h. y may be x.
void exp(const float* x, int64_t count, float* y);
void silu(const float* x, int64_t count, float* y);
void gelu(const float* x, int64_t count, float* y);

// ---- rotary embedding

// How long waves are slowed down. All numbers rounded to binary32 before.
struct WaveScaling {
  enum class Kind : uint8_t { none, linear, llama3 };
  Kind kind = Kind::none;
  float factor = 1;  // linear, llama3
  float low = 1, high = 4, original_positions = 8192;
};
// f_i = base^(-2i/d), i = 0 … d/2-1, scaled. base > 0, d even. (`linear`: RNE32(f/factor).)
std::vector<float> rotary_frequencies(float base, int64_t d, const WaveScaling& scaling);

// RNE32(position·f), position below 2^24.
float rotary_angle_ref(int64_t position, float frequency);

// cos and sin of rotary_angle_ref(position, f_i) for the positions first … first+count-1 → (count,
// frequencies) each.
void rotary_angles(const std::vector<float>& frequencies, int64_t first, int64_t count, float* cos,
                   float* sin);

// x (sequences·T, heads·d): each head's pairs (x_i, x_(i+d/2)) rotated by the angles of its row in
// its sequence; cos, sin (T,d/2).
struct RotationShape {
  int64_t sequences, T, heads, head_dim;
};
void rotate_ref(const RotationShape& shape, const float* cos, const float* sin, float* x);
void rotate(const RotationShape& shape, const float* cos, const float* sin, float* x);

// ---- attention

// x (rows,n) → p (rows,n): the softmax of RNE32(x·factor) in each row; p may be x.
void softmax_ref(const float* x, int64_t rows, int64_t n, float factor, float* p);
void softmax(const float* x, int64_t rows, int64_t n, float factor, float* p);

struct AttentionShape {
  int64_t queries;  // the last of the keys' positions
  int64_t keys;
  int64_t heads, kv_heads, head_dim;
};
// q (queries, heads·head_dim); k, v (kv_heads, keys, head_dim) → out (queries, heads·head_dim).
// Causal: query i sees the keys 0 … keys-queries+i, and no other takes part. Key head =
// floor(head / (heads/kv_heads)); scores are multiplied by RNE32(head_dim^(-1/2)).
void attention_ref(const AttentionShape& shape, const float* q, const float* k, const float* v,
                   float* out);
void attention(const AttentionShape& shape, const float* q, const float* k, const float* v,
               float* out);

}  // namespace mxref::rest
