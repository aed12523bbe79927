// Files of benchmark items, JSON lines or gzip: of the task that the first byte chooses, the lines,
// and behind the first '\0' the labels beside them.

#include "eval/tasks/choice_tasks.h"
#include "tests/fuzz/fuzz.h"

using namespace mxref;

void fuzz_one(std::string_view bytes) {
  if (bytes.empty()) return;
  const auto tasks = choice_tasks();
  const ChoiceTask& task = tasks[uint8_t(bytes[0]) % tasks.size()];
  bytes.remove_prefix(1);
  const bool is_gzip = bytes.starts_with("\x1f\x8b");
  fuzz::put("items.jsonl", is_gzip ? bytes : fuzz::next_part(bytes));
  fuzz::put("items-labels.lst", is_gzip ? "0\n" : bytes);
  fuzz::read_or_refuse(
      [&] { read_choice_items(task, (fuzz::folder() / "items.jsonl").string(), 0); });
}
