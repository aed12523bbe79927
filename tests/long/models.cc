// The 0.5B model against what transformers computed, and the memory of every method.

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "emu/error.h"
#include "emu/files/atomic_file.h"
#include "emu/files/json_file.h"
#include "eval/child_process.h"
#include "ptq/method.h"
#include "tests/long/long_suite.h"

namespace mxref::long_suite {
namespace {

namespace fs = std::filesystem;

const fs::path build = MXREF_BINARY_DIR;

// The cases of test_qwen25_coder that have a label; what is compared are its assertions.
SliceResult run_cases(const std::string& label) {
  const fs::path said = build / "tests" / "long" / "said-models";
  const int status = run_program(
      {build / "bin" / "test_qwen25_coder", "--run_test=@" + label, "--report_level=short"}, said);
  const std::string text = read_file(said);
  std::smatch found;
  static const std::regex assertions("([0-9]+) assertions? out of");
  const int64_t compared = std::regex_search(text, found, assertions) ? std::stoll(found[1]) : 0;
  return {compared, status != 0 || compared == 0, status != 0 || compared == 0 ? text : ""};
}

struct Limit {
  const char* model;
  double peak_bytes;
};
constexpr Limit limits[] = {{"smollm2", 3e9}, {"qwen2.5-coder-0.5b", 10e9}};

// `mxref ptq` at w4a4 on its default amount of text, a learner for one step: what is kept does not
// grow with their number. One result: whether it was done below the limit.
SliceResult run_method(const Method& method, const Limit& limit, double allowed) {
  const fs::path folder = build / "tests" / "long" / "methods";
  fs::remove_all(folder);
  fs::create_directories(folder);
  std::vector<std::string> words{build / "bin" / "mxref",
                                 "ptq",
                                 "--model",
                                 limit.model,
                                 "--method",
                                 std::string(method.name),
                                 "--recipe",
                                 "w4a4",
                                 "--out",
                                 folder / "model",
                                 "--json",
                                 folder / "record.json"};
  if (method.needs_calibration()) words.insert(words.end(), {"--calibration", "calibration"});
  for (const MethodOption& option : method.options())
    if (option.name == "steps" || option.name == "epochs")
      words.insert(words.end(), {"--option", std::string(option.name) + "=1"});
  const int status = run_program(words, folder / "said");
  const std::string what = fmt::format("{} of {}: ", method.name, limit.model);
  if (status != 0) return {1, 1, what + read_file(folder / "said")};
  const auto result = read_json_object(folder / "record.json")["results"][0];
  const double peak = result["peak_memory_bytes"];
  const std::string found =
      what + fmt::format("peak {:.2f} GB, {:.0f} s", peak / 1e9, result["seconds"].get<double>());
  fmt::print("  {}\n", found);
  return {1, peak > allowed, peak > allowed ? found : ""};
}

}  // namespace

Part methods_part() {
  static const std::vector<Method>& methods = all_methods();
  return {"methods",
          "every method on both models at w4a4: below 3 GB and 10 GB",
          int64_t(methods.size() * std::size(limits)),
          [](int64_t slice) {
            const Limit& limit = limits[size_t(slice) / methods.size()];
            return run_method(methods[size_t(slice) % methods.size()], limit, limit.peak_bytes);
          },
          [] { return run_method(method("rtn"), limits[0], 1e6).mismatches == 1; },
          false};
}

Part models_part() {
  return {"models",
          "Qwen2.5-Coder-0.5B against transformers: 1024 tokens, every prompt, by either rest",
          1,
          [](int64_t) { return run_cases("long"); },
          [] {
            const SliceResult planted = run_cases("control");
            return planted.compared > 0 && planted.mismatches > 0;
          },
          false};
}

}  // namespace mxref::long_suite
