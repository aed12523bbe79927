#define BOOST_TEST_MODULE long_suite
#include "tests/long/evidence.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "emu/error.h"
#include "emu/files/atomic_file.h"
#include "emu/files/json_file.h"
#include "emu/isa.h"
#include "emu/threads.h"
#include "tests/deep_json.h"
#include "tests/temporary_folder.h"

using namespace mxref;
using namespace mxref::long_suite;
using nlohmann::json;

namespace {

int64_t slices_run = 0;
bool control_caught = true;
int64_t bad_slice = -1;

// Three slices; the one that is `bad_slice` has a mismatch.
Part part() {
  return {"part",
          "a part of the test",
          3,
          [](int64_t slice) {
            ++slices_run;
            const bool bad = slice == bad_slice;
            return SliceResult{10, bad, bad ? "here" : ""};
          },
          [] { return control_caught; },
          false};
}

// The slices that a run computes, given the evidence that is in the folder.
int64_t slices_of_a_run(const TemporaryFolder& folder, const std::string& commit = "c0ffee") {
  slices_run = 0;
  BOOST_TEST(run_with_evidence(part(), folder.path(), commit));
  return slices_run;
}

void edit(const std::string& file, const std::string& field, const json& value) {
  json evidence = read_json_object(file);
  evidence[field] = value;
  write_atomically(file, evidence.dump());
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_part_goes_on_where_it_was_stopped) {
  const TemporaryFolder folder;
  BOOST_TEST(slices_of_a_run(folder) == 3);
  BOOST_TEST(slices_of_a_run(folder) == 0);
  edit(folder / "part.json", "done", 1);
  BOOST_TEST(slices_of_a_run(folder) == 2);
}

BOOST_AUTO_TEST_CASE(other_sources_instructions_or_slices_begin_again) {
  const TemporaryFolder folder;
  BOOST_TEST(slices_of_a_run(folder) == 3);
  BOOST_TEST(slices_of_a_run(folder, "another") == 3);
  // Two trees that differ from their commit need not be the same.
  for (const char* no_commit : {"c0ffee-dirty", "unknown"})
    for (int i = 0; i < 2; ++i) BOOST_TEST(slices_of_a_run(folder, no_commit) == 3);
  BOOST_TEST(slices_of_a_run(folder) == 3);
  edit(folder / "part.json", "isa", "another");
  BOOST_TEST(slices_of_a_run(folder) == 3);
  edit(folder / "part.json", "slices", 4);
  BOOST_TEST(slices_of_a_run(folder) == 3);
  write_atomically(folder / "part.json", "{}");
  BOOST_TEST(slices_of_a_run(folder) == 3);
  BOOST_TEST(slices_of_a_run(folder) == 0);
}

BOOST_AUTO_TEST_CASE(a_mismatch_or_a_control_that_is_not_caught_fails) {
  const TemporaryFolder folder;
  bad_slice = 1;
  BOOST_TEST(!run_with_evidence(part(), folder.path(), "c0ffee"));
  BOOST_TEST(!run_with_evidence(part(), folder.path(), "c0ffee"));  // it is in the evidence
  BOOST_TEST(read_json_object(folder / "part.json")["first_mismatch"] == "here");
  bad_slice = -1;
  control_caught = false;
  BOOST_TEST(!run_with_evidence(part(), folder.path(), "another"));
  control_caught = true;
  BOOST_TEST(run_with_evidence(part(), folder.path(), "another"));
}

BOOST_AUTO_TEST_CASE(damaged_evidence_is_refused_by_name) {
  const TemporaryFolder folder;
  const std::string file = folder / "part.json";
  slices_of_a_run(folder);
  const std::string whole = read_file(file);
  const auto check = [&] {
    BOOST_CHECK_EXCEPTION(
        run_with_evidence(part(), folder.path(), "c0ffee"), InputError,
        [&](const InputError& e) { return std::string(e.what()).starts_with(file); });
  };
  for (const std::string& text : {std::string("{"), std::string("[]"), deep_json("commit")}) {
    write_atomically(file, text);
    check();
  }
  for (const auto& [field, value] :
       std::initializer_list<std::pair<const char*, json>>{{"done", nullptr},
                                                           {"done", "3"},
                                                           {"done", -1},
                                                           {"done", 4},
                                                           {"seconds", "1"},
                                                           {"done", 1.5},
                                                           {"compared", {}},
                                                           {"first_mismatch", 0}}) {
    write_atomically(file, whole);
    edit(file, field, value);
    check();
  }
  write_atomically(file, whole);
  BOOST_TEST(slices_of_a_run(folder) == 0);
  BOOST_CHECK_THROW(run_with_evidence(part(), folder / "absent", "c0ffee"), InputError);
}
