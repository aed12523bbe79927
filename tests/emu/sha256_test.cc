#include "emu/files/sha256.h"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "emu/error.h"
#include "emu/files/atomic_file.h"

using namespace mxref;

BOOST_AUTO_TEST_SUITE(sha256_hash)

BOOST_AUTO_TEST_CASE(vectors_of_fips_180) {
  BOOST_TEST(sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  BOOST_TEST(sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  BOOST_TEST(sha256(std::string(1000000, 'a')) ==
             "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

BOOST_AUTO_TEST_CASE(a_file_has_the_hash_of_its_bytes) {
  const auto path = std::filesystem::temp_directory_path() / ("sha256-" + std::to_string(getpid()));
  const std::string text(200001, 'x');  // several pieces, the last one short
  write_atomically(path, text);
  BOOST_TEST(sha256_of_file(path) == sha256(text));
  std::filesystem::remove(path);
  BOOST_CHECK_THROW(sha256_of_file(path), InputError);
  BOOST_CHECK_THROW(sha256_of_file(std::filesystem::temp_directory_path()), InputError);
}

BOOST_AUTO_TEST_SUITE_END()
