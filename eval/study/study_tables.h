#pragma once
// The record of a study as tables.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace mxref {

// The rows of one model under one recipe, behind that of fp32.
struct StudyGroup {
  std::string model, recipe;
  const nlohmann::ordered_json* reference;  // null where it failed
  std::vector<const nlohmann::ordered_json*> rows;
  std::vector<const nlohmann::ordered_json*> replicates;  // of its rows that differ in their seed
  // The columns by which its rows differ, besides the method.
  bool scale_rules = false, datapaths = false, calibrations = false, seeds = false;
  bool noise = false;
};
std::vector<StudyGroup> groups_of(const nlohmann::ordered_json& record);

// "gptq even fused": what a row is within its group.
std::string label_of(const StudyGroup& group, const nlohmann::ordered_json& row);

struct StudyColumn {
  std::string title;
  bool number = true;
};
struct StudyTable {
  std::string caption;
  std::vector<StudyColumn> columns;
  std::vector<std::vector<std::string>> rows;
};
// Figures of a group; what is not distinguishable from fp32 is marked by "≈". Behind the cells that
// differ in their seed stands a row of their spread.
StudyTable table_of(const StudyGroup& group);
// Statistics of blocks, place by place: of the unchanged model, and behind each change that another
// one has not made; no rows where there are none.
StudyTable statistics_of(const StudyGroup& group);
// Accuracy beside the area of an element; no rows where there is none.
StudyTable areas_of(const StudyGroup& group);

}  // namespace mxref
