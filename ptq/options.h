#pragma once
// Hyper-parameters of methods: rows with their published defaults, and what was asked for.

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mxref {

struct MethodOption {
  enum class Kind : uint8_t { number, integer, flag, choice };
  std::string_view name;
  Kind kind;
  std::string_view default_value;  // "0.01", "true", "dynamic"
  double least = 0, most = 0;      // of numbers
  std::string_view choices = "";   // "dynamic static"
  std::string_view what = "";
};

// The options of a method with the values that hold.
class OptionValues {
 public:
  // Throws UsageError for a name that no row has, or a value that its row does not take.
  OptionValues(std::vector<MethodOption> rows, const std::map<std::string, std::string>& given);

  double number(std::string_view name) const;
  int64_t integer(std::string_view name) const;
  bool flag(std::string_view name) const;
  const std::string& choice(std::string_view name) const;
  nlohmann::ordered_json to_json() const;  // all of them, as records hold them

 private:
  const std::string& text(std::string_view name) const;
  std::vector<MethodOption> rows_;
  std::map<std::string, std::string, std::less<>> values_;
};

}  // namespace mxref
