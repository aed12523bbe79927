#include "emu/vectors/rest_units.h"

#include <algorithm>
#include <bit>

#include "emu/elementary.h"
#include "emu/hex.h"
#include "emu/rest.h"

namespace mxref {
namespace {

using Words = std::vector<uint32_t>;

UnitRows rows_of(const UnitRequest& r, UnitRows (*directed)(),
                 UnitRows (*random)(size_t count, uint64_t seed)) {
  if (r.kind == "model") return *r.rows;
  if (r.kind == "random") return random(r.count == 0 ? 1000 : size_t(r.count), r.seed);
  UnitRows rows = directed();
  const size_t all = rows.count(), count = r.count == 0 ? all : std::min(all, size_t(r.count));
  for (Words& input : rows.inputs) input.resize(input.size() / all * count);
  rows.comments.resize(count);
  return rows;
}

VectorTable table_for(const UnitRequest& r, const char* unit, const UnitRows& rows) {
  VectorTable table;
  table.header = vector_header(r.kind, r.seed, rows.count());
  table.header["unit"] = unit;
  table.header["rest"] = "strict";
  if (!rows.source.empty()) table.header["source"] = rows.source;
  table.numbers = {"seed", "count"};
  table.count = rows.count();
  table.comments = rows.comments;
  return table;
}

void say_width(VectorTable& table, const char* name, int64_t width) {
  table.header[name] = std::to_string(width);
  table.numbers.emplace_back(name);
}

// A word that is the same in all vectors stands in the header too.
void say_constant(VectorTable& table, const char* name, const Words& words) {
  if (std::ranges::count(words, words.front()) == std::ssize(words))
    table.header[name] = to_hex(words.front(), 8);
}

void add(VectorTable& table, const char* name, int64_t items, Words words) {
  table.add(name, 32, int(items), std::move(words));
}

std::vector<float> values_of(const Words& words) {
  std::vector<float> values;
  for (const uint32_t word : words) values.push_back(std::bit_cast<float>(word));
  return values;
}
Words words_of(const std::vector<float>& values) {
  Words words;
  for (const float value : values) words.push_back(std::bit_cast<uint32_t>(value));
  return words;
}

}  // namespace

VectorTable rms_norm_unit(const UnitRequest& r) {
  UnitRows rows = rows_of(r, directed_rms_norm, random_rms_norm);
  const auto x = values_of(rows.inputs[0]), w = values_of(rows.inputs[1]),
             eps = values_of(rows.inputs[2]);
  std::vector<float> y(x.size());
  const auto D = size_t(rows.width);
  for (size_t i = 0; i < rows.count(); ++i)
    rest::rms_norm_ref(&x[i * D], &w[i * D], 1, rows.width, eps[i], &y[i * D]);
  VectorTable table = table_for(r, "rms_norm", rows);
  say_width(table, "width", rows.width);
  say_constant(table, "eps", rows.inputs[2]);
  add(table, "x", rows.width, std::move(rows.inputs[0]));
  add(table, "w", rows.width, std::move(rows.inputs[1]));
  add(table, "eps", 1, std::move(rows.inputs[2]));
  add(table, "y", rows.width, words_of(y));
  return table;
}

VectorTable softmax_unit(const UnitRequest& r) {
  UnitRows rows = rows_of(r, directed_softmax, random_softmax);
  const auto scores = values_of(rows.inputs[0]), factor = values_of(rows.inputs[1]);
  std::vector<float> p(scores.size());
  const auto keys = size_t(rows.width);
  for (size_t i = 0; i < rows.count(); ++i)
    rest::softmax_ref(&scores[i * keys], 1, rows.width, factor[i], &p[i * keys]);
  VectorTable table = table_for(r, "softmax", rows);
  say_width(table, "keys", rows.width);
  say_constant(table, "factor", rows.inputs[1]);
  add(table, "scores", rows.width, std::move(rows.inputs[0]));
  add(table, "factor", 1, std::move(rows.inputs[1]));
  add(table, "p", rows.width, words_of(p));
  return table;
}

VectorTable gated_silu_unit(const UnitRequest& r) {
  UnitRows rows = rows_of(r, directed_gated_silu, random_gated_silu);
  const auto gate = values_of(rows.inputs[0]), up = values_of(rows.inputs[1]);
  std::vector<float> y(gate.size());
  rest::gated_silu_ref(gate.data(), up.data(), std::ssize(gate), y.data());
  VectorTable table = table_for(r, "gated_silu", rows);
  add(table, "gate", 1, std::move(rows.inputs[0]));
  add(table, "up", 1, std::move(rows.inputs[1]));
  add(table, "y", 1, words_of(y));
  return table;
}

VectorTable rotary_unit(const UnitRequest& r) {
  UnitRows rows = rows_of(r, directed_rotary, random_rotary);
  const auto frequency = values_of(rows.inputs[1]);
  std::vector<float> angle, cos, sin, y1 = values_of(rows.inputs[2]),
                                      y2 = values_of(rows.inputs[3]);
  for (size_t i = 0; i < rows.count(); ++i) {
    angle.push_back(rest::rotary_angle_ref(rows.inputs[0][i], frequency[i]));
    cos.push_back(cos_ref(angle[i]));
    sin.push_back(sin_ref(angle[i]));
    float pair[] = {y1[i], y2[i]};
    rest::rotate_ref({.sequences = 1, .T = 1, .heads = 1, .head_dim = 2}, &cos[i], &sin[i], pair);
    y1[i] = pair[0];
    y2[i] = pair[1];
  }
  VectorTable table = table_for(r, "rotary", rows);
  add(table, "position", 1, std::move(rows.inputs[0]));
  add(table, "frequency", 1, std::move(rows.inputs[1]));
  add(table, "angle", 1, words_of(angle));
  add(table, "cos", 1, words_of(cos));
  add(table, "sin", 1, words_of(sin));
  add(table, "x1", 1, std::move(rows.inputs[2]));
  add(table, "x2", 1, std::move(rows.inputs[3]));
  add(table, "y1", 1, words_of(y1));
  add(table, "y2", 1, words_of(y2));
  return table;
}

}  // namespace mxref
