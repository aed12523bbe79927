#include "eval/report/crosscheck_results.h"

namespace mxref {

using nlohmann::ordered_json;

std::vector<ordered_json> crosscheck_results(const CrosscheckReport& report) {
  std::vector<ordered_json> results;
  for (const CrosscheckRow& row : report.rows) {
    results.push_back({{"task", "crosscheck"},
                       {"implementation", row.implementation},
                       {"source", row.source},
                       {"format_a", row.format_a},
                       {"format_b", row.format_b},
                       {"datapath", row.datapath},
                       {"compared", row.compared},
                       {"mismatches", row.mismatches}});
    if (row.refused == 0) continue;
    results.back().update(
        {{"products", row.products}, {"products_refused", row.refused}, {"refused", row.reason}});
  }
  for (const CrosscheckControl& control : report.controls)
    results.push_back({{"task", "control"},
                       {"name", control.name},
                       {"what", control.what},
                       {"caught", control.caught}});
  return results;
}

}  // namespace mxref
