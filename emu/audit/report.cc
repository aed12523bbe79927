#include "emu/audit/report.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

namespace mxref {
namespace {

constexpr size_t none = SIZE_MAX;

// A result that differs, and the hypotheses that give it.
struct Difference {
  std::optional<DifferenceClass> plain;
  DifferenceClass remaining = DifferenceClass::other;
  std::vector<bool> given_by;
};
// A unit that differs.
struct Failing {
  FailingUnit place;
  std::vector<Difference> differences;
  std::vector<bool> whole;  // hypotheses that give all of the unit
};

class Reporter {
 public:
  explicit Reporter(const AuditCases& cases) : cases_(cases) {
    if (!cases.empty()) hypotheses_ = cases.front()->hypotheses();
  }

  AuditReport run() {
    compare();
#pragma omp parallel for schedule(dynamic)
    for (size_t i = 0; i < failing_.size(); ++i) try_hypotheses(failing_[i]);
    if (!failing_.empty()) {
      explain();
      classify();
      find_smallest();
    }
    return std::move(report_);
  }

 private:
  void compare() {
    double sum = 0;
    int64_t numbers = 0;
    for (size_t c = 0; c < cases_.size(); ++c)
      for (int64_t u = 0; u < cases_[c]->units(); ++u) {
        const AuditUnit unit = cases_[c]->unit(u);
        report_.compared += int64_t(unit.expected.size());
        if (unit.differs()) failing_.push_back({{c, u}, {}, {}});
        for (size_t place = 0; place < unit.expected.size(); ++place) {
          report_.different += unit.expected[place] != unit.got[place];
          const auto error = cases_[c]->error_ulp(unit, place);
          if (!error) {
            report_.without_ulp += unit.expected[place] != unit.got[place];
            continue;
          }
          ++numbers;
          sum += *error;
          report_.max_ulp = std::max(report_.max_ulp, *error);
        }
      }
    if (numbers > 0) report_.mean_ulp = sum / double(numbers);
  }

  void try_hypotheses(Failing& failing) const {
    const AuditCase& of = *cases_[failing.place.in_case];
    const AuditUnit unit = of.unit(failing.place.unit);
    std::vector<size_t> places;
    for (size_t place = 0; place < unit.expected.size(); ++place) {
      if (unit.expected[place] == unit.got[place]) continue;
      places.push_back(place);
      failing.differences.push_back(
          {of.plain_class(unit, place), of.remaining_class(unit, place), {}});
    }
    for (size_t h = 0; h < hypotheses_.size(); ++h) {
      const std::vector<bool> gives = of.gives(h, failing.place.unit);
      failing.whole.push_back(std::ranges::all_of(gives, std::identity()));
      for (size_t i = 0; i < places.size(); ++i)
        failing.differences[i].given_by.push_back(gives[places[i]]);
    }
  }

  // Hypotheses that explain everything, then the others in the order of how many differences they
  // give that are not plain, of equals the first of the table; behind them those that are two
  // faults at once.
  std::vector<size_t> ranking() const {
    std::vector<int64_t> given(hypotheses_.size());
    for (const Failing& failing : failing_)
      for (const Difference& d : failing.differences)
        for (size_t h = 0; h < hypotheses_.size() && !d.plain; ++h) given[h] += d.given_by[h];
    std::vector<size_t> order(hypotheses_.size());
    std::iota(order.begin(), order.end(), size_t(0));
    const auto rank = [&](size_t h) {
      const bool explains =
          std::ranges::count(report_.explanations, hypotheses_[h].name, &Hypothesis::name) > 0;
      return std::tuple(hypotheses_[h].is_combined, !explains, -given[h]);
    };
    std::ranges::stable_sort(order, {}, rank);
    return order;
  }

  void classify() {
    const std::vector<size_t> order = ranking();
    std::map<std::pair<DifferenceClass, size_t>, int64_t> counts;
    for (const Failing& failing : failing_)
      for (const Difference& d : failing.differences) {
        const auto h = std::ranges::find_if(order, [&](size_t row) { return d.given_by[row]; });
        if (d.plain)
          ++counts[{*d.plain, none}];
        else if (h != order.end())
          ++counts[{hypotheses_[*h].difference, *h}];
        else
          ++counts[{d.remaining, none}];
      }
    for (const auto& [key, count] : counts) {
      const auto [difference, h] = key;
      report_.rows.push_back({difference, h == none ? "" : hypotheses_[h].name,
                              h == none ? "" : hypotheses_[h].what, count});
    }
    std::ranges::stable_sort(report_.rows, std::ranges::greater(), &ClassRow::count);
  }

  void explain() {
    for (size_t h = 0; h < hypotheses_.size(); ++h)
      if (std::ranges::all_of(failing_, [&](auto& failing) { return failing.whole[h]; }) &&
          gives_the_rest(h))
        report_.explanations.push_back(hypotheses_[h]);
  }
  bool gives_the_rest(size_t h) const {
    for (const auto& of : cases_)
      for (int64_t u = 0; u < of->units(); ++u)
        if (!std::ranges::all_of(of->gives(h, u), std::identity())) return false;
    return true;
  }

  void find_smallest() {
    int64_t least = INT64_MAX;
    for (const Failing& failing : failing_) {
      const int64_t size = cases_[failing.place.in_case]->input_size(failing.place.unit);
      if (size >= least ||
          !differs_as(report_.rows.front(), *cases_[failing.place.in_case], failing.place.unit))
        continue;
      least = size;
      report_.smallest = failing.place;
    }
  }

  const AuditCases& cases_;
  std::vector<Hypothesis> hypotheses_;
  std::vector<Failing> failing_;
  AuditReport report_;
};

}  // namespace

bool differs_as(const ClassRow& row, const AuditCase& of, int64_t index) {
  const AuditUnit unit = of.unit(index);
  const std::vector<Hypothesis> hypotheses = of.hypotheses();
  const auto h = std::ranges::find(hypotheses, row.hypothesis, &Hypothesis::name);
  const std::vector<bool> gives = h == hypotheses.end()
                                      ? std::vector<bool>(unit.got.size(), true)
                                      : of.gives(size_t(h - hypotheses.begin()), index);
  for (size_t place = 0; place < unit.got.size(); ++place) {
    if (unit.expected[place] == unit.got[place] || !gives[place]) continue;
    const auto plain = of.plain_class(unit, place);
    if (h == hypotheses.end() ? plain.value_or(of.remaining_class(unit, place)) == row.difference
                              : !plain)
      return true;
  }
  return false;
}

AuditReport make_report(const AuditCases& cases) { return Reporter(cases).run(); }

}  // namespace mxref
