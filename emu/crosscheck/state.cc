#include "emu/crosscheck/state.h"

#include <nlohmann/json.hpp>

#include "emu/files/atomic_file.h"
#include "emu/files/json_file.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;

constexpr const char* damaged = ": not a crosscheck's state, or damaged; remove it to start anew";

constexpr const char* schema = "mxref/crosscheck-state/1";

std::string name_of(std::string_view a, std::string_view b, std::string_view datapath) {
  return std::string(a) + " " + std::string(b) + " " + std::string(datapath);
}

CrosscheckRow row_of(const nlohmann::json& x) {
  return {x.at("implementation"), x.at("source"),   x.at("format_a"),   x.at("format_b"),
          x.at("datapath"),       x.at("compared"), x.at("mismatches"), x.at("products"),
          x.at("refused"),        x.at("reason")};
}

ordered_json json_of(const CrosscheckRow& row) {
  return {{"implementation", row.implementation},
          {"source", row.source},
          {"format_a", row.format_a},
          {"format_b", row.format_b},
          {"datapath", row.datapath},
          {"compared", row.compared},
          {"mismatches", row.mismatches},
          {"products", row.products},
          {"refused", row.refused},
          {"reason", row.reason}};
}

}  // namespace

CrosscheckState::CrosscheckState(std::filesystem::path file, std::string key,
                                 const std::vector<std::string>& engines, CrosscheckReport& report)
    : file_(std::move(file)), key_(std::move(key)) {
  if (!std::filesystem::exists(file_)) return;
  const nlohmann::json state = read_json_object(file_);
  try {
    if (state.at("schema") != schema)
      throw InputError(file_.string() + ": not a crosscheck's state");
    if (const std::string other = state.at("key"); other != key_)
      throw InputError(file_.string() + ": of another run; remove it to start anew\n  it has   " +
                       other + "\n  this run " + key_);
    for (const nlohmann::json& row : state.at("rows")) report.rows.push_back(row_of(row));
    bool is_whole = report.rows.size() % engines.size() == 0;
    for (size_t i = 0; i < report.rows.size() && is_whole; ++i) {
      const CrosscheckRow& r = report.rows[i];
      const std::string name = name_of(r.format_a, r.format_b, r.datapath);
      const bool is_first = i % engines.size() == 0;
      is_whole = r.implementation == engines[i % engines.size()] &&
                 is_first == !done_.contains(name) && 0 <= r.mismatches &&
                 r.mismatches <= r.compared && 0 <= r.refused && r.refused <= r.products &&
                 (r.compared > 0) == (r.refused < r.products);
      done_.insert(name);
    }
    if (!is_whole) throw InputError(file_.string() + damaged);
    for (CrosscheckControl& control : report.controls)
      control.caught = state.at("controls").at(control.name);
    report.failures = state.at("failures").get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception&) {
    throw InputError(file_.string() + damaged);
  }
}

bool CrosscheckState::has(const BlockFormat& a, const BlockFormat& b,
                          const Datapath& datapath) const {
  return done_.contains(name_of(a.name, b.name, datapath.name));
}

void CrosscheckState::keep(const CrosscheckReport& report) const {
  ordered_json state{{"schema", schema}, {"key", key_}};
  state["rows"] = ordered_json::array();
  for (const CrosscheckRow& row : report.rows)
    if (row.source == "random") state["rows"].push_back(json_of(row));
  for (const CrosscheckControl& control : report.controls)
    state["controls"][control.name] = control.caught;
  state["failures"] = report.failures;
  write_atomically(file_, state.dump(1) + "\n");
}

}  // namespace mxref
