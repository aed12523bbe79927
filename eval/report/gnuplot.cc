#include "eval/report/gnuplot.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>

#include "emu/error.h"
#include "emu/files/atomic_file.h"

namespace mxref {
namespace {

// What a command writes to standard output and standard error. Throws InputError where it fails.
std::string output_of(const std::string& command) {
  std::FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (!pipe) throw InputError("a plot: no process can be started");
  std::string output;
  std::array<char, 4096> chunk;
  while (const size_t n = std::fread(chunk.data(), 1, chunk.size(), pipe))
    output.append(chunk.data(), n);
  const int status = pclose(pipe);
  if (status == 127 << 8)
    throw InputError("a plot: gnuplot is missing; install it with apt-get install gnuplot-nox");
  if (status != 0) throw InputError("a plot: gnuplot refuses it: " + output);
  return output;
}

// A folder of its own for one plot, removed with what is in it.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "mxref-plot-XXXXXX").string();
    if (!mkdtemp(name.data())) throw InputError(name + ": cannot be created");
    path = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::filesystem::path path;
};

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

std::string plot_svg(const std::string& name, PlotSize size, const std::string& script) {
  const ScratchFolder folder;
  const auto in = folder.path / "plot.gp", out = folder.path / "plot.svg";
  write_atomically(in, fmt::format("set terminal svg size {},{} dynamic font 'sans-serif,13' name "
                                   "'{}'\nset encoding utf8\nset output '{}'\n{}",
                                   size.width, size.height, name, out.string(), script));
  output_of("gnuplot " + in.string());
  std::string svg = read_file(out);
  svg.erase(0, svg.find("<svg"));
  drop_ids_of_groups(svg, name);
  put_before_ids(svg, name + "-");
  return svg;
}

}  // namespace mxref
