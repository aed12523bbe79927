#include "eval/report/record.h"

#include <sys/utsname.h>

#include <fstream>
#include <thread>

#include "commit.h"  // generated, see commit.cmake
#include "emu/files/atomic_file.h"
#include "emu/isa.h"
#include "emu/threads.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;

// The value of the first line of `path` that begins with `key`, quotes and the separator taken off.
std::string field_of(const char* path, std::string_view key) {
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(key)) continue;
    const size_t begin = line.find_first_not_of(" \t:=\"", key.size());
    const size_t end = line.find_last_not_of(" \t\"");
    return begin == line.npos ? "" : line.substr(begin, end - begin + 1);
  }
  return "unknown";
}

ordered_json host() {
  utsname system = {};
  uname(&system);
  return {{"cpu", field_of("/proc/cpuinfo", "model name")},
          {"cores", std::thread::hardware_concurrency()},
          {"isa", name_of(current_isa())},
          {"os", field_of("/etc/os-release", "PRETTY_NAME")},
          {"kernel", std::string(system.sysname) + " " + system.release},
          {"compiler", "g++ " __VERSION__}};
}

}  // namespace

std::string_view program_version() { return MXREF_VERSION; }
std::string_view program_commit() { return commit; }

Record::Record(std::string_view command)
    : command_(command), start_(std::chrono::steady_clock::now()) {}

void Record::set(std::string field, ordered_json value) {
  fields_[std::move(field)] = std::move(value);
}

void Record::add(ordered_json result) { results_.push_back(std::move(result)); }

ordered_json Record::facts() const {
  ordered_json facts = {{"command", command_},        {"version", program_version()},
                        {"commit", program_commit()}, {"seed", seed_},
                        {"threads", threads()},       {"host", host()}};
  facts.update(fields_);
  return facts;
}

std::string Record::text() const {
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start_;
  ordered_json record = {{"schema", "mxref/1"}};
  record.update(facts());
  record["wall_seconds"] = wall.count();
  record["results"] = results_;
  return record.dump(2, ' ', /*ensure_ascii=*/false, ordered_json::error_handler_t::replace) + "\n";
}

void Record::write(const std::filesystem::path& path) const {
  if (!path.empty()) write_atomically(path, text());
}

}  // namespace mxref
