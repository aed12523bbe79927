// The noise of an evaluation, against its definition built once more in integers, and that it
// depends on seed, position and place alone.

#include "golden/models/noise.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <xmmintrin.h>

#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "emu/threads.h"
#include "tests/golden/models_fixture.h"

using namespace mxref;
using namespace mxref::test;

namespace {

// RNE32(x · (1 ± 2^-22)) of a number, from its bits.
uint32_t moved(uint32_t x, bool minus) {
  const uint32_t sign = x & 0x80000000, field = x >> 23 & 0xFF;
  const uint64_t significand = (x & 0x7FFFFF) | (field ? 0x800000 : 0);
  uint64_t exponent = std::max(field, 1u);
  const uint64_t product = significand * ((uint64_t(1) << 22) + (minus ? -1 : 1));
  int dropped = 22;
  if (product >= uint64_t(1) << 46) {
    ++dropped, ++exponent;
  } else if (product < uint64_t(1) << 45 && exponent > 1) {
    --dropped, --exponent;
  }
  uint64_t kept = product >> dropped;
  const uint64_t rest = product - (kept << dropped), half = uint64_t(1) << (dropped - 1);
  if (rest > half || (rest == half && kept % 2 == 1)) ++kept;
  return sign | uint32_t(std::min<uint64_t>(((exponent - 1) << 23) + kept, 0x7F800000));
}

// Of one element, from its seed on.
float perturbed(float x, uint64_t seed, int64_t position, int place, int64_t i) {
  if (!std::isfinite(x)) return x;
  const philox::Counter words =
      philox::philox4x32_10({uint32_t(position), uint32_t(place), uint32_t(i / 128), 0},
                            {uint32_t(seed & 0xFFFFFFFF), uint32_t(seed >> 32)});
  const uint32_t word = words[size_t(i % 128 / 32)];
  return std::bit_cast<float>(moved(std::bit_cast<uint32_t>(x), (word >> (i % 32)) % 2 == 1));
}

// x (T,D), perturbed at a place by the construction above.
at::Tensor expected_of(const at::Tensor& x, uint64_t seed, int64_t first, int place) {
  at::Tensor y = x.clone();
  const int64_t T = x.size(0), D = x.size(1);
  for (int64_t t = 0; t < T; ++t)
    for (int64_t i = 0; i < D; ++i) {
      float& value = y.data_ptr<float>()[t * D + i];
      value = perturbed(value, seed, first + t, place, i);
    }
  return y;
}

at::Tensor noisy(const at::Tensor& x, uint64_t seed, int64_t first, uint32_t place) {
  at::Tensor y = x.clone();
  Noise(seed).perturb(y, first, place);
  return y;
}

// Rows of width D of the numbers whose bits `bits` gives.
template <typename F>
at::Tensor tensor_of(int64_t T, int64_t D, F bits) {
  at::Tensor x = at::empty({T, D}, at::kFloat);
  for (int64_t i = 0; i < T * D; ++i)
    x.data_ptr<float>()[i] = std::bit_cast<float>(uint32_t(bits(i)));
  return x;
}

// Any numbers, from their bits: all exponents, both signs, none that is NaN.
at::Tensor any_numbers(int64_t T, int64_t D) {
  return tensor_of(T, D, [](int64_t i) {
    const uint32_t word = philox::word(7, uint64_t(i));
    return (word & 0x7F800000) == 0x7F800000 ? 0x7F7FFFFF : word;
  });
}

constexpr uint64_t seed = 0x123456789ABCDEF0;

// A model whose layers add nothing: a hidden state is its embedding, perturbed again and again.
std::unique_ptr<LanguageModel> idle_model(const std::filesystem::path& folder) {
  EditedCheckpoint checkpoint(folder);
  for (const std::string& name : checkpoint.inner->names()) {
    if (!name.ends_with("o_proj.weight") && !name.ends_with("down_proj.weight")) continue;
    HostTensor tensor = checkpoint.inner->tensor(name);
    std::fill(tensor.values.begin(), tensor.values.end(), 0.0f);
    checkpoint.left_out.insert(name);
    checkpoint.added[name] = tensor;
  }
  return load_model(checkpoint, fp32(), ref_alone());
}

// ids (B,T) of the reference's batch.
at::Tensor batch_of(const SafetensorsFile& reference) {
  return view_of(reference, "batch.input_ids");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(noise)

BOOST_AUTO_TEST_CASE(every_significand_moves_as_the_definition_says) {
  const at::Tensor x =
      tensor_of(8192, 1024, [](int64_t i) { return 0x3F800000 + uint32_t(i); });  // 1 … below 2
  const at::Tensor y = noisy(x, seed, 0, 0), z = expected_of(x, seed, 0, 0);
  int64_t wrong = 0, still = 0, minus = 0;
  for (int64_t i = 0; i < x.numel(); ++i) {
    const float before = x.data_ptr<float>()[i], after = y.data_ptr<float>()[i];
    wrong += after != z.data_ptr<float>()[i];
    still += after == before;
    minus += after < before;
  }
  BOOST_TEST(wrong == 0);
  BOOST_TEST(still == 0);
  // Half of 2^23 draws, within ten standard deviations (1,448 each).
  BOOST_TEST(std::abs(minus - x.numel() / 2) < 14480);
}

BOOST_AUTO_TEST_CASE(every_exponent_and_the_special_values_move_as_the_definition_says) {
  // 300 is no multiple of the block of 128, and the largest position and place are none of 2^31.
  const at::Tensor x = any_numbers(70, 300);
  for (const uint64_t key : {uint64_t(0), seed, ~uint64_t(0)})
    for (const int64_t first : {int64_t(0), int64_t(4000000000)})
      for (const int place : {0, 61})
        BOOST_TEST(
            same_bits(noisy(x, key, first, uint32_t(place)), expected_of(x, key, first, place)));
  const float infinity = std::numeric_limits<float>::infinity();
  const float special[] = {0.0f,      -0.0f,    0x1p-149f, -0x1p-149f,      0x1.fffffcp-127f,
                           0x1p-126f, infinity, -infinity, 0x1.fffffep127f, -0x1.fffffep127f,
                           1.0f,      -1.0f};
  for (uint64_t key = 0; key < 8; ++key) {
    const at::Tensor row =
        tensor_of(1, 12, [&](int64_t i) { return std::bit_cast<uint32_t>(special[i]); });
    const at::Tensor expected = expected_of(row, key, 3, 1);
    BOOST_TEST(same_bits(noisy(row, key, 3, 1), expected));
    const unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040);  // subnormals are zero, as a library may have left it
    const at::Tensor flushed = noisy(row, key, 3, 1);
    _mm_setcsr(before);
    BOOST_TEST(same_bits(flushed, expected));
  }
}

BOOST_AUTO_TEST_CASE(seed_position_and_place_each_draw_anew) {
  const at::Tensor x = any_numbers(5, 128), y = noisy(x, seed, 9, 2);
  BOOST_TEST(same_bits(y, noisy(x, seed, 9, 2)));
  BOOST_TEST(!same_bits(y, noisy(x, seed + 1, 9, 2)));
  BOOST_TEST(!same_bits(y, noisy(x, seed ^ uint64_t(1) << 63, 9, 2)));
  BOOST_TEST(!same_bits(y, noisy(x, seed, 10, 2)));
  BOOST_TEST(!same_bits(y, noisy(x, seed, 9, 3)));
}

BOOST_AUTO_TEST_CASE(rows_alone_together_and_in_a_batch_have_the_same_bits) {
  const int64_t T = 70, D = 200;
  const at::Tensor x = any_numbers(T, D), whole = noisy(x, seed, 5, 4);
  for (int64_t t = 0; t < T; ++t)
    BOOST_TEST(same_bits(noisy(x.narrow(0, t, 1), seed, 5 + t, 4), whole.narrow(0, t, 1)));
  const at::Tensor batch = noisy(at::cat({x, x, x}).view({3, T, D}), seed, 5, 4);
  for (int64_t b = 0; b < 3; ++b) BOOST_TEST(same_bits(batch[b], whole));
}

BOOST_AUTO_TEST_CASE(a_pass_perturbs_the_embedding_and_each_residual_sum) {
  const auto data = shared_data("models/llama3");
  if (!data) return;
  const auto model = idle_model(*data);
  const auto reference = SafetensorsFile::open(*data / "reference.safetensors");
  const at::Tensor ids = view_of(reference, "seq2.input_ids");
  at::Tensor x = model->forward(ids, true).hidden[0][0];
  model->perturb(seed);
  const auto hidden = model->forward(ids, true).hidden;
  for (int i = 0; i < int(hidden.size()); ++i) {
    if (i > 0) x = expected_of(x, seed, 0, 2 * i - 1);
    x = expected_of(x, seed, 0, 2 * i);
    BOOST_TEST(same_bits(hidden[size_t(i)][0], x), "hidden " << i);
  }
}

BOOST_AUTO_TEST_CASE(a_cache_and_a_batch_change_no_noise) {
  const auto data = shared_data("models/llama3");
  if (!data) return;
  const auto model = idle_model(*data);
  const auto reference = SafetensorsFile::open(*data / "reference.safetensors");
  const at::Tensor ids = batch_of(reference);
  model->perturb(seed);
  const auto whole = model->forward(ids, true);
  for (const int64_t step : {1, 3}) {
    KvCache cache;
    for (int64_t t = 0; t < ids.size(1); t += step) {
      const int64_t count = std::min(step, ids.size(1) - t);
      const auto part = model->forward(ids.narrow(1, t, count), true, &cache);
      for (size_t i = 0; i < whole.hidden.size(); ++i)
        BOOST_TEST(same_bits(part.hidden[i], whole.hidden[i].narrow(1, t, count)));
    }
  }
  for (int64_t b = 0; b < ids.size(0); ++b) {
    const auto alone = model->forward(ids.narrow(0, b, 1), true);
    for (size_t i = 0; i < whole.hidden.size(); ++i)
      BOOST_TEST(same_bits(alone.hidden[i], whole.hidden[i].narrow(0, b, 1)));
  }
}

BOOST_AUTO_TEST_CASE(a_model_has_the_noise_of_its_seed_for_any_number_of_threads) {
  const auto data = shared_data("models/qwen2");
  if (!data) return;
  const auto model = load_model(*open_checkpoint(*data), fp32(), ref_alone());
  const auto reference = SafetensorsFile::open(*data / "reference.safetensors");
  const at::Tensor ids = batch_of(reference).flatten().repeat({16}).narrow(0, 0, 280).unsqueeze(0);
  const auto logits_of = [&](std::optional<uint64_t> key) {
    model->perturb(key);
    return model->forward(ids).logits;
  };
  const at::Tensor none = model->forward(ids).logits, first = logits_of(seed);
  BOOST_TEST(!same_bits(first, none));
  BOOST_TEST(!same_bits(first, logits_of(seed + 1)));
  const int before = threads();
  for (const int count : {1, 2, 3, 7}) {
    set_threads(count);
    BOOST_TEST(same_bits(logits_of(seed), first));
    BOOST_TEST(same_bits(logits_of(std::nullopt), none));
  }
  set_threads(before);
  // As small as another order of summation: inside the tolerance of the models.
  BOOST_TEST(largest_difference(first, none) < 1e-4f);
}

BOOST_AUTO_TEST_SUITE_END()
