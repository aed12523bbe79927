#include "rtl_models/cosim/coverage.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "emu/error.h"

namespace mxref {
namespace {

// Modules whose corners depend on parameters of the model that Verilator's page does not name, such
// as FTZ: they are points of their own in each model.
constexpr std::array<std::string_view, 4> corners_of_a_datapath{
    "mx_pe_corners", "mx_pe_exact_corners", "mx_pe_aligned_corners", "mx_exact_round_corners"};

[[noreturn]] void refuse() { throw InputError("is no coverage data of Verilator"); }

// A line is C '\1key\2value\1key\2value…' count. The key "page" names the kind of the point, "f"
// the file, "o" the signal or branch, "h" the instance.
struct Point {
  std::string kind;  // "v_line", "v_branch", "v_toggle" or "v_user"
  std::string file, module, object;
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
    if (pair.starts_with("page\2")) {
      const size_t slash = std::min(pair.find('/'), pair.size() - 1);
      point.kind = pair.substr(5, slash - 5);
      point.module = pair.substr(slash + 1, pair.find("__") - slash - 1);
      continue;
    }
    if (pair.starts_with("f\2")) point.file = pair.substr(pair.rfind('/') + 1);
    if (pair.starts_with("o\2")) point.object = pair.substr(2);
    point.identity += pair;
  }
  return point;
}

// "word[3][4-7]" → {3, 3}, {4, 7}.
struct Range {
  int first = 0, last = 0;
};
std::vector<Range> indexes_of(std::string_view object) {
  std::vector<Range> indexes;
  const char* const end = object.data() + object.size();
  for (size_t at = object.find('['); at != object.npos; at = object.find('[', at + 1)) {
    Range range;
    const char* stop = std::from_chars(object.data() + at + 1, end, range.first).ptr;
    range.last = range.first;
    if (stop != end && *stop == '-') std::from_chars(stop + 1, end, range.last);
    indexes.push_back(range);
  }
  return indexes;
}

// Whether a waiver names this point.
bool names(const CoverageWaiver& waiver, const Point& point) {
  if (point.kind != "v_toggle" || (waiver.file != "*" && point.file != waiver.file)) return false;
  const auto name = [](std::string_view object) { return object.substr(0, object.find('[')); };
  if (name(waiver.object) != name(point.object)) return false;
  const std::vector<Range> waived = indexes_of(waiver.object), of_point = indexes_of(point.object);
  for (size_t i = 0; i < waived.size(); ++i) {
    if (i == of_point.size()) return false;
    if (of_point[i].first < waived[i].first || of_point[i].first > waived[i].last) return false;
  }
  return true;
}

}  // namespace

Coverage parse_coverage(const std::string& data, std::span<const CoverageWaiver> waivers,
                        std::vector<std::string>* unsound) {
  constexpr std::string_view head = "# SystemC::Coverage";
  std::map<std::string, std::map<std::string, Point>> points;  // kind → identity → point
  std::istringstream lines(data);
  std::string line;
  int models = 0;
  if (!data.starts_with(head)) refuse();
  while (std::getline(lines, line)) {
    if (line.starts_with(head)) {
      ++models;
      continue;
    }
    Point point = parse_point(line);
    if (std::ranges::find(corners_of_a_datapath, point.module) != corners_of_a_datapath.end())
      point.identity += std::to_string(models);
    points[point.kind == "v_branch" ? "v_line" : point.kind]
        .try_emplace(point.identity, Point{point.kind, point.file, {}, point.object, {}, 0})
        .first->second.count += point.count;
  }
  Coverage coverage;
  for (const CoverageWaiver& waiver : waivers) {
    auto& toggles = points["v_toggle"];
    const size_t before = toggles.size();
    bool reached = false;
    std::erase_if(toggles, [&](const auto& entry) {
      const bool is_named = names(waiver, entry.second);
      reached |= is_named && entry.second.count > 0;
      return is_named && entry.second.count == 0;
    });
    coverage.waived += int64_t(before - toggles.size());
    if (unsound && (reached || before == toggles.size()))
      unsound->push_back(std::string(waiver.file) + " " + std::string(waiver.object) +
                         (reached ? ": a point was reached" : ": no such point"));
  }
  const auto reached = [&](const char* kind) -> std::optional<double> {
    if (points[kind].empty()) return std::nullopt;
    int64_t hit = 0;
    for (const auto& [identity, point] : points[kind]) hit += point.count > 0;
    return double(hit) / double(points[kind].size());
  };
  coverage.line = reached("v_line");
  coverage.toggle = reached("v_toggle");
  coverage.functional = reached("v_user");
  return coverage;
}

}  // namespace mxref
