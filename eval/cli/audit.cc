// mxref audit: somebody's simulator against the definition: what differs, why, and the smallest
// input on which it does. Two traces of a model: audit_trace.cc.

#include <fmt/format.h>

#include "emu/audit/dump.h"
#include "emu/audit/shrink.h"
#include "emu/audit/stimulus.h"
#include "emu/files/atomic_file.h"
#include "emu/files/quantized.h"
#include "emu/gemm.h"
#include "emu/quantize.h"
#include "emu/shell_word.h"
#include "eval/cli/audit_command.h"
#include "eval/cli/audit_trace.h"
#include "eval/cli/command.h"
#include "eval/cli/options.h"
#include "eval/report/audit_results.h"
#include "eval/report/progress.h"
#include "eval/report/record.h"

namespace mxref {
namespace {

constexpr int64_t max_random = 1'000'000;

struct AuditSettings {
  std::filesystem::path dump, in, json, failure = "audit_failure.safetensors";
  std::vector<std::filesystem::path> traces;  // none, or two
  std::string command, implementation;
  const BuiltinSimulator* builtin = nullptr;
  const AuditOperationName* operation = nullptr;  // null: what is simulated, or a product
  const Datapath* datapath = nullptr;             // null: what the file names, or the first
  const BlockFormat *format = nullptr, *format_b = nullptr;
  Conversion conversion;  // but for the format
  int block = 0;          // 0: the format's own
  bool whole_blocks = false;
  int64_t count = 32, timeout = 60;
  uint64_t seed = 1;

  Conversion of(const BlockFormat& format) const {
    Conversion c = conversion;
    c.format = &format;
    c.block = block ? block : format.block;
    check_conversion(c);
    return c;
  }
  RowEnds ends() const { return whole_blocks ? RowEnds::whole_blocks : RowEnds::any; }
};

// A pair of formats, or one of a conversion.
struct Formats {
  const BlockFormat *a, *b;
};

class Audit {
 public:
  Audit(AuditSettings& options, const EngineTable& engines)
      : o_(options), record_("audit"), failure_(options.failure) {
    record_.set_seed(o_.seed);
    const int sources = !o_.dump.empty() + !o_.command.empty() + !o_.implementation.empty() +
                        (o_.builtin != nullptr);
    if (sources != 1)
      throw UsageError("expected one of --dump, --command, --builtin, --impl and --trace, got " +
                       std::to_string(sources));
    if (!o_.dump.empty() && !o_.in.empty())
      throw UsageError("--in gives a simulator its operands; a dump has its own");
    if (!o_.command.empty())
      simulator_ = make_command_simulator(o_.command, std::chrono::seconds(o_.timeout));
    if (o_.builtin) simulator_ = o_.builtin->make();
    if (!o_.implementation.empty())
      simulator_ = make_engine_simulator(make_engine(engines, o_.implementation));
    if (operation() == AuditOperation::product && o_.dump.empty() && o_.in.empty() &&
        (o_.conversion.rule != Conversion{}.rule ||
         o_.conversion.rounding != Conversion{}.rounding))
      throw UsageError("--scale-rule and --rounding are of a conversion; this audits a product");
    require_writable(o_.json);
    require_writable(o_.failure);
  }

  int run() {
    if (!o_.dump.empty() || !o_.in.empty())
      audit_file(o_.dump.empty() ? o_.in : o_.dump);
    else
      audit_random();
    record_.set("passed", different_ == 0);
    record_.write(o_.json);
    return different_ == 0 ? exit_good : exit_check_failed;
  }

 private:
  AuditOperation operation() const {
    if (o_.operation) return o_.operation->operation;
    return o_.builtin && o_.builtin->operation ? *o_.builtin->operation : AuditOperation::product;
  }

  void audit_file(const std::filesystem::path& path) {
    const SafetensorsFile file = SafetensorsFile::open(path);
    std::optional<Conversion> a, b;
    if (o_.format) a = b = o_.of(*o_.format);
    if (o_.format_b) b = o_.of(*o_.format_b);
    const DumpInput read = read_dump_input(file, {a ? &*a : nullptr, b ? &*b : nullptr});
    const Datapath& datapath = o_.datapath     ? *o_.datapath
                               : read.datapath ? *read.datapath
                                               : datapaths[0];
    AuditCases cases;
    if (const auto* product = std::get_if<ProductInput>(&read.input)) {
      require_product(path, *product, datapath);
      cases.push_back(std::make_unique<ProductCase>(
          *product,
          simulator_ ? simulator_->multiply(*product, datapath) : read_answer(file, *product),
          datapath));
      report({product->a.conversion.format, product->b.conversion.format}, datapath, cases);
    } else {
      const auto& conversion = std::get<ConversionInput>(read.input);
      cases.push_back(
          std::make_unique<ConversionCase>(conversion, simulator_ ? simulator_->convert(conversion)
                                                                  : read_answer(file, conversion)));
      report({conversion.conversion.format, nullptr}, datapath, cases);
    }
  }

  void require_product(const std::filesystem::path& path, const ProductInput& input,
                       const Datapath& datapath) const {
    const std::string reason =
        no_product(input.a.format(), input.b.format(), input.a.block(), datapath);
    if (!reason.empty())
      throw UsageError(path.string() + " on datapath '" + std::string(datapath.name) +
                       "': " + reason);
  }

  // Formats that the simulator takes. A command is never asked for what nobody named.
  std::vector<Formats> formats(const Datapath& datapath) const {
    if (!o_.format && !o_.command.empty())
      throw UsageError("--command needs --format: which it computes is not known here");
    const bool is_product = operation() == AuditOperation::product;
    std::vector<Formats> pairs;
    std::string reason = "there is none";
    for (const BlockFormat& a : block_formats) {
      if (o_.format && &a != o_.format) continue;
      const BlockFormat& b = o_.format_b ? *o_.format_b : a;
      const int block = o_.block ? o_.block : a.block;
      reason = is_product ? no_product(a, b, block, datapath) : "";
      if (reason.empty()) reason = simulator_->refuses(a, b, block, datapath);
      if (reason.empty()) pairs.push_back({&a, is_product ? &b : nullptr});
    }
    if (pairs.empty())
      throw UsageError("'" + simulator_->name() + "' takes none of these operands on datapath '" +
                       std::string(datapath.name) + "': " + reason);
    return pairs;
  }

  void audit_random() {
    const Datapath& datapath = o_.datapath ? *o_.datapath : datapaths[0];
    const std::vector<Formats> pairs = formats(datapath);
    for (const Formats& pair : pairs) {
      if (pairs.size() > 1) {  // a file for each
        failure_ = o_.failure;
        failure_.replace_extension("." + std::string(pair.a->name) +
                                   o_.failure.extension().string());
        require_writable(failure_);
      }
      AuditCases cases;
      Progress progress("audit " + std::string(pair.a->name), o_.count);
      for (int64_t i = 0; i < o_.count; ++i) {
        cases.push_back(answered(pair, datapath, o_.seed + uint64_t(i)));
        progress.update(i + 1);
      }
      progress.clear();
      report(pair, datapath, cases);
    }
  }

  std::unique_ptr<AuditCase> answered(const Formats& pair, const Datapath& datapath,
                                      uint64_t seed) {
    const Conversion a = o_.of(*pair.a);
    try {
      if (!pair.b) {
        ConversionInput input = audit_conversion(a, seed, o_.ends());
        MxTensor answer = simulator_->convert(input);
        return std::make_unique<ConversionCase>(std::move(input), std::move(answer));
      }
      ProductInput input = audit_product(a, o_.of(*pair.b), seed, o_.ends());
      ProductAnswer answer = simulator_->multiply(input, datapath);
      return std::make_unique<ProductCase>(std::move(input), std::move(answer), datapath);
    } catch (const InputError& e) {
      throw InputError(std::string(e.what()) + "\n(the input of seed " + std::to_string(seed) +
                       "; where the simulator takes no short last block: --whole-blocks)");
    }
  }

  void report(const Formats& pair, const Datapath& datapath, const AuditCases& cases) {
    const AuditReport found = make_report(cases);
    different_ += found.different;
    std::unique_ptr<AuditCase> shrunk;
    SmallestFailure failure;
    if (found.smallest) {
      const AuditCase& of = *cases[found.smallest->in_case];
      shrunk = smallest(of, found.smallest->unit, found.rows.front());
      if (shrunk && first_failing(*shrunk) < 0) shrunk = nullptr;
      // What fails only beside other inputs is shown, and written, among them.
      failure = {shrunk ? shrunk.get() : &of,
                 shrunk ? first_failing(*shrunk) : found.smallest->unit, reproduce()};
      write_failure(*failure.of);
    }
    const std::string who = simulator_ ? simulator_->name() : o_.dump.string();
    const std::string what =
        pair.b ? fmt::format("{} × {} on {}", pair.a->name, pair.b->name, datapath.name)
               : fmt::format("conversion to {}", pair.a->name);
    fmt::print("{}: {}\n{}", who, what, audit_text(found, failure));
    nlohmann::ordered_json result{
        {"task", "audit"}, {"simulator", who}, {"format_a", pair.a->name}};
    if (pair.b) {
      result["format_b"] = pair.b->name;
      result["datapath"] = datapath.name;
    }
    result.update(audit_result(found, failure));
    record_.add(std::move(result));
  }

  // The failing unit alone and, where the simulator can be asked again, made as small as may be.
  // It may not fail alone, or not when it is asked once more.
  std::unique_ptr<AuditCase> smallest(const AuditCase& of, int64_t unit, const ClassRow& row) {
    if (const auto* product = dynamic_cast<const ProductCase*>(&of)) {
      const int64_t N = product->input().b.rows();
      ProductInput one = rows_of(product->input(), unit / N, unit % N);
      if (simulator_) return shrink(*simulator_, one, product->datapath(), row);
      ProductAnswer answer{product->answer().type, {product->answer().d[size_t(unit)]}};
      return std::make_unique<ProductCase>(std::move(one), std::move(answer), product->datapath());
    }
    const auto& conversion = dynamic_cast<const ConversionCase&>(of);
    ConversionInput one = conversion.unit_input(unit);
    if (simulator_) return shrink(*simulator_, one, row);
    return std::make_unique<ConversionCase>(std::move(one), conversion.unit_answer(unit));
  }

  static int64_t first_failing(const AuditCase& of) {
    for (int64_t unit = 0; unit < of.units(); ++unit)
      if (of.unit(unit).differs()) return unit;
    return -1;
  }

  void write_failure(const AuditCase& of) const {
    // An audit that repeats a failure leaves its file as it is.
    for (const std::filesystem::path& read : {o_.dump, o_.in}) {
      std::error_code is_absent;
      if (std::filesystem::equivalent(read, failure_, is_absent)) return;
    }
    if (const auto* product = dynamic_cast<const ProductCase*>(&of))
      return write_dump(failure_, product->input(), product->datapath(), &product->answer());
    const auto& conversion = dynamic_cast<const ConversionCase&>(of);
    write_dump(failure_, conversion.input(), &conversion.answer());
  }
  std::string reproduce() const {
    const std::string file = shell_word(failure_.string());
    if (!o_.command.empty())
      return "mxref audit --command " + shell_word(o_.command) + " --in " + file;
    if (o_.builtin)
      return "mxref audit --builtin " + std::string(o_.builtin->name) + " --in " + file;
    if (!o_.implementation.empty())
      return "mxref audit --impl " + shell_word(o_.implementation) + " --in " + file;
    return "mxref audit --dump " + file;
  }

  AuditSettings& o_;
  Record record_;
  std::filesystem::path failure_;         // of the present pair of formats
  std::unique_ptr<Simulator> simulator_;  // null: a dump
  int64_t different_ = 0;
};

std::string builtin_list() {
  std::string list;
  for (const BuiltinSimulator& row : builtin_simulators)
    list += (list.empty() ? "" : "; ") + std::string(row.name) + ": " + std::string(row.what);
  return list;
}

void add_conversion_options(CLI::App& app, const std::shared_ptr<AuditSettings>& o) {
  add_named(app, "--format", o->format, block_formats, "format",
            "format of the operands, or of a; of a dump, where its metadata is silent");
  add_named(app, "--format-b", o->format_b, block_formats, "format", "format of b");
  add_named(app, "--scale-rule", o->conversion.rule, scale_rules, "scale rule", "of a conversion");
  add_named(app, "--rounding", o->conversion.rounding, roundings, "rounding", "of a conversion");
  app.add_option_function<std::string>(
         "--prescale",
         [o](const std::string& text) { o->conversion.prescale = parse_prescale(text); },
         "pre-scale p of the elements, a fraction such as 3/4 (default 1)")
      ->type_name("P");
  app.add_option_function<std::string>(
         "--block", [o](const std::string& text) { o->block = parse_block_length(text); },
         "block length (default: the format's own): " + block_length_list())
      ->type_name("N");
}

}  // namespace

Action define_audit(CLI::App& app, const Context& context) {
  auto o = std::make_shared<AuditSettings>();
  add_input(app, "--dump", o->dump,
            "safetensors with operands and what a simulator made of them: a.codes, a.scales, "
            "b.codes, b.scales, c or not, d; or x F32, x.codes, x.scales");
  app.add_option("--command", o->command,
                 "a live simulator such as 'python3 sim.py {in} {out}': reads the file {in}, a "
                 "dump without its answer, and writes {out} with it; run without a shell")
      ->type_name("CMD");
  add_named(app, "--builtin", o->builtin, builtin_simulators, "simulator",
            "a simulator of mxref's own (" + builtin_list() + ")");
  app.add_option_function<std::string>(
         "--impl",
         [o, &engines = context.engines](const std::string& text) {
           o->implementation = engine_entry(engines, text).name;
         },
         "an engine: " + names_of(context.engines) + ", or plugin:FILE.so")
      ->type_name("NAME");
  add_input(app, "--in", o->in, "a dump whose operands the simulator gets, not random ones");
  add_named(app, "--operation", o->operation, audit_operations, "operation",
            "what a command computes (default product)");
  add_datapath(app, o->datapath, "what a product is compared with (default: the file's, or fused)");
  add_conversion_options(app, o);
  add_number<int64_t>(app, "--count", o->count, 1, max_random,
                      "random products or conversions, each one run of a command (default 32)");
  app.add_flag("--whole-blocks", o->whole_blocks, "no row ends in a short block");
  add_number<int64_t>(app, "--timeout", o->timeout, 1, 86400,
                      "seconds after which a run of the command is ended (default 60)");
  add_output(app, "--failure", o->failure,
             "where the smallest failing input is written, as a dump, when something differs "
             "(default audit_failure.safetensors; audit_failure.FORMAT.safetensors where several "
             "formats are audited)");
  add_seed(app, o->seed, "seed of the first input");
  add_trace(app, o->traces);
  add_threads(app);
  add_json(app, o->json);
  return [o, &app, &engines = context.engines] {
    return o->traces.empty() ? Audit(*o, engines).run() : audit_traces(app, o->traces, o->json);
  };
}

}  // namespace mxref
