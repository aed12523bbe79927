#include "eval/validate/caught_rows.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <random>

#include "emu/elementary.h"
#include "emu/rest.h"
#include "eval/validate/model_input.h"
#include "golden/models/families.h"
#include "golden/models/rest.h"
#include "golden/models/tensor_values.h"

namespace mxref {
namespace {

using Values = std::vector<float>;

struct Module {
  std::string name;
  std::vector<Values> inputs;  // of a norm its weight too
};

// What the model is, and how many tokens it has read.
struct Pass {
  DecoderDescription model;
  int64_t T;
  Values frequencies = {};
};

// How the rows of a unit lie in the modules that compute it.
struct CaughtUnit {
  std::string_view name;
  std::vector<std::string_view> endings;  // of the modules' names
  size_t columns;                         // UnitRows::inputs
  int64_t (*width)(const Pass& pass);
  int64_t (*rows)(const Pass& pass, const Module& module);
  void (*add)(const Pass& pass, const Module& module, size_t row, UnitRows& to);
};

void append(std::vector<uint32_t>& to, const float* values, size_t count) {
  for (size_t i = 0; i < count; ++i) to.push_back(std::bit_cast<uint32_t>(values[i]));
}
void append(std::vector<uint32_t>& to, float value) { append(to, &value, 1); }

void add_norm(const Pass& pass, const Module& module, size_t row, UnitRows& to) {
  const auto D = size_t(pass.model.width);
  append(to.inputs[0], &module.inputs[0][row * D], D);
  append(to.inputs[1], module.inputs[1].data(), D);
  append(to.inputs[2], float(pass.model.norm_eps));
}

// The last token's scores of the head `row`: q (T, heads·d), k (T, kv_heads·d).
void add_scores(const Pass& pass, const Module& module, size_t row, UnitRows& to) {
  const DecoderDescription& m = pass.model;
  const auto d = size_t(m.head_dim), T = size_t(pass.T), heads = size_t(m.heads),
             kv_heads = size_t(m.kv_heads), kv_head = row / (heads / kv_heads);
  const float* q = &module.inputs[0][((T - 1) * heads + row) * d];
  Values keys, scores(T);
  for (size_t j = 0; j < T; ++j) {
    const float* k = &module.inputs[1][(j * kv_heads + kv_head) * d];
    keys.insert(keys.end(), k, k + d);
  }
  rest::product_ref(q, keys.data(), 1, pass.T, m.head_dim, scores.data());
  append(to.inputs[0], scores.data(), T);
  append(to.inputs[1], rsqrt_ref(float(d)));
}

void add_gate(const Pass&, const Module& module, size_t row, UnitRows& to) {
  append(to.inputs[0], module.inputs[0][row]);
  append(to.inputs[1], module.inputs[1][row]);
}

// Pair `row` of x (T, heads·d).
void add_pair(const Pass& pass, const Module& module, size_t row, UnitRows& to) {
  const Values& x = module.inputs[0];
  const size_t d = size_t(pass.model.head_dim), half = d / 2, i = row % half;
  const float* pair = &x[row / half * d + i];
  to.inputs[0].push_back(uint32_t(row / (x.size() / size_t(pass.T) / 2)));
  append(to.inputs[1], pass.frequencies[i]);
  append(to.inputs[2], pair[0]);
  append(to.inputs[3], pair[half]);
}

const std::array<CaughtUnit, 4> caught_units{
    CaughtUnit{"rms_norm",
               {"layernorm", "model.norm"},
               3,
               [](const Pass& pass) { return pass.model.width; },
               [](const Pass& pass, const Module& m) {
                 return std::ssize(m.inputs[0]) / pass.model.width;
               },
               add_norm},
    CaughtUnit{"softmax",
               {"self_attn.attention"},
               2,
               [](const Pass& pass) { return pass.T; },
               [](const Pass& pass, const Module&) { return pass.model.heads; },
               add_scores},
    CaughtUnit{"gated_silu",
               {"mlp.act_fn"},
               2,
               [](const Pass&) { return int64_t(1); },
               [](const Pass&, const Module& m) { return int64_t(m.inputs[0].size()); },
               add_gate},
    CaughtUnit{"rotary",
               {"self_attn.rotary.q", "self_attn.rotary.k"},
               4,
               [](const Pass&) { return int64_t(1); },
               [](const Pass&, const Module& m) { return int64_t(m.inputs[0].size() / 2); },
               add_pair},
};

using Modules = std::vector<Module>;  // in the order in which the model computes them

std::array<Modules, caught_units.size()> catch_modules(const Checkpoint& checkpoint,
                                                       const EngineTable& engines,
                                                       const at::Tensor& ids) {
  std::array<Modules, caught_units.size()> caught;
  const auto model = load_model(checkpoint, parse_recipe("fp32"), engines);
  model->observe([&](const std::string& name, std::string_view role, const at::Tensor& values) {
    const auto unit = std::ranges::find_if(caught_units, [&](const CaughtUnit& u) {
      return std::ranges::any_of(u.endings, [&](auto end) { return name.ends_with(end); });
    });
    if (unit == caught_units.end() || role == "output") return;
    Modules& modules = caught[size_t(unit - caught_units.begin())];
    if (modules.empty() || modules.back().name != name) modules.push_back({name, {}});
    const auto input = values_of(values);
    modules.back().inputs.emplace_back(input.begin(), input.end());
  });
  model->forward(ids);
  for (Module& norm : caught.front())
    norm.inputs.push_back(checkpoint.tensor(norm.name + ".weight").values);
  return caught;
}

// `count` of 0 … rows-1, or all of them, ascending.
std::vector<int64_t> draw(int64_t count, int64_t rows, std::mt19937_64& random) {
  std::vector<int64_t> drawn(static_cast<size_t>(rows));
  std::iota(drawn.begin(), drawn.end(), 0);
  const auto kept = size_t(std::min(count, rows));
  for (size_t i = 0; i < kept; ++i) {
    const size_t other = i + random() % (drawn.size() - i);
    std::swap(drawn[i], drawn[other]);
  }
  drawn.resize(kept);
  std::ranges::sort(drawn);
  return drawn;
}

UnitRows draw_rows(const CaughtUnit& unit, const Pass& pass, const Modules& modules, int64_t count,
                   uint64_t seed) {
  std::mt19937_64 random(seed);
  UnitRows rows{.width = unit.width(pass), .inputs = {}};
  rows.inputs.resize(unit.columns);
  const auto n = std::ssize(modules);
  for (int64_t i = 0; i < n; ++i) {
    const Module& module = modules[size_t(i)];
    const int64_t share = count * (i + 1) / n - count * i / n;
    const std::vector<int64_t> drawn = draw(share, unit.rows(pass, module), random);
    if (drawn.empty()) continue;
    for (const int64_t row : drawn) unit.add(pass, module, size_t(row), rows);
    rows.source +=
        (rows.source.empty() ? "" : ", ") + module.name + " (" + std::to_string(drawn.size()) + ")";
  }
  return rows;
}

}  // namespace

std::map<std::string, UnitRows> catch_rows(const Checkpoint& checkpoint, const EngineTable& engines,
                                           const std::vector<int64_t>& ids, int64_t count,
                                           uint64_t seed) {
  Pass pass{.model = describe(checkpoint), .T = std::min(std::ssize(ids), rows_tokens)};
  const at::Tensor frequencies = strict_rest().frequencies(pass.model.rope, pass.model.head_dim);
  std::ranges::copy(values_of(frequencies), std::back_inserter(pass.frequencies));
  const auto caught = catch_modules(checkpoint, engines, model_input(ids, pass.T));
  std::map<std::string, UnitRows> rows;
  for (size_t i = 0; i < caught.size(); ++i)
    rows[std::string(caught_units[i].name)] =
        draw_rows(caught_units[i], pass, caught[i], count, seed);
  return rows;
}

}  // namespace mxref
