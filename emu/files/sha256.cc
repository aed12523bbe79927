#include "emu/files/sha256.h"

#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <new>

#include "emu/error.h"
#include "emu/hex.h"

namespace mxref {
namespace {

// OpenSSL has no other reason here than that memory is short.
void require(bool done) {
  if (!done) throw std::bad_alloc();
}

void begin(EVP_MD_CTX* context) {
  require(context && EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1);
}

}  // namespace

void Sha256::Free::operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) { begin(context_.get()); }

void Sha256::add(std::string_view bytes) {
  require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

std::string Sha256::hex() {
  std::array<unsigned char, 32> digest;
  require(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1);
  begin(context_.get());
  std::string text;
  for (unsigned char byte : digest) text += to_hex(byte, 2);
  return text;
}

std::string sha256(std::string_view bytes) {
  Sha256 digest;
  digest.add(bytes);
  return digest.hex();
}

std::string sha256_of_file(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored))
    throw InputError(path.string() + ": is no regular file");
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) throw InputError(path.string() + ": cannot be read: " + std::strerror(errno));
  Sha256 digest;
  std::array<char, 1 << 16> piece;
  while (in.read(piece.data(), piece.size()), in.gcount() > 0)
    digest.add({piece.data(), size_t(in.gcount())});
  if (in.bad()) throw InputError(path.string() + ": reading failed");
  return digest.hex();
}

}  // namespace mxref
