#pragma once
// Plots by gnuplot, as SVG to stand inside an HTML page.

#include <string>
#include <string_view>

namespace mxref {

struct PlotSize {
  int width, height;  // of the drawing's own units; the page scales it
};

// A text as gnuplot takes it, quotes included: what stands in it is shown, whatever it is. Control
// characters are left out.
std::string gnuplot_text(std::string_view text);

// Runs a gnuplot script (without terminal and output) → one <svg> element, whose ids begin with
// `name` so that several can stand in one page. Throws InputError where gnuplot is missing or
// refuses the script.
std::string plot_svg(const std::string& name, PlotSize size, const std::string& script);

// Throws InputError where plot_svg could make none: gnuplot is missing, or there is no room for
// temporary files.
void require_plots();

}  // namespace mxref
