#include "tests/golden/refusal.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <new>

#include "emu/error.h"
#include "golden/checkpoint/checkpoint.h"

static std::atomic<size_t> largest = 0;

namespace mxref {

std::string refusal(const std::function<void()>& read) {
  try {
    read();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

void read_everything(const std::filesystem::path& model) {
  const auto checkpoint = open_checkpoint(model);
  for (const std::string& name : checkpoint->names()) checkpoint->tensor(name);
}

void check_refusal(const std::string& message, const std::string& part) {
  BOOST_TEST(message.find(part) != message.npos,
             "expected '" << part << "', got '" << message << "'");
}

size_t largest_allocation() { return largest; }
void reset_largest_allocation() { largest = 0; }

}  // namespace mxref

// The program's own operator new: a length that lies must not become an allocation.
void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  if (bytes > largest) largest = bytes;
  return std::malloc(bytes ? bytes : 1);
}
void* operator new(size_t bytes) {
  if (void* block = operator new(bytes, std::nothrow)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, size_t) noexcept { std::free(block); }
