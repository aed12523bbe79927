// Datapaths by name or as a JSON object.

#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>

#include "emu/datapaths.h"
#include "emu/files/json_file.h"

namespace mxref {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

struct KindName {
  std::string_view name;
  Accumulation kind;
};
constexpr std::array kinds{
    KindName{"fused", Accumulation::fused},
    KindName{"blockwise", Accumulation::blockwise},
    KindName{"sequential", Accumulation::sequential},
    KindName{"exact", Accumulation::exact},
    KindName{"aligned", Accumulation::aligned},
};

// A number of a description, and its limits (ARITHMETIC.md §4).
struct Parameter {
  std::string_view name;
  int Alignment::*member;
  int min, max;
};
constexpr std::array parameters{
    Parameter{"terms", &Alignment::terms, 1, 1024},
    Parameter{"group", &Alignment::group, 1, 1024},
    Parameter{"fraction_bits", &Alignment::fraction_bits, 1, 44},
    Parameter{"e_zero", &Alignment::e_zero, -1024, 1024},
};

[[noreturn]] void refuse(const std::string& what) {
  throw UsageError("described datapath: " + what);
}

const json& field(const json& object, std::string_view name) {
  const auto found = object.find(name);
  if (found == object.end())
    refuse("has no '" + std::string(name) +
           "'; expected such as {\"kind\":\"aligned\",\"terms\":32,"
           "\"group\":1,\"fraction_bits\":25,\"e_zero\":-133,\"output\":\"rz\"}");
  return *found;
}

// The row of `table` that the field names.
template <typename Table>
const auto& named(const Table& table, const json& object, std::string_view name) {
  const json& value = field(object, name);
  if (!value.is_string()) refuse("'" + std::string(name) + "' is " + shown(value) + ", no word");
  return find_by_name(table, std::string(name) + " of a datapath", value.get<std::string>());
}

int number(const json& object, const Parameter& p) {
  const json& value = field(object, p.name);
  // A json value above 2^63 would compare as a negative one.
  const bool is_huge = value.is_number_unsigned() && value.get<uint64_t>() > uint64_t(p.max);
  const bool good =
      value.is_number_integer() && !is_huge && value >= int64_t(p.min) && value <= int64_t(p.max);
  if (!good)
    refuse("'" + std::string(p.name) + "' is " + shown(value) + "; expected an integer from " +
           std::to_string(p.min) + " to " + std::to_string(p.max));
  return value.get<int>();
}

void refuse_unknown_fields(const json& object, bool is_aligned) {
  std::vector<std::string_view> valid{"kind", "ftz"};
  if (is_aligned) {
    for (const Parameter& p : parameters) valid.push_back(p.name);
    valid.push_back("output");
  }
  for (const auto& [name, value] : object.items())
    if (std::ranges::find(valid, name) == valid.end())
      throw UsageError(unknown_name("field of a described datapath", name, valid));
}

Datapath parse(const json& object) {
  Datapath d{.name = {}, .kind = named(kinds, object, "kind").kind, .source = "described"};
  refuse_unknown_fields(object, d.kind == Accumulation::aligned);
  if (const auto ftz = object.find("ftz"); ftz != object.end()) {
    if (!ftz->is_boolean()) refuse("'ftz' is " + shown(*ftz) + "; expected true or false");
    d.ftz = ftz->get<bool>();
  }
  if (d.kind != Accumulation::aligned) return d;
  for (const Parameter& p : parameters) d.alignment.*p.member = number(object, p);
  d.alignment.output = named(sum_roundings, object, "output").rounding;
  if (d.alignment.terms % d.alignment.group != 0)
    refuse("'group' " + std::to_string(d.alignment.group) + " does not divide 'terms' " +
           std::to_string(d.alignment.terms));
  return d;
}

// The object again, in one order and without what is not said.
std::string name_of(const Datapath& d) {
  ordered_json object;
  for (const KindName& row : kinds)
    if (row.kind == d.kind) object["kind"] = row.name;
  if (d.kind == Accumulation::aligned) {
    for (const Parameter& p : parameters) object[std::string(p.name)] = d.alignment.*p.member;
    for (const SumRoundingName& row : sum_roundings)
      if (row.rounding == d.alignment.output) object["output"] = row.name;
  }
  if (d.ftz) object["ftz"] = true;
  return object.dump();
}

// Those that were described, for as long as the program runs.
const Datapath& kept(const Datapath& d) {
  struct Described {
    std::string name;
    Datapath datapath;
  };
  static std::mutex mutex;
  static std::deque<Described> all;  // elements stay where they are
  const std::lock_guard lock(mutex);
  std::string name = name_of(d);
  for (const Described& row : all)
    if (row.name == name) return row.datapath;
  Described& added = all.emplace_back(Described{std::move(name), d});
  added.datapath.name = added.name;
  return added.datapath;
}

}  // namespace

const Datapath& datapath(std::string_view text) {
  if (!text.starts_with('{')) return find_by_name(datapaths, "datapath", text);
  try {
    return kept(parse(parse_json_object("described datapath", text)));
  } catch (const InputError& e) {  // of the text, which is an option's or a field's value
    throw UsageError(e.what());
  }
}

}  // namespace mxref
