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

// A table that scrolls sideways where the page is too narrow. Cells are HTML.
std::string html_table(const std::string& caption, const std::vector<Column>& columns,
                       const std::vector<std::vector<std::string>>& rows);

// A plot with its caption; `svg` as gnuplot made it. A wide one scrolls where the page is narrow.
std::string html_figure(const std::string& svg, const std::string& caption, bool wide = false);

// "ok" in green or the word in red.
std::string html_mark(bool good, std::string_view bad);

// A share of 0 … 1 as a small bar with its percentage.
std::string html_bar(double share);

}  // namespace mxref
