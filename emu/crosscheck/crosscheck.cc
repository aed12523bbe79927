#include "emu/crosscheck/crosscheck.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <sstream>

#include "emu/capi/plugin_engine.h"
#include "emu/crosscheck/controls.h"
#include "emu/crosscheck/random_product.h"
#include "emu/crosscheck/state.h"
#include "emu/files/sha256.h"
#include "emu/gemm.h"
#include "emu/hex.h"
#include "emu/shell_word.h"

namespace mxref {
namespace {

// Random products of one pair of formats on one datapath, by level.
constexpr std::array<int64_t, 3> products_of_level{8, 128, 5120};
constexpr int64_t most_of_a_slow_engine = 512;

std::string hex(std::span<const uint8_t> bytes) {
  std::string text;
  for (uint8_t byte : bytes) text.append(to_hex(byte, 2)).push_back(' ');
  if (!text.empty()) text.pop_back();
  return text;
}
std::string hex(float x) { return to_hex(std::bit_cast<uint32_t>(x), 8); }

// A product, what it must give, and how to have it again.
struct Case {
  Case(const GivenProduct& of, const Datapath& on, uint64_t from_seed)
      : product(&of), datapath(&on), expected(size_t(of.a.rows() * of.b.rows())), seed(from_seed) {
    if (no_product(of.a.format(), of.b.format(), of.a.block(), on).empty())
      gemm_ref(of.a, of.b, on, of.c, expected);
  }
  const GivenProduct* product;
  const Datapath* datapath;
  std::vector<float> expected;  // (M,N)
  uint64_t seed;
};

std::string describe(const Case& test, const CrosscheckRow& row, size_t index, float got) {
  const MxTensor &a = test.product->a, &b = test.product->b;
  const auto m = int64_t(index) / b.rows(), n = int64_t(index) % b.rows();
  std::ostringstream text;
  text << row.implementation << ": " << row.format_a << " × " << row.format_b << " on "
       << row.datapath << ", " << row.source << " operands, seed " << test.seed << ", index (" << m
       << ", " << n << ") of (" << a.rows() << ", " << b.rows() << "), block " << a.block()
       << "\n  expected 0x" << hex(test.expected[index]) << ", got 0x" << hex(got)
       << (std::bit_cast<uint32_t>(got) == not_written ? ": the engine wrote nothing there" : "");
  const auto operand = [&](const char* name, const MxTensor& q, int64_t r) {
    text << "\n  " << name << " " << q.format().name << " pre-scale "
         << to_string(q.conversion.prescale) << " scales " << hex(q.row_scales(r)) << " codes "
         << hex(q.row_codes(r));
  };
  operand("a", a, m);
  operand("b", b, n);
  if (!test.product->c.empty()) text << "\n  c 0x" << hex(test.product->c[index]);
  if (row.source == "random")
    text << "\n  repeat: mxref crosscheck --impl " << shell_word(row.implementation) << " --format "
         << row.format_a << " --format-b " << row.format_b << " --datapath "
         << shell_word(row.datapath) << " --seed " << test.seed;
  return text.str();
}

// Lets `engine` compute the case and counts into `row`; the first mismatch of the row is described
// in `failures`.
void compare(Engine& engine, const Case& test, CrosscheckRow& row,
             std::vector<std::string>& failures) {
  const GivenProduct& product = *test.product;
  const std::string reason =
      refusal(engine, product.a.format(), product.b.format(), product.a.block(), *test.datapath);
  ++row.products;
  if (!reason.empty()) {
    if (row.refused++ == 0) row.reason = reason;
    return;
  }
  std::vector<float> d(test.expected.size(), std::bit_cast<float>(not_written));
  engine.multiply(product.a, *engine.prepare(product.b, *test.datapath), product.c, d);
  for (size_t i = 0; i < d.size(); ++i) {
    ++row.compared;
    if (std::bit_cast<uint32_t>(d[i]) == std::bit_cast<uint32_t>(test.expected[i])) continue;
    if (row.mismatches++ == 0) failures.push_back(describe(test, row, i, d[i]));
  }
}

template <typename Table>
auto all(const Table& table) {
  std::vector<const typename Table::value_type*> rows;
  rows.reserve(table.size());
  for (const auto& row : table) rows.push_back(&row);
  return rows;
}

struct Contestant {
  std::string name;
  std::unique_ptr<Engine> engine;
  bool is_slow = false;
};

class Crosscheck {
 public:
  Crosscheck(const EngineTable& engines, const CrosscheckOptions& options) : options_(options) {
    for (const EngineEntry& entry : engines)
      if (options.implementations.empty())
        engines_.push_back({entry.name, entry.make(), entry.is_slow});
    for (const std::string& name : options.implementations) {
      const EngineEntry entry = engine_entry(engines, name);
      engines_.push_back({name, entry.make(), entry.is_slow});
    }
    for (const EngineEntry& entry : control_engines()) {
      controls_.push_back({entry.name, entry.make()});
      report_.controls.push_back({entry.name, entry.what, true});
    }
    if (options.level < 1 || options.level > 3)
      throw UsageError("level " + std::to_string(options.level) + " is none of 1, 2, 3");
    products_ = products_of_level[size_t(options.level - 1)];
    if (!options.resume.empty())
      done_before_ = CrosscheckState(options.resume, state_key(), engine_names(), report_);
  }

  CrosscheckReport run() {
    const auto formats_a = options_.formats.empty() ? all(block_formats) : options_.formats;
    const auto formats_b = options_.formats_b.empty() ? formats_a : options_.formats_b;
    const auto paths = options_.datapaths.empty() ? all(datapaths) : options_.datapaths;
    std::string reason;  // why there is no product
    for (const Datapath* datapath : paths) {
      for (const BlockFormat* a : formats_a)
        for (const BlockFormat* b : formats_b) {
          const std::string none = no_product(*a, *b, a->block, *datapath);
          if (none.empty())
            total_ += products_;
          else
            reason = none;
        }
      total_ += int64_t(options_.given.size());
    }
    if (total_ == 0) throw UsageError("there is nothing to compare: " + reason);
    for (const Datapath* datapath : paths) {
      for (const BlockFormat* a : formats_a)
        for (const BlockFormat* b : formats_b) random_products(*a, *b, *datapath);
      for (const GivenProduct& product : options_.given) {
        begin_rows(product.source, product.a.format(), product.b.format(), *datapath);
        check({product, *datapath, options_.seed}, 0);
      }
    }
    for (const std::string& name : options_.implementations) require_some_product(name);
    return std::move(report_);
  }

 private:
  // An engine that was named must not pass for want of products.
  void require_some_product(const std::string& name) const {
    std::string reason;
    for (const CrosscheckRow& row : report_.rows) {
      if (row.implementation != name) continue;
      if (row.refused < row.products) return;
      reason = row.reason;
    }
    if (!reason.empty())
      throw UsageError("engine '" + name + "' takes none of these products: " + reason);
  }

  void begin_rows(const std::string& source, const BlockFormat& a, const BlockFormat& b,
                  const Datapath& datapath) {
    first_row_ = report_.rows.size();
    for (const Contestant& c : engines_)
      report_.rows.push_back(
          {c.name, source, std::string(a.name), std::string(b.name), std::string(datapath.name)});
  }

  // index: of the products of a pair.
  void check(const Case& test, int64_t index) {
    for (size_t i = 0; i < engines_.size(); ++i) {
      if (engines_[i].is_slow && index >= most_of_a_slow_engine) continue;
      compare(*engines_[i].engine, test, report_.rows[first_row_ + i], report_.failures);
    }
    if (test.product->source == "random")
      for (size_t i = 0; i < controls_.size(); ++i)
        if (control_rows_[i].mismatches == 0)
          compare(*controls_[i].engine, test, control_rows_[i], control_failures_);
    if (options_.progress) options_.progress(++done_, total_);
  }

  void random_products(const BlockFormat& a, const BlockFormat& b, const Datapath& datapath) {
    if (!no_product(a, b, a.block, datapath).empty()) return;
    if (done_before_ && done_before_->has(a, b, datapath)) {
      done_ += products_;
      return;
    }
    begin_rows("random", a, b, datapath);
    control_rows_.assign(controls_.size(), {});
    // The definition is slow: it computes some products at a time, a thread each.
    constexpr int64_t at_once = 64;
    for (int64_t first = 0; first < products_; first += at_once) {
      const auto count = size_t(std::min(at_once, products_ - first));
      std::vector<GivenProduct> products(count);
      std::vector<std::optional<Case>> cases(count);
#pragma omp parallel for schedule(dynamic)
      for (size_t i = 0; i < count; ++i) {
        const uint64_t seed = options_.seed + uint64_t(first) + i;
        products[i] = random_product(a, b, seed);
        cases[i].emplace(products[i], datapath, seed);
      }
      for (size_t i = 0; i < count; ++i) check(*cases[i], first + int64_t(i));
    }
    for (size_t i = 0; i < controls_.size(); ++i)
      report_.controls[i].caught &= control_rows_[i].mismatches > 0;
    if (done_before_) done_before_->keep(report_);
  }

  std::vector<std::string> engine_names() const {
    std::vector<std::string> names;
    for (const Contestant& c : engines_) names.push_back(c.name);
    return names;
  }

  // What the results of a run depend on: of a plugin, that its file is the same.
  std::string state_key() const {
    std::string key = options_.resume_key + "; level " + std::to_string(options_.level) +
                      ", seed " + std::to_string(options_.seed) + "; engines";
    for (const Contestant& c : engines_) {
      key += " " + c.name;
      if (c.name.starts_with(plugin_prefix))
        key += " (" + sha256_of_file(c.name.substr(plugin_prefix.size())).substr(0, 16) + ")";
    }
    const auto add = [&](const char* what, const auto& chosen) {
      key += what;
      for (const auto* row : chosen) key += " " + std::string(row->name);
      if (chosen.empty()) key += " all";
    };
    add("; formats", options_.formats);
    add("; formats of b", options_.formats_b);
    add("; datapaths", options_.datapaths);
    return key;
  }

  const CrosscheckOptions& options_;
  std::vector<Contestant> engines_, controls_;
  int64_t products_ = 0;
  std::optional<CrosscheckState> done_before_;
  int64_t done_ = 0, total_ = 0;
  size_t first_row_ = 0;
  std::vector<CrosscheckRow> control_rows_;    // of the present pair of formats
  std::vector<std::string> control_failures_;  // expected, and not reported
  CrosscheckReport report_;
};

}  // namespace

bool CrosscheckReport::passed() const {
  return std::any_of(rows.begin(), rows.end(), [](auto& row) { return row.compared > 0; }) &&
         std::all_of(rows.begin(), rows.end(), [](auto& row) { return row.mismatches == 0; }) &&
         std::all_of(controls.begin(), controls.end(), [](auto& c) { return c.caught; });
}

CrosscheckReport crosscheck(const EngineTable& engines, const CrosscheckOptions& options) {
  return Crosscheck(engines, options).run();
}

}  // namespace mxref
