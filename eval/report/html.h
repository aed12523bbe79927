#pragma once
// The few pieces of HTML that the page is made of.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mxref {

std::string escape_html(std::string_view text);

// 1234567 → "1,234,567"
std::string grouped(int64_t number);

struct Column {
  std::string title;
  enum class Kind { word, number, text } kind = Kind::word;  // text may break into lines
};

// A word and what it means, of a <dl>. Both are text.
std::string html_entry(std::string_view word, std::string_view meaning);

// A table with its caption; it scrolls sideways where the page is too narrow, its first column
// stays. Cells are HTML.
std::string html_table(const std::string& caption, const std::vector<Column>& columns,
                       const std::vector<std::vector<std::string>>& rows);

// A plot with its caption; `svg` as gnuplot made it.
std::string html_figure(const std::string& svg, const std::string& caption);

// "ok" in green or the word in red.
std::string html_mark(bool good, std::string_view bad);

// The spread of a figure under noise, to stand behind it; nothing where it is no number.
std::string html_noise(double spread);

// A share of 0 … 1 as a small bar with its percentage.
std::string html_bar(double share);

}  // namespace mxref
