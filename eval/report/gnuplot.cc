#include "eval/report/gnuplot.h"

#include <fmt/format.h>

#include "emu/error.h"
#include "emu/files/atomic_file.h"
#include "eval/child_process.h"
#include "eval/scratch_folder.h"

namespace mxref {
namespace {

// gnuplot names its groups, some twice; nothing refers to them.
void drop_ids_of_groups(std::string& svg, const std::string& name) {
  for (const std::string& id : {std::string(" id=\"gnuplot_"), " id=\"" + name + "_plot_"})
    for (size_t i = 0; (i = svg.find(id, i)) != std::string::npos;)
      svg.erase(i, svg.find('"', i + id.size()) + 1 - i);
}

void put_before_ids(std::string& svg, const std::string& name) {
  for (const char* reference : {" id=\"", " id='", "href='#", "href=\"#", "url(#"})
    for (size_t i = 0; (i = svg.find(reference, i)) != std::string::npos;) {
      i += std::string_view(reference).size();
      svg.insert(i, name);
    }
}

}  // namespace

std::string gnuplot_text(std::string_view text) {
  std::string quoted = "'";
  for (char c : text) {
    if (uint8_t(c) < 0x20 || c == 0x7F) continue;
    quoted += c;
    if (c == '\'') quoted += c;  // within '…' it stands for itself when doubled
  }
  return quoted + "'";
}

void require_plots() { plot_svg("probe", {100, 100}, "plot 0\n"); }

std::string plot_svg(const std::string& name, PlotSize size, const std::string& script) {
  const ScratchFolder folder("a plot");
  const auto in = folder / "plot.gp", out = folder / "plot.svg", messages = folder / "messages";
  write_atomically(in, fmt::format("set terminal svg size {},{} dynamic noenhanced font "
                                   "'sans-serif,13' name {}\nset encoding utf8\nset output {}\n{}",
                                   size.width, size.height, gnuplot_text(name),
                                   gnuplot_text(out.string()), script));
  const int status = run_program({"gnuplot", in.string()}, messages);
  if (status == -1)
    throw InputError("a plot: gnuplot is missing; install it with apt-get install gnuplot-nox");
  if (status != 0) throw InputError("a plot: gnuplot refuses it: " + read_file(messages));
  std::string svg = read_file(out);
  const size_t begin = svg.find("<svg");
  if (begin == svg.npos) throw InputError("a plot: gnuplot draws nothing: " + read_file(messages));
  svg.erase(0, begin);
  drop_ids_of_groups(svg, name);
  put_before_ids(svg, name + "-");
  return svg;
}

}  // namespace mxref
