#pragma once
// SHA-256 of files and bytes, as 64 lower-case hex digits.

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;  // of OpenSSL

namespace mxref {

// Of bytes that come piece by piece.
class Sha256 {
 public:
  Sha256();
  void add(std::string_view bytes);
  std::string hex();  // of all that was added; it begins anew behind that

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

std::string sha256(std::string_view bytes);
// Reads the file piece by piece. Throws InputError where it cannot be read.
std::string sha256_of_file(const std::filesystem::path& path);

}  // namespace mxref
