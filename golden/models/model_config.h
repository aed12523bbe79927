#pragma once
// config.json, read strictly: what a family reads is checked, and what nobody reads is refused
// unless it is known to change nothing.

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "golden/checkpoint/checkpoint.h"
#include "golden/models/decoder_description.h"

namespace mxref {

// Every function throws InputError that names the file, the field, and what was expected.
class ModelConfig {
 public:
  // The fields of a nested text_config count as the configuration's own.
  explicit ModelConfig(const Checkpoint& checkpoint);

  int64_t integer(const std::string& field);  // 1 … 2^24
  int64_t integer(const std::string& field, int64_t absent);
  double number(const std::string& field);  // above zero
  double number(const std::string& field, double absent);
  bool flag(const std::string& field, bool absent);
  std::string text(const std::string& field, const std::string& absent);
  std::vector<std::string> texts(const std::string& field);  // () where absent

  // Refuses any other value of a field than the one that is computed here.
  void require_text(const std::string& field, const std::vector<std::string>& computed);
  void require_number(const std::string& field, double computed);

  // rope_theta, rope_scaling, rope_parameters, partial_rotary_factor. Without an `absent_theta`,
  // rope_theta is needed.
  Rope rope(std::optional<double> absent_theta);

  // Refuses the fields that nothing has read, unless they are harmless, null or false.
  void refuse_the_rest() const;

  [[noreturn]] void fail(const std::string& field, const std::string& reason) const;

 private:
  ModelConfig(std::string file, std::string prefix, nlohmann::json fields);
  const nlohmann::json* find(
      const std::string& field);  // marks it as read; nullptr where absent or null
  const nlohmann::json& need(const std::string& field);
  void check_own(const nlohmann::json& value) const;

  std::string file_;
  std::string prefix_;  // of nested fields, for messages
  nlohmann::json fields_;
  std::set<std::string> read_;
};

}  // namespace mxref
