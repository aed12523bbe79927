// mxref forward: token ids → logits, the hidden states between the layers, and a trace of all
// modules.

#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "emu/audit/trace_writer.h"
#include "emu/files/atomic_file.h"
#include "emu/files/safetensors.h"
#include "emu/files/sha256.h"
#include "emu/isa.h"
#include "eval/cli/command.h"
#include "eval/cli/models/model_options.h"
#include "eval/cli/options.h"
#include "eval/cli/output_paths.h"
#include "eval/tasks/token_file.h"
#include "golden/models/tensor_values.h"

namespace mxref {
namespace {

struct ForwardSettings {
  ModelOptions model;
  std::filesystem::path tokens, out, json, trace;
  bool hidden = false;
};

std::span<const std::byte> bytes_of(const at::Tensor& x) {
  return {static_cast<const std::byte*>(x.data_ptr()), x.nbytes()};
}

// Rows of equal length → (B,T).
at::Tensor to_tensor(const std::vector<std::vector<int64_t>>& rows) {
  const at::Tensor ids = at::empty({int64_t(rows.size()), int64_t(rows.front().size())}, at::kLong);
  auto* next = ids.data_ptr<int64_t>();
  for (const std::vector<int64_t>& row : rows) next = std::ranges::copy(row, next).out;
  return ids;
}

std::string sha256_of(const at::Tensor& x) {
  const auto bytes = bytes_of(x);
  return sha256({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

// Everything that is read or written elsewhere stays: the folder is written as a whole.
void check_trace(const ForwardSettings& options, const std::filesystem::path& model) {
  std::error_code is_a_name;
  const std::filesystem::path recipe = options.model.recipe;
  require_outside({"--trace", options.trace},
                  {{"--out", options.out},
                   {"--json", options.json},
                   {"--tokens", options.tokens},
                   {"--recipe", std::filesystem::is_regular_file(recipe, is_a_name) ? recipe : ""},
                   {"--model", model}});
  require_place_for_trace(options.trace);
}

int forward_command(const ForwardSettings& options, const EngineTable& engines) {
  if (!options.trace.empty()) check_trace(options, model_path(options.model.model));
  require_writable(options.out);
  require_writable(options.json);
  Record record("forward");
  OpenModel opened = open_model(options.model);
  opened.load(engines);
  const at::Tensor ids = to_tensor(read_tokens(options.tokens, opened.model->vocabulary()));

  if (ids.size(1) > opened.model->window())
    fmt::print(stderr, "note: {} tokens are more than the {} that the model was made for\n",
               ids.size(1), opened.model->window());

  std::optional<TraceWriter> trace;
  if (!options.trace.empty()) {
    trace.emplace(options.trace, ids.size(0), ids.size(1));
    opened.model->observe(
        [&](const std::string& module, std::string_view role, const at::Tensor& values) {
          trace->add(module, role, values_of(values.contiguous()));
        });
  }
  const auto start = std::chrono::steady_clock::now();
  LanguageModel::Output output = opened.model->forward(ids, options.hidden);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;

  const at::Tensor logits = output.logits.contiguous();
  SafetensorsWriter writer;
  writer.add("logits", DType::F32, logits.sizes().vec(), bytes_of(logits));
  for (size_t i = 0; i < output.hidden.size(); ++i) {
    output.hidden[i] = output.hidden[i].contiguous();
    writer.add("hidden." + std::to_string(i), DType::F32, output.hidden[i].sizes().vec(),
               bytes_of(output.hidden[i]));
  }
  writer.write(options.out);

  set_model(record, options.model, opened);
  if (trace) {
    nlohmann::ordered_json facts = record.facts();
    facts["input_ids_sha256"] = sha256_of(ids);
    trace->finish(facts.dump(-1, ' ', /*ensure_ascii=*/false,
                             nlohmann::ordered_json::error_handler_t::replace));
  }
  const std::string digest = sha256_of(logits);
  nlohmann::ordered_json result{
      {"task", "forward"},       {"batch", ids.size(0)},          {"tokens", ids.size(1)},
      {"logits_sha256", digest}, {"isa", name_of(current_isa())}, {"seconds", took.count()}};
  if (const Engine::Cost cost = opened.model->cost(); cost.cycles > 0) {
    result["cycles"] = cost.cycles;
    result["macs"] = cost.macs;
  }
  record.add(result);
  record.write(options.json);
  fmt::print("{}: logits of {} × {} tokens at {}, {:.2f} s\n", options.out.string(), ids.size(0),
             ids.size(1), opened.recipe.name, took.count());
  fmt::print("{}\n", told_digest(digest, opened.recipe));
  return exit_good;
}

}  // namespace

Action define_forward(CLI::App& app, const Context& context) {
  auto o = std::make_shared<ForwardSettings>();
  add_model_options(app, o->model);
  add_input(app, "--tokens", o->tokens, "safetensors with 'input_ids' I64 (B,T)")->required();
  add_output(app, "--out", o->out, "safetensors with 'logits' F32 (B,T,V)")->required();
  app.add_flag("--hidden", o->hidden,
               "also 'hidden.0' … F32 (B,T,D): after the embedding, then after each layer");
  add_output(app, "--trace", o->trace,
             "folder for what goes into every module and what comes out, a safetensors file each, "
             "which `mxref audit --trace` compares with another; made where it does not exist, a "
             "trace that is there is replaced when the new one is whole")
      ->type_name("DIR")
      ->check([](const std::string& word) { return word.empty() ? "'' names no folder" : ""; });
  add_threads(app);
  add_isa(app);
  add_json(app, o->json);
  return [o, &engines = context.engines] { return forward_command(*o, engines); };
}

}  // namespace mxref
