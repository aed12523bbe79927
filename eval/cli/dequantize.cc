// mxref dequantize: quantized tensors → NAME in F32, each element rounded once.

#include <fmt/format.h>

#include <list>

#include "emu/files/atomic_file.h"
#include "emu/files/quantized.h"
#include "emu/quantize.h"
#include "eval/cli/command.h"
#include "eval/cli/options.h"
#include "eval/report/record.h"

namespace mxref {
namespace {

struct DequantizeSettings {
  std::filesystem::path in, out, json;
};

int dequantize_command(const DequantizeSettings& options) {
  require_writable(options.out);
  require_writable(options.json);
  Record record("dequantize");
  const SafetensorsFile in = SafetensorsFile::open(options.in);
  std::list<std::vector<float>> tensors;  // the writer refers to them
  SafetensorsWriter writer;
  for (const std::string& name : quantized_names_only(in)) {
    const MxTensor q = read_quantized(in, name);
    tensors.push_back(dequantize(q));
    writer.add(name, DType::F32, q.shape, tensors.back());
    record.add({{"tensor", name}, {"shape", q.shape}, {"format", q.format().name}});
  }
  writer.write(options.out);
  record.write(options.json);
  fmt::print("{}: {} tensor(s) in F32\n", options.out.string(), tensors.size());
  return exit_good;
}

}  // namespace

Action define_dequantize(CLI::App& app, const Context&) {
  auto o = std::make_shared<DequantizeSettings>();
  add_input(app, "--in", o->in, "safetensors with quantized tensors")->required();
  add_output(app, "--out", o->out, "safetensors with each NAME in F32")->required();
  add_threads(app);
  add_json(app, o->json);
  return [o] { return dequantize_command(*o); };
}

}  // namespace mxref
