// mxref array: an array of any parameters, or with modules of your own, built into a library.

#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "eval/cli/command.h"

#if MXREF_HAS_RTL

#include <algorithm>

#include "emu/array_library.h"
#include "emu/error.h"
#include "emu/files/atomic_file.h"
#include "eval/child_process.h"
#include "eval/cli/options.h"
#include "eval/data_folder.h"
#include "rtl_models/engine/rtl_parameters.h"

namespace mxref {
namespace {

namespace fs = std::filesystem;

struct ArraySettings {
  fs::path folder;
  ArrayDesign design{.shape = {8, 8}};
  std::string formats_a, formats_b;
  std::vector<fs::path> files;
};

// "mxfp4,mxfp8_e4m3", or "all".
FormatSet formats_of(const std::string& text) {
  FormatSet set;
  if (text == "all") return set.set();
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    set.set(format_number(block_format(text.substr(begin, end - begin))));
    begin = end + 1;
  }
  return set;
}

// The library of emu that this program has loaded: that of the array calls it.
fs::path library_of_emu() {
  Dl_info info;
  if (!dladdr(reinterpret_cast<const void*>(&to_json), &info) || !info.dli_fname)
    throw InputError("libmxref_emu.so: not to be found");
  return fs::canonical(info.dli_fname);
}

// A list of CMake's.
std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ";"));
}

void run_step(const std::vector<std::string>& words, const fs::path& said) {
  const int status = run_program(words, said);
  if (status == program_not_started)
    throw InputError(words.front() + " is not installed: apt-get install cmake");
  if (status == 0) return;
  fmt::print("{}", read_file(said));
  throw InputError(
      fmt::format("{}: the array was not built; above is what was said", said.string()));
}

// A semicolon ends a word of CMake's lists, a space one of make's.
void check_path(const std::string& option, const fs::path& path) {
  if (path.string().find_first_of(" ;") != std::string::npos)
    throw UsageError(option + " '" + path.string() + "': make takes no path with spaces or ';'");
}

// The files of --rtl. One takes the place of a module by its name, so two of one name are no use.
std::vector<std::string> modules(const std::vector<fs::path>& given) {
  std::vector<std::string> files;
  for (const fs::path& file : given) {
    if (!fs::is_regular_file(file)) throw InputError(file.string() + ": is no file");
    const fs::path path = fs::canonical(file);
    check_path("--rtl", path);
    for (const std::string& other : files)
      if (fs::path(other).filename() == path.filename())
        throw UsageError(fmt::format("--rtl '{}': '{}' has the same name; give one of them",
                                     path.string(), other));
    files.push_back(path.string());
  }
  return files;
}

// Verilator's warnings: of the modules that are ours there are none.
void warn(const std::string& said) {
  const std::string text = read_file(said);
  int count = 0;
  for (size_t at = 0; (at = text.find("%Warning", at)) != std::string::npos; ++at) ++count;
  if (count > 0) fmt::print("{} warnings by Verilator about --rtl: {}\n", count, said);
}

int build(ArraySettings& o) {
  o.design.formats_a = formats_of(o.formats_a);
  o.design.formats_b = formats_of(o.formats_b.empty() ? o.formats_a : o.formats_b);
  std::vector<std::string> parameters = rtl_parameters(o.design);
  for (std::string& parameter : parameters) parameter = "-G" + parameter;
  check_path("--out", fs::weakly_canonical(fs::absolute(o.folder)));
  const std::vector<std::string> files = modules(o.files);
  std::error_code error;
  fs::create_directory(o.folder, error);
  if (!error) fs::remove(o.folder / "array.so", error);  // none where the build fails
  if (error) throw InputError(o.folder.string() + ": " + error.message());
  const std::string folder = fs::canonical(o.folder).string();
  run_step({"cmake", "-S", data_file("rtl_models/array").string(), "-B", folder,
            "-DMXREF_LIBRARY=" + library_of_emu().string(), "-DARRAY_DESIGN=" + to_json(o.design),
            "-DARRAY_PARAMETERS=" + joined(parameters), "-DARRAY_FILES=" + joined(files)},
           folder + "/configure.log");
  run_step({"cmake", "--build", folder, "--parallel"}, folder + "/build.log");
  warn(folder + "/build.log");
  const std::string library = (o.folder / "array.so").string();
  fmt::print("{}: {}×{}, {} × {} on {}\n", library, o.design.shape.rows, o.design.shape.cols,
             o.formats_a, o.formats_b.empty() ? o.formats_a : o.formats_b, o.design.datapath->name);
  fmt::print("  mxref cosim --array {}\n  mxref crosscheck --impl plugin:{}\n", library, library);
  return exit_good;
}

}  // namespace

Action define_array(CLI::App& app, const Context&) {
  auto o = std::make_shared<ArraySettings>();
  app.add_option("--out", o->folder,
                 "folder of the build, made where it is not there; the library "
                 "in it is array.so")
      ->required()
      ->type_name("DIR");
  add_number(app, "--rows", o->design.shape.rows, 1, 64, "rows of the array (default 8)");
  add_number(app, "--cols", o->design.shape.cols, 1, 64, "columns of the array (default 8)");
  app.add_option("--format", o->formats_a,
                 "formats of a, chosen at run time where they are several: " +
                     names_of(block_formats) + ", or all")
      ->required()
      ->type_name("NAME[,NAME…]");
  app.add_option("--format-b", o->formats_b, "formats of b (default: those of a)")
      ->type_name("NAME[,NAME…]");
  add_datapath(app, o->design.datapath, "accumulation");
  app.add_option(
         "--rtl", o->files,
         "a module of your own: it takes the place of the file of its name in the RTL, or is "
         "read besides; repeatable")
      ->type_name("FILE.sv");
  return [o] { return build(*o); };
}

}  // namespace mxref

#else

#include "emu/error.h"

namespace mxref {

Action define_array(CLI::App&, const Context&) {
  throw UsageError("this build has no RTL: configure it with -DMXREF_RTL=ON");
}

}  // namespace mxref

#endif
