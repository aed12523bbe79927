#include "emu/files/safetensors.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <random>

#include "emu/error.h"
#include "emu/files/quantized.h"
#include "emu/files/sha256.h"
#include "emu/quantize.h"
#include "tests/hostile_safetensors.h"
#include "tests/temporary_folder.h"

using namespace mxref;

BOOST_AUTO_TEST_SUITE(safetensors)

// A small file of the writer: two tensors of different types, and metadata.
static std::string good_file(const TemporaryFolder& folder) {
  const std::string path = folder / "good.safetensors";
  SafetensorsWriter writer;
  const std::vector<float> a = {1, 2, 3, 4, 5, 6};
  const std::vector<uint8_t> b = {1, 2, 3, 4, 5};
  writer.add("a", DType::F32, {2, 3}, a);
  writer.add("b", DType::U8, {5}, b);
  writer.set_metadata("key", "value");
  writer.write(path);
  return path;
}

// Reads all that the header allows, so that the sanitizers see a range outside the file.
static void read_all(const std::string& path) {
  const SafetensorsFile file = SafetensorsFile::open(path);
  unsigned sum = 0;
  for (const TensorView& t : file.tensors())
    for (std::byte b : t.bytes) sum += unsigned(b);
  BOOST_TEST(sum < 1u << 30);
  for (const std::string& name : quantized_names(file)) try {
      read_quantized(file, name);
    } catch (const InputError&) {
    }
}

BOOST_AUTO_TEST_CASE(what_was_written_is_read) {
  const TemporaryFolder folder;
  const SafetensorsFile file = SafetensorsFile::open(good_file(folder));
  BOOST_TEST(file.tensors().size() == 2u);
  BOOST_TEST(to_binary32(file, file.at("a")) == (std::vector<float>{1, 2, 3, 4, 5, 6}));
  BOOST_TEST(file.at("b").shape == std::vector<int64_t>{5});
  BOOST_TEST(file.metadata().at("key") == "value");
  BOOST_CHECK_THROW(file.at("c"), InputError);
  BOOST_CHECK_THROW(to_binary32(file, file.at("b")), InputError);
}

BOOST_AUTO_TEST_CASE(every_damage_is_refused_by_name) {
  const TemporaryFolder folder;
  for (const DamagedFile& damaged : damaged_safetensors()) {
    const std::string path = folder / damaged.name;
    write_atomically(path, damaged.bytes);
    try {
      SafetensorsFile::open(path);
      BOOST_ERROR(damaged.name << " was accepted");
    } catch (const InputError& e) {
      const std::string message = e.what();
      BOOST_TEST(message.starts_with(path), damaged.name << ": " << message);
      BOOST_TEST((message.find(damaged.message) != message.npos), damaged.name << ": " << message);
      BOOST_TEST(message.size() < 1000u);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_file_cut_anywhere_is_refused) {
  const TemporaryFolder folder;
  const std::string bytes = read_file(good_file(folder)), path = folder / "cut.safetensors";
  for (size_t length = 0; length < bytes.size(); ++length) {
    write_atomically(path, bytes.substr(0, length));
    BOOST_CHECK_THROW(SafetensorsFile::open(path), InputError);
  }
  write_atomically(path, bytes);  // the control: whole, it is read
  BOOST_CHECK_NO_THROW(SafetensorsFile::open(path));
}

BOOST_AUTO_TEST_CASE(random_damage_gives_an_error_or_a_file_never_a_crash) {
  const TemporaryFolder folder;
  SafetensorsWriter writer;
  const MxTensor q =
      quantize(std::vector<float>(66, 1.5f), {2, 33}, {.format = &block_format("mxfp4")});
  add_quantized(writer, "x", q);
  const std::string path = folder / "fuzz.safetensors";
  writer.write(path);
  const std::string good = read_file(path);

  constexpr unsigned seed = 1;
  std::mt19937_64 random(seed);
  const std::string alphabet = "{}[]\",:0123456789-.eE\\u\x00\xff xU8F";
  int refused = 0;
  constexpr int rounds = 4000;
  for (int i = 0; i < rounds; ++i) {
    std::string bytes = good;
    for (uint64_t changes = 1 + random() % 4; changes > 0; --changes) {
      const size_t at = random() % bytes.size();
      switch (random() % 4) {
        case 0:
          bytes[at] = char(random());
          break;
        case 1:
          bytes[at] = alphabet[random() % alphabet.size()];
          break;
        case 2:
          bytes.erase(at, random() % 8);
          break;
        case 3:
          bytes.insert(at, 1, alphabet[random() % alphabet.size()]);
          break;
      }
      if (bytes.empty()) bytes = good;
    }
    write_atomically(path, bytes);
    try {
      read_all(path);
    } catch (const InputError&) {
      ++refused;
    } catch (const std::exception& e) {
      BOOST_ERROR("seed " << seed << ", index " << i << ": not an InputError: " << e.what());
    }
  }
  BOOST_TEST_MESSAGE(refused << " of " << rounds << " damaged files refused, seed " << seed);
  BOOST_TEST(refused > rounds / 2);
}

BOOST_AUTO_TEST_CASE(what_is_no_regular_file_is_refused_at_once) {
  const TemporaryFolder folder;
  const std::string pipe = folder / "pipe";
  BOOST_REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  for (const std::string& path : {pipe, folder.path().string(), std::string("/dev/zero"),
                                  std::string("/dev/null"), folder / "absent"})
    BOOST_CHECK_THROW(SafetensorsFile::open(path), InputError);
  BOOST_CHECK_THROW(read_file("/dev/zero"), InputError);
  BOOST_CHECK_THROW(read_file(folder.path()), InputError);
  BOOST_CHECK_THROW(read_file(pipe), InputError);
  BOOST_CHECK_THROW(sha256_of_file(pipe), InputError);
}

BOOST_AUTO_TEST_CASE(empty_and_scalar_tensors_are_tensors) {
  const TemporaryFolder folder;
  const std::string path = folder / "x.safetensors";
  write_atomically(path,
                   safetensors_bytes(R"({"e":{"dtype":"F32","shape":[0,7],"data_offsets":[4,4]},)"
                                     R"("s":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})",
                                     std::string(4, '\0')));
  const SafetensorsFile file = SafetensorsFile::open(path);
  BOOST_TEST(file.at("e").elements() == 0);
  BOOST_TEST(to_binary32(file, file.at("s")) == std::vector<float>{0.0f});
}

BOOST_AUTO_TEST_CASE(a_failed_write_leaves_nothing_and_keeps_what_was_there) {
  const TemporaryFolder folder;
  const std::string path = folder / "x";
  write_atomically(path, "old");
  BOOST_CHECK_THROW(write_atomically(path,
                                     [](std::ostream& out) {
                                       out << "new";
                                       throw InputError("in the middle");
                                     }),
                    InputError);
  BOOST_TEST(read_file(path) == "old");
  BOOST_CHECK_THROW(write_atomically(std::filesystem::path("/dev/full"), "x"), InputError);
  BOOST_CHECK_THROW(write_atomically(folder.path(), "x"), InputError);
  BOOST_CHECK_THROW(write_atomically(folder / "absent/x", "x"), InputError);
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path()))
    ++files;
  BOOST_TEST(files == 1u);
}

BOOST_AUTO_TEST_CASE(writing_follows_a_link_to_a_file) {
  const TemporaryFolder folder;
  write_atomically(folder / "file", "old");
  std::filesystem::create_symlink(folder / "file", folder / "link");
  write_atomically(folder / "link", "new");
  BOOST_TEST(read_file(folder / "file") == "new");
  BOOST_TEST(std::filesystem::is_symlink(folder / "link"));
}

BOOST_AUTO_TEST_CASE(writing_follows_links_to_a_file_that_is_not_there_yet) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "sub");
  std::filesystem::create_symlink("sub/next", folder / "link");
  std::filesystem::create_symlink("../file", folder / "sub/next");
  require_writable(folder / "link");
  write_atomically(folder / "link", "new");
  BOOST_TEST(read_file(folder / "file") == "new");
  BOOST_TEST(std::filesystem::is_symlink(folder / "link"));
  BOOST_TEST(std::filesystem::is_symlink(folder / "sub/next"));
  std::filesystem::create_symlink("loop", folder / "loop");
  BOOST_CHECK_THROW(write_atomically(folder / "loop", "x"), InputError);
}

BOOST_AUTO_TEST_CASE(a_process_that_is_ended_while_it_writes_leaves_nothing) {
  const TemporaryFolder folder;
  const int probe = open(folder.path().c_str(), O_TMPFILE | O_WRONLY, 0600);
  if (probe < 0) {
    BOOST_TEST_MESSAGE("skipped: the file system of " << folder.path() << " has no O_TMPFILE");
    return;
  }
  close(probe);
  const std::string path = folder / "x";
  const pid_t child = fork();
  if (child == 0)
    write_atomically(path, [](std::ostream& out) {
      out << std::string(100000, 'x') << std::flush;
      kill(getpid(), SIGKILL);
    });
  int status = 0;
  waitpid(child, &status, 0);
  BOOST_TEST(WIFSIGNALED(status));
  BOOST_TEST(std::filesystem::is_empty(folder.path()));
  write_atomically(path, "whole");
  BOOST_TEST(read_file(path) == "whole");
  const auto mode = std::filesystem::status(path).permissions();
  BOOST_CHECK((mode & std::filesystem::perms::owner_exec) == std::filesystem::perms::none);
}

BOOST_AUTO_TEST_SUITE_END()
