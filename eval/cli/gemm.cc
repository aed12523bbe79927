// mxref gemm: D (M,N) = C + A (M,K) × B (N,K) on a datapath, by an engine.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>

#include "emu/binary32.h"
#include "emu/files/atomic_file.h"
#include "emu/files/quantized.h"
#include "emu/gemm.h"
#include "emu/isa.h"
#include "emu/threads.h"
#include "eval/cli/command.h"
#include "eval/cli/options.h"
#include "eval/report/record.h"

namespace mxref {
namespace {

// A type of d; one of 16 bits is rounded once more, from binary32.
struct OutType {
  std::string_view name;
  DType dtype;
  uint16_t (*round)(uint32_t bits);  // null: binary32 as it is
};
constexpr std::array out_types{
    OutType{"f32", DType::F32, nullptr},
    OutType{"bf16", DType::BF16, binary32::to_bfloat16_rne},
    OutType{"f16", DType::F16, binary32::to_binary16_rne},
};

std::vector<uint16_t> rounded(std::span<const float> d, const OutType& type) {
  std::vector<uint16_t> halves;
  halves.reserve(d.size());
  for (float x : d) halves.push_back(type.round(std::bit_cast<uint32_t>(x)));
  return halves;
}

constexpr int64_t max_repeat = 1'000'000;

struct GemmSettings {
  std::filesystem::path a, b, c, out, json;
  const Datapath* datapath = &datapaths[0];
  const OutType* out_type = &out_types[0];
  std::string implementation = "kernel";
  int64_t repeat = 1;
};

// The file's only quantized tensor.
MxTensor read_operand(const std::filesystem::path& path) {
  const SafetensorsFile file = SafetensorsFile::open(path);
  const std::vector<std::string> names = quantized_names_only(file);
  if (names.size() != 1)
    throw InputError(path.string() + ": holds " + std::to_string(names.size()) +
                     " quantized tensors; expected one");
  return read_quantized(file, names.front());
}

// C (M,N), the leading dimensions of A folded into M or not.
std::vector<float> read_c(const std::filesystem::path& path, const MxTensor& a, int64_t N) {
  const SafetensorsFile file = SafetensorsFile::open(path);
  if (file.tensors().size() != 1)
    throw InputError(path.string() + ": holds " + std::to_string(file.tensors().size()) +
                     " tensors; expected one");
  const TensorView& c = file.tensors().front();
  std::vector<int64_t> unfolded = a.shape;
  unfolded.back() = N;
  const std::vector<int64_t> folded = {a.rows(), N};
  if (c.shape != folded && c.shape != unfolded)
    throw InputError(path.string() + ": tensor '" + c.name + "' has shape " + to_string(c.shape) +
                     "; expected " + to_string(folded) + " (M, N)");
  return to_binary32(file, c);
}

void check_b(const std::filesystem::path& path, const MxTensor& a, const MxTensor& b,
             const Datapath& datapath) {
  if (a.format().scale != b.format().scale)
    throw InputError(path.string() + ": " +
                     no_product(a.format(), b.format(), a.block(), datapath));
  if (b.cols() != a.cols())
    throw InputError(path.string() + ": K is " + std::to_string(b.cols()) + "; that of --a is " +
                     std::to_string(a.cols()));
  if (b.block() != a.block())
    throw InputError(path.string() + ": the block length is " + std::to_string(b.block()) +
                     "; that of --a is " + std::to_string(a.block()));
}

// The seconds of `repeat` products, ascending.
std::vector<double> multiply(Engine& engine, const MxTensor& a, const PreparedOperand& b,
                             std::span<const float> c, std::span<float> d, int64_t repeat) {
  std::vector<double> seconds;
  for (int64_t i = 0; i < repeat; ++i) {
    const auto start = std::chrono::steady_clock::now();
    engine.multiply(a, b, c, d);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    seconds.push_back(took.count());
  }
  std::ranges::sort(seconds);
  return seconds;
}

int gemm_command(const GemmSettings& options, const EngineTable& engines) {
  const std::unique_ptr<Engine> engine = make_engine(engines, options.implementation);
  require_writable(options.out);
  require_writable(options.json);
  Record record("gemm");

  const MxTensor a = read_operand(options.a), b = read_operand(options.b);
  check_b(options.b, a, b, *options.datapath);
  require(*engine, a.format(), b.format(), a.block(), *options.datapath);
  const int64_t M = a.rows(), N = b.rows(), K = a.cols();
  std::vector<float> c;
  if (!options.c.empty()) c = read_c(options.c, a, N);

  const auto prepared = engine->prepare(b, *options.datapath);
  std::vector<float> d(size_t(M * N));
  const std::vector<double> seconds = multiply(*engine, a, *prepared, c, d, options.repeat);
  const double best = seconds.front(), median = seconds[seconds.size() / 2];
  const double gmacs_per_second = double(M * N * K) / best / 1e9;

  SafetensorsWriter writer;
  std::vector<uint16_t> halves;
  if (options.out_type->round) {
    halves = rounded(d, *options.out_type);
    writer.add("d", options.out_type->dtype, {M, N}, halves);
  } else {
    writer.add("d", options.out_type->dtype, {M, N}, d);
  }
  writer.write(options.out);
  record.add({{"task", "gemm"},
              {"m", M},
              {"n", N},
              {"k", K},
              {"format_a", a.format().name},
              {"format_b", b.format().name},
              {"datapath", options.datapath->name},
              {"macs", M * N * K},
              {"seconds", best},
              {"seconds_median", median},
              {"gmacs_per_second", gmacs_per_second},
              {"repeat", options.repeat},
              {"implementation", engine->name()},
              {"isa", name_of(current_isa())},
              {"threads", threads()}});
  record.write(options.json);
  fmt::print("M {}, N {}, K {}, {} × {} on {} by {}: ", M, N, K, a.format().name, b.format().name,
             options.datapath->name, engine->name());
  fmt::print("best {:.3g} s, median {:.3g} s of {}; {:.3g} GMAC/s at best\n", best, median,
             seconds.size(), gmacs_per_second);
  return exit_good;
}

}  // namespace

Action define_gemm(CLI::App& app, const Context& context) {
  auto o = std::make_shared<GemmSettings>();
  add_input(
      app, "--a", o->a,
      "A (M,K), one quantized tensor of any name; of more dimensions all but the last make up M")
      ->required();
  add_input(app, "--b", o->b, "B (N,K), one quantized tensor of any name")->required();
  add_input(app, "--c", o->c, "C (M,N), one tensor of any name (default: none)");
  add_output(app, "--out", o->out, "safetensors with 'd' (M,N)")->required();
  add_datapath(app, o->datapath, "accumulation");
  add_named(app, "--out-type", o->out_type, out_types, "output type", "type of d");
  add_engine(app, "--impl", o->implementation, context.engines);
  add_number<int64_t>(app, "--repeat", o->repeat, 1, max_repeat,
                      "multiply N times, print and record the best time and the median");
  add_threads(app);
  add_isa(app);
  add_json(app, o->json);
  return [o, &engines = context.engines] { return gemm_command(*o, engines); };
}

}  // namespace mxref
