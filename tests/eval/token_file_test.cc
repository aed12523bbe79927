#include "eval/tasks/token_file.h"

#include <boost/test/unit_test.hpp>

#include "emu/error.h"
#include "emu/files/safetensors.h"
#include "tests/hostile_safetensors.h"
#include "tests/temporary_folder.h"

using namespace mxref;

BOOST_AUTO_TEST_SUITE(token_file)

constexpr int64_t vocabulary = 320;

static void check_refused(const std::string& path, const std::string& part) {
  try {
    read_tokens(path, vocabulary);
    BOOST_ERROR("taken, where it should say: " << part);
  } catch (const InputError& e) {
    const std::string message = e.what();
    BOOST_TEST(message.starts_with(path), message);
    BOOST_TEST((message.find(part) != message.npos), "no '" << part << "' in: " << message);
  }
}

static std::string write_ids(const TemporaryFolder& folder, DType type, std::vector<int64_t> shape,
                             const std::vector<int64_t>& ids,
                             const std::string& name = "input_ids") {
  SafetensorsWriter writer;
  writer.add(name, type, std::move(shape), ids);
  writer.write(folder / "ids");
  return folder / "ids";
}

BOOST_AUTO_TEST_CASE(rows_are_those_of_the_tensor) {
  const TemporaryFolder folder;
  const auto rows =
      read_tokens(write_ids(folder, DType::I64, {2, 3}, {0, 1, 2, 319, 4, 5}), vocabulary);
  BOOST_CHECK((rows == std::vector<std::vector<int64_t>>{{0, 1, 2}, {319, 4, 5}}));
}

BOOST_AUTO_TEST_CASE(wrong_ids_are_refused_by_name) {
  const TemporaryFolder folder;
  const auto check = [&](DType type, std::vector<int64_t> shape, const std::vector<int64_t>& ids,
                         const std::string& part, const std::string& name = "input_ids") {
    check_refused(write_ids(folder, type, std::move(shape), ids, name), part);
  };
  check(DType::I64, {1, 2}, {1, 320}, "the token id 320 at index 1; the vocabulary is 0 … 319");
  check(DType::I64, {2, 1}, {1, -1}, "the token id -1 at index 1");
  check(DType::I64, {1, 1}, {INT64_MIN}, "-9223372036854775808");
  check(DType::I64, {2}, {1, 2}, "has shape (2), expected (B,T)");
  check(DType::F64, {1, 2}, {1, 2}, "is F64, expected I64");
  check(DType::I64, {1, 0}, {}, "at least one token");
  check(DType::I64, {0, 9}, {}, "at least one token");
  check(DType::I64, {1, 2}, {1, 2}, "has no tensor 'input_ids'", "ids");
}

BOOST_AUTO_TEST_CASE(every_damaged_file_is_refused) {
  const TemporaryFolder folder;
  for (const DamagedFile& damaged : damaged_safetensors())
    check_refused(folder.write("damaged", damaged.bytes), damaged.message);
  check_refused(folder / "absent", "cannot be read");
}

BOOST_AUTO_TEST_SUITE_END()
