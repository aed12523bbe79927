// mxref vectors: golden vectors for somebody's own RTL.

#include "emu/vectors/vectors.h"

#include <fmt/format.h>

#include "emu/files/atomic_file.h"
#include "eval/cli/command.h"
#include "eval/cli/models_library.h"
#include "eval/cli/options.h"
#include "eval/cli/output_paths.h"
#include "eval/report/record.h"

namespace mxref {
namespace {

struct Options {
  const BlockFormat *format = nullptr, *format_b = nullptr;  // b null: as a
  const Datapath* datapath = &datapaths[0];
  int64_t count = 1000;
  uint64_t seed = 1;
  const VectorForm* form = &vector_forms[0];
  std::string model;             // of the kind "model"
  std::filesystem::path tokens;  // likewise, optional
  std::filesystem::path out, json;

  const BlockFormat& b() const { return format_b ? *format_b : *format; }
};

constexpr int64_t max_count = 100'000'000;

struct VectorKind {
  std::string_view name;
  Vectors (*make)(const Options& options, const EngineTable& engines);
};

Vectors make_random(const Options& o, const EngineTable&) {
  return random_vectors(*o.format, o.b(), *o.datapath, o.count, o.seed);
}

// The last part of a model's path, as one line of UTF-8 whatever the path holds.
std::string name_of_model(const std::string& model) {
  const std::filesystem::path path = std::filesystem::path(model) / "";  // a folder may end in "/"
  using nlohmann::json;
  const std::string quoted = json(path.parent_path().filename().string())
                                 .dump(-1, ' ', false, json::error_handler_t::replace);
  return quoted.substr(1, quoted.size() - 2);
}

// An equal share of each product that was caught, as far as it goes.
Vectors make_of_model(const Options& o, const EngineTable& engines) {
  const std::vector<GivenProduct> products =
      products_of_model(o.model, o.tokens, *o.format, o.b(), engines);
  Vectors all;
  std::string source = name_of_model(o.model);
  for (size_t i = 0; i < products.size(); ++i) {
    const auto n = int64_t(products.size());
    const int64_t share = o.count * int64_t(i + 1) / n - o.count * int64_t(i) / n;
    if (share == 0) continue;
    source += fmt::format("{} {} ({})", all.count() == 0 ? ":" : ",", products[i].source, share);
    const Vectors some = model_vectors(products[i].a, products[i].b, *o.datapath, share, o.seed);
    if (all.count() == 0)
      all = some;
    else
      append(all, some);
  }
  all.source = source;
  return all;
}

constexpr std::array kinds{
    VectorKind{"random", make_random},
    VectorKind{"model", make_of_model},
};
static_assert(names_are_distinct(kinds));

int run(const Options& options, const VectorKind& kind, const EngineTable& engines) {
  if ((kind.make == make_of_model) != !options.model.empty())
    throw UsageError("--kind model takes its operands from --model MODEL, and no other kind does");
  if (options.model.empty() && !options.tokens.empty())
    throw UsageError("--tokens are read by the model of --kind model");
  const OutputFolder folder(options.out);
  const std::filesystem::path file = options.out / options.form->file;
  require_distinct({{"--json", options.json}, {"the file of vectors", file}},
                   {{"--tokens", options.tokens}});
  require_writable(options.json);
  Record record("vectors");
  record.set_seed(options.seed);
  const Vectors vectors = kind.make(options, engines);
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

Action define_vectors(CLI::App& app, const Context& context) {
  auto o = std::make_shared<Options>();
  auto kind = std::make_shared<const VectorKind*>(&kinds[0]);
  add_named(app, "--format", o->format, block_formats, "format", "format of a")->required();
  add_named(app, "--format-b", o->format_b, block_formats, "format",
            "format of b (default: that of a)");
  add_datapath(app, o->datapath, "accumulation");
  add_named(app, "--kind", *kind, kinds, "kind", "where the operands come from");
  app.add_option("--model", o->model,
                 "with --kind model: the model whose weights and activations are taken")
      ->type_name("MODEL");
  add_input(app, "--tokens", o->tokens,
            "what that model reads: the first row of 'input_ids' I64 (B,T) in a safetensors file; "
            "default: a text of the asset calibration");
  add_number<int64_t>(app, "--count", o->count, 1, max_count, "vectors (default 1000)");
  add_seed(app, o->seed, "seed of the operands");
  add_named(app, "--as", o->form, vector_forms, "file form", "form of the file");
  add_output(app, "--out", o->out, "folder; made where it does not exist")
      ->required()
      ->type_name("DIR");
  add_json(app, o->json);
  return [o, kind, &context] { return run(*o, **kind, context.engines); };
}

}  // namespace mxref
