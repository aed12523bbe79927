// mxref assets: lists and fetches models, texts and tasks.

#include "eval/assets/assets.h"

#include <fmt/format.h>

#include "emu/files/atomic_file.h"
#include "eval/cli/command.h"
#include "eval/cli/options.h"
#include "eval/report/record.h"

namespace mxref {
namespace {

using Names = std::vector<std::string>;

void list(const Names& names, Record& record) {
  if (!names.empty()) throw UsageError("list takes no names; unexpected '" + names.front() + "'");
  constexpr double megabyte = 1e6;
  constexpr const char* line = "{:<18}  {:<7} {:>8}  {}\n";
  fmt::print(line, "name", "present", "download", "what; licence");
  for (const Asset& a : assets) {
    fmt::print(line, a.name, is_present(a) ? "yes" : "no",
               fmt::format("{:.1f} MB", double(a.download_bytes()) / megabyte), a.what);
    fmt::print(line, "", "", "", a.licence);
    record.add({{"name", a.name},
                {"what", a.what},
                {"licence", a.licence},
                {"download_bytes", a.download_bytes()},
                {"present", is_present(a)}});
  }
  fmt::print("\nin {}; to get one: mxref assets get NAME\n", cache_folder().string());
}

void get(const Names& names, Record& record) {
  if (names.empty()) throw UsageError("get needs a name; valid: " + names_of(assets));
  for (const std::string& name : names) asset(name);  // all names are good before the first is got
  for (const std::string& name : names) {
    const Asset& a = asset(name);
    const bool fetched = fetch(a);
    fmt::print("{}: {} {}; licence: {}\n", name,
               fetched ? "fetched into" : "is there already:", (cache_folder() / name).string(),
               a.licence);
    record.add({{"name", name}, {"licence", a.licence}, {"fetched", fetched}});
  }
}

struct AssetAction {
  std::string_view name;
  void (*run)(const Names& names, Record& record);
};
constexpr std::array actions{AssetAction{"list", list}, AssetAction{"get", get}};

int assets_command(const Names& words, const std::filesystem::path& json) {
  require_writable(json);
  Record record("assets");
  const AssetAction& action =
      words.empty() ? actions[0] : find_by_name(actions, "action", words[0]);
  action.run(words.empty() ? Names{} : Names{words.begin() + 1, words.end()}, record);
  record.write(json);
  return exit_good;
}

}  // namespace

Action define_assets(CLI::App& app, const Context&) {
  auto words = std::make_shared<Names>();
  auto json = std::make_shared<std::filesystem::path>();
  app.add_option("action", *words, "list (default), or get and names: " + names_of(assets))
      ->type_name("[list | get NAME ...]");
  app.footer(
      "Assets lie in the folder that the environment variable MXREF_CACHE names (default "
      "~/.cache/mxref).");
  add_json(app, *json);
  return [words, json] { return assets_command(*words, *json); };
}

}  // namespace mxref
