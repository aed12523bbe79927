#include "emu/vectors/corner_cases.h"

#include "emu/vectors/corner_case_tables.h"

namespace mxref {
namespace {

using namespace corner_case_tables;

Facts facts_of(const VectorView& v) {
  Facts facts{v,
              block_sum(*v.a.format->element, v.a.codes, *v.b.format->element, v.b.codes),
              v.a.format->scale->is_nan(v.a.scales[0]) || v.b.format->scale->is_nan(v.b.scales[0]),
              rounded_sums(*v.target.datapath, v.acc_in, v.a, v.b),
              {}};
  if (is_aligned(v.target) && facts.is_finite())
    facts.steps = {aligned_step(v.target.datapath->alignment, v.acc_in, v.a, v.b, 0)};
  return facts;
}

// Every case of every table that applies: the name, and whether facts reach it.
template <typename Visit>
void for_every_case(const VectorTarget& target, Visit visit) {
  for (const bool second : {false, true}) {
    const BlockFormat& format = second ? *target.b : *target.a;
    const std::string side = second ? "b: " : "a: ";
    for (const ElementCase& row : element_cases)
      if (row.applies(*format.element))
        visit(side + "element " + std::string(row.name), [&](const Facts& f) {
          const RowView& view = second ? f.vector.b : f.vector.a;
          return std::ranges::any_of(
              view.codes, [&](uint8_t code) { return row.matches(*format.element, code); });
        });
    for (const ScaleCase& row : scale_cases)
      if (!row.ue4m3_only || format.has_tensor_scale())
        visit(side + "scale " + std::string(row.name), [&](const Facts& f) {
          const RowView& view = second ? f.vector.b : f.vector.a;
          return row.matches(*format.scale, view.scales[0]);
        });
  }
  const auto visit_all = [&](const auto& table) {
    for (const SumCase& row : table)
      if (row.applies(target)) visit(std::string(row.name), row.matches);
  };
  visit_all(accumulator_cases);
  visit_all(sum_cases);
  visit_all(datapath_cases);
}

}  // namespace

VectorView view_of(const Vectors& v, size_t index) {
  const auto block = size_t(v.block);
  return {{v.format_a, v.format_b, v.datapath},
          {v.format_a, v.block, std::span(v.codes_a).subspan(index * block, block),
           std::span(v.scale_a).subspan(index, 1)},
          {v.format_b, v.block, std::span(v.codes_b).subspan(index * block, block),
           std::span(v.scale_b).subspan(index, 1)},
          v.acc_in[index],
          v.acc_out[index]};
}

std::vector<std::string> corner_cases(const VectorTarget& target) {
  std::vector<std::string> names;
  for_every_case(target, [&](std::string name, auto) { names.push_back(std::move(name)); });
  return names;
}

std::vector<size_t> reached_by(const VectorView& vector) {
  const Facts facts = facts_of(vector);
  std::vector<size_t> reached;
  size_t index = 0;
  for_every_case(vector.target, [&](const std::string&, auto matches) {
    if (matches(facts)) reached.push_back(index);
    ++index;
  });
  return reached;
}

int64_t Coverage::reached() const {
  return std::ranges::count_if(vectors, [](int64_t count) { return count > 0; });
}

std::vector<std::string> Coverage::missing() const {
  std::vector<std::string> names;
  for (size_t i = 0; i < cases.size(); ++i)
    if (vectors[i] == 0) names.push_back(cases[i]);
  return names;
}

Coverage coverage_of(const Vectors& v) {
  Coverage coverage{corner_cases({v.format_a, v.format_b, v.datapath}), {}};
  coverage.vectors.resize(coverage.cases.size());
  for (size_t i = 0; i < v.count(); ++i)
    for (size_t index : reached_by(view_of(v, i))) ++coverage.vectors[index];
  return coverage;
}

}  // namespace mxref
