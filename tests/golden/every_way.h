#pragma once
// One model, one sequence, by every way in which they can be computed: instruction set, threads,
// alone or in a batch, at once or with a cache.

#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>

#include <string>
#include <vector>

#include "emu/threads.h"
#include "tests/emu/every_isa.h"
#include "tests/golden/models_fixture.h"

namespace mxref::test {

inline const EngineTable engines{{"kernel", make_kernel_engine}, {"ref", make_ref_engine}};

// Logits and hidden states of one of the sequences of ids (B,T), computed together.
inline std::vector<at::Tensor> bits_in_a_batch(LanguageModel& model, const at::Tensor& ids,
                                               int64_t sequence) {
  const LanguageModel::Output output = model.forward(ids, /*with_hidden=*/true);
  std::vector<at::Tensor> all{output.logits.narrow(0, sequence, 1)};
  for (const at::Tensor& hidden : output.hidden) all.push_back(hidden.narrow(0, sequence, 1));
  return all;
}

// Of ids (1,T): a first part at once, then token by token.
inline std::vector<at::Tensor> bits_with_a_cache(LanguageModel& model, const at::Tensor& ids,
                                                 int64_t first_part) {
  KvCache cache;
  std::vector<std::vector<at::Tensor>> parts;
  for (int64_t begin = 0; begin < ids.size(1);) {
    const int64_t count = begin == 0 ? first_part : 1;
    const auto output = model.forward(ids.narrow(1, begin, count), /*with_hidden=*/true, &cache);
    parts.resize(output.hidden.size() + 1);
    parts[0].push_back(output.logits);
    for (size_t i = 0; i < output.hidden.size(); ++i) parts[i + 1].push_back(output.hidden[i]);
    begin += count;
  }
  std::vector<at::Tensor> all;
  for (const std::vector<at::Tensor>& part : parts) all.push_back(at::cat(part, 1));
  return all;
}

inline int64_t differences(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  BOOST_REQUIRE(a.size() == b.size());
  int64_t count = 0;
  for (size_t i = 0; i < a.size(); ++i) count += !same_bits(a[i], b[i]);
  return count;
}

// ids (T), alone and in batches with sequences made of it: every way gives the bits of one pass on
// one thread, of each hidden state and logit.
inline void expect_the_same_bits_by_every_way(LanguageModel& model, const at::Tensor& ids,
                                              const std::string& what) {
  const int before = threads();
  const int64_t T = ids.size(0);
  const at::Tensor alone = ids.unsqueeze(0), batch = at::stack({ids, ids.flip(0), ids.roll(1)});
  set_threads(1);
  const std::vector<at::Tensor> expected = bits_in_a_batch(model, alone, 0);
  for (const int count : {1, 3}) {
    set_threads(count);
    for_every_isa([&](std::string_view isa) {
      const auto expect = [&](const std::vector<at::Tensor>& got, const char* way) {
        BOOST_TEST(differences(got, expected) == 0,
                   what << ", " << isa << ", " << count << " threads, " << way);
      };
      expect(bits_in_a_batch(model, alone, 0), "one pass");
      expect(bits_in_a_batch(model, batch, 0), "first of a batch");
      expect(bits_in_a_batch(model, batch.flip(0), 2), "last of a batch");
      expect(bits_with_a_cache(model, alone, 1), "token by token");
      expect(bits_with_a_cache(model, alone, T / 2), "half of it, then token by token");
    });
  }
  set_threads(before);
}

}  // namespace mxref::test
