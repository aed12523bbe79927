#include "eval/report/html.h"

#include <fmt/format.h>

#include <cmath>

namespace mxref {

std::string escape_html(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string grouped(int64_t number) {
  const std::string digits = fmt::format("{}", number);
  const size_t sign = number < 0;
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > sign && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

std::string html_entry(std::string_view word, std::string_view meaning) {
  return fmt::format("<dt>{}</dt><dd>{}</dd>\n", escape_html(word), escape_html(meaning));
}

std::string html_table(const std::string& caption, const std::vector<Column>& columns,
                       const std::vector<std::vector<std::string>>& rows) {
  const auto cell = [](std::string_view tag, const Column& column, const std::string& text) {
    const char* attribute = column.kind == Column::Kind::number ? " class=\"n\""
                            : column.kind == Column::Kind::text ? " class=\"t\""
                                                                : "";
    return fmt::format("<{0}{1}>{2}</{0}>", tag, attribute, text);
  };
  std::string head, body;
  for (const Column& column : columns) head += cell("th", column, column.title);
  for (const auto& row : rows) {
    body += "<tr>";
    for (size_t i = 0; i < row.size(); ++i) body += cell("td", columns[i], row[i]);
    body += "</tr>\n";
  }
  return fmt::format(
      "<figure><figcaption class=\"title\">{}</figcaption>\n"
      "<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>{}</tr></thead>\n"
      "<tbody>\n{}</tbody></table></div></figure>\n",
      caption, head, body);
}

std::string html_figure(const std::string& svg, const std::string& caption) {
  return fmt::format("<figure>{}<figcaption>{}</figcaption></figure>\n", svg, caption);
}

std::string html_mark(bool good, std::string_view bad) {
  return good ? "<span class=\"good\">ok</span>"
              : fmt::format("<span class=\"bad\">{}</span>", bad);
}

std::string html_noise(double spread) {
  if (!std::isfinite(spread)) return "";
  return fmt::format(" <small>noise&nbsp;{:.2g}</small>", spread);
}

std::string html_bar(double share) {
  return fmt::format(
      "<span class=\"bar\"><i style=\"width:{:.1f}%\"></i></span>&nbsp;{:.1f}&nbsp;%", 100 * share,
      100 * share);
}

}  // namespace mxref
