// mxref vectors: golden vectors for somebody's own RTL.

#include "emu/vectors/vectors.h"

#include <fmt/format.h>

#include "emu/files/atomic_file.h"
#include "eval/cli/command.h"
#include "eval/cli/options.h"
#include "eval/report/record.h"

namespace mxref {
namespace {

struct Options {
  const BlockFormat *format = nullptr, *format_b = nullptr;  // b null: as a
  const Datapath* datapath = &datapaths[0];
  int64_t count = 1000;
  uint64_t seed = 1;
  const VectorForm* form = &vector_forms[0];
  std::filesystem::path out, json;
};

constexpr int64_t max_count = 100'000'000;

struct VectorKind {
  std::string_view name;
  Vectors (*make)(const Options& options);
};
constexpr std::array kinds{
    VectorKind{"random",
               [](const Options& o) {
                 return random_vectors(*o.format, o.format_b ? *o.format_b : *o.format, *o.datapath,
                                       o.count, o.seed);
               }},
};
static_assert(names_are_distinct(kinds));

int run(const Options& options, const VectorKind& kind) {
  require_folder(options.out);
  require_writable(options.json);
  Record record("vectors");
  record.set_seed(options.seed);
  const Vectors vectors = kind.make(options);
  const std::filesystem::path file = options.out / options.form->file;
  options.form->write(vectors, file);
  fmt::print("{}: {} vectors of {} × {} on {}\n", file.string(), vectors.count(),
             vectors.format_a->name, vectors.format_b->name, vectors.datapath->name);
  record.add({{"file", options.form->file},
              {"kind", vectors.kind},
              {"count", vectors.count()},
              {"format_a", vectors.format_a->name},
              {"format_b", vectors.format_b->name},
              {"datapath", vectors.datapath->name}});
  record.write(options.json);
  return exit_good;
}

}  // namespace

Action define_vectors(CLI::App& app, const Context&) {
  auto o = std::make_shared<Options>();
  auto kind = std::make_shared<const VectorKind*>(&kinds[0]);
  add_named(app, "--format", o->format, block_formats, "format", "format of a")->required();
  add_named(app, "--format-b", o->format_b, block_formats, "format",
            "format of b (default: that of a)");
  add_named(app, "--datapath", o->datapath, datapaths, "datapath", "accumulation");
  add_named(app, "--kind", *kind, kinds, "kind", "where the operands come from");
  add_number<int64_t>(app, "--count", o->count, 1, max_count, "vectors (default 1000)");
  add_seed(app, o->seed, "seed of the operands");
  add_named(app, "--as", o->form, vector_forms, "file form", "form of the file");
  add_output(app, "--out", o->out, "folder; made where it does not exist")
      ->required()
      ->type_name("DIR");
  add_json(app, o->json);
  return [o, kind] { return run(*o, **kind); };
}

}  // namespace mxref
