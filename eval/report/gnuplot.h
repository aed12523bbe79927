#pragma once
// Plots by gnuplot, as SVG to stand inside an HTML page.

#include <string>

namespace mxref {

struct PlotSize {
  int width, height;  // of the drawing's own units; the page scales it
};

// Runs a gnuplot script (without terminal and output) → one <svg> element, whose ids begin with
// `name` so that several can stand in one page. Throws InputError where gnuplot is missing or
// refuses the script.
std::string plot_svg(const std::string& name, PlotSize size, const std::string& script);

}  // namespace mxref
