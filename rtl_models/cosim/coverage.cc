#include "rtl_models/cosim/coverage.h"

#include <charconv>
#include <map>
#include <sstream>
#include <string>

#include "emu/error.h"

namespace mxref {
namespace {

[[noreturn]] void refuse() { throw InputError("is no coverage data of Verilator"); }

// A line is C '\1key\2value\1key\2value…' count. The key "page" names the kind of the point, "h"
// the instance.
struct Point {
  std::string kind;  // "v_line", "v_branch", "v_toggle" or "v_user"
  std::string identity;
  int64_t count = 0;
};

Point parse_point(std::string_view line) {
  Point point;
  const size_t end = line.rfind("' ");
  const std::string_view number = end == line.npos ? "" : line.substr(end + 2);
  const auto [stop, error] =
      std::from_chars(number.data(), number.data() + number.size(), point.count);
  if (!line.starts_with("C '\1") || error != std::errc() || stop != number.data() + number.size())
    refuse();
  for (std::string_view rest = line.substr(4, end - 4); !rest.empty();) {
    const std::string_view pair = rest.substr(0, rest.find('\1'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    if (pair.starts_with("h\2")) continue;
    if (pair.starts_with("page\2")) point.kind = pair.substr(5, pair.find('/') - 5);
    point.identity += pair;
  }
  return point;
}

}  // namespace

Coverage parse_coverage(const std::string& data) {
  std::map<std::string, std::map<std::string, int64_t>> counts;  // kind → point → count
  std::istringstream lines(data);
  std::string line;
  if (!std::getline(lines, line) || !line.starts_with("# SystemC::Coverage")) refuse();
  while (std::getline(lines, line)) {
    const Point point = parse_point(line);
    counts[point.kind == "v_branch" ? "v_line" : point.kind][point.identity] += point.count;
  }
  const auto reached = [&](const char* kind) {
    int64_t hit = 0;
    for (const auto& [identity, count] : counts[kind]) hit += count > 0;
    return counts[kind].empty() ? 0.0 : double(hit) / double(counts[kind].size());
  };
  return {reached("v_line"), reached("v_toggle"), reached("v_user")};
}

}  // namespace mxref
