#include <dlfcn.h>

#include <filesystem>
#include <string>

#include "emu/error.h"
#include "golden/tokenizer/sentencepiece_library.h"

namespace mxref {
namespace {

namespace fs = std::filesystem;
constexpr const char* file_name = "libmxref_sentencepiece.so";

// Its symbols serve nobody else, and it takes its own before those that are there. AddressSanitizer
// does not bear the latter; what it is built into has no other protobuf.
#if defined(__SANITIZE_ADDRESS__)
constexpr int mode = RTLD_NOW | RTLD_LOCAL;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr int mode = RTLD_NOW | RTLD_LOCAL;
#else
constexpr int mode = RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND;
#endif
#else
constexpr int mode = RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND;
#endif

// It lies beside the file that this is linked into (libmxref_models.so), or in lib/ beside the
// program's folder.
decltype(&mxref_sentencepiece_open) load() {
  Dl_info self{};
  dladdr(reinterpret_cast<const void*>(&open_sentencepiece), &self);
  const fs::path folder = fs::absolute(self.dli_fname).parent_path();
  std::string tried;
  for (const fs::path& path : {folder / file_name, folder.parent_path() / "lib" / file_name}) {
    if (!fs::exists(path)) {
      tried += (tried.empty() ? "" : ", ") + path.string();
      continue;
    }
    void* const library = dlopen(path.c_str(), mode);
    void* const open = library ? dlsym(library, "mxref_sentencepiece_open") : nullptr;
    if (!open) throw InputError(std::string("cannot be loaded: ") + dlerror());
    return reinterpret_cast<decltype(&mxref_sentencepiece_open)>(open);
  }
  throw InputError(std::string(file_name) +
                   ", which a SentencePiece model needs, is not beside the program; looked for " +
                   tried);
}

}  // namespace

std::unique_ptr<const SentencePieceLibrary> open_sentencepiece(std::string_view proto,
                                                               const TakeText& refuse) {
  static const auto open = load();  // stays loaded
  return std::unique_ptr<const SentencePieceLibrary>(open(proto, refuse));
}

}  // namespace mxref
