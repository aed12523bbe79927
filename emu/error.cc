#include "emu/error.h"

#include <algorithm>
#include <cstdint>

#include "emu/files/json_file.h"

namespace mxref {
namespace {

// Levenshtein distance, letters compared without regard to case.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same = (a[i - 1] | 0x20) == (b[j - 1] | 0x20);
      const size_t best = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (same ? 0 : 1)});
      diagonal = row[j];
      row[j] = best;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string printable(std::string text) {
  constexpr size_t longest = 2000;
  if (text.size() > longest) text.resize(longest - 4), text += " …";
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = uint8_t(text[i]), next = uint8_t(i + 1 < text.size() ? text[i + 1] : 0);
    if (c == 0xC2 && next >= 0x80 && next < 0xA0) text.erase(i + 1, 1), text[i] = '\0';  // C1
    if ((uint8_t(text[i]) < 0x20 && c != '\n') || c == 0x7F) text[i] = '?';
  }
  return text;
}

void refuse_file(const std::filesystem::path& file, const std::string& what) {
  throw InputError(file.string() + ": " + what);
}

std::string unknown_name(std::string_view what, std::string_view given,
                         const std::vector<std::string_view>& valid) {
  std::string message = "unknown " + std::string(what) + " '" + shown_text(given) + "'";
  if (valid.empty()) return message;
  const auto near = *std::min_element(valid.begin(), valid.end(), [&](auto a, auto b) {
    return edit_distance(given, a) < edit_distance(given, b);
  });
  if (edit_distance(given, near) <= std::max<size_t>(2, near.size() / 3))
    message += "; did you mean '" + std::string(near) + "'?";
  message += "; valid: ";
  for (size_t i = 0; i < valid.size(); ++i) message += (i ? ", " : "") + std::string(valid[i]);
  return message;
}

}  // namespace mxref
