#include "eval/cli/audit_command.h"

#include <CLI/CLI.hpp>
#include <filesystem>

#include "emu/audit/dump.h"
#include "emu/files/atomic_file.h"
#include "eval/child_process.h"
#include "eval/scratch_folder.h"

namespace mxref {
namespace {

namespace fs = std::filesystem;

void replace_all(std::string& text, const std::string& what, const std::string& by) {
  for (size_t at = 0; (at = text.find(what, at)) != text.npos; at += by.size())
    text.replace(at, what.size(), by);
}

// What the program said last.
std::string end_of(const fs::path& output) {
  constexpr size_t most = 600;
  std::string text = fs::exists(output) ? read_file(output) : "";
  while (!text.empty() && text.back() == '\n') text.pop_back();
  if (text.size() > most) text = "…" + text.substr(text.size() - most);
  return text.empty() ? " and said nothing" : ":\n" + text;
}

class CommandSimulator : public Simulator {
 public:
  CommandSimulator(std::string command, std::chrono::seconds limit)
      : command_(std::move(command)), limit_(limit), words_(CLI::detail::split_up(command_)) {
    for (std::string& word : words_) CLI::detail::remove_quotes(word);
    for (const char* place : {"{in}", "{out}"})
      if (command_.find(place) == command_.npos)
        throw UsageError("--command '" + command_ + "' has no " + place +
                         "; expected such as 'python3 sim.py {in} {out}'");
  }
  std::string name() const override { return command_; }

  ProductAnswer multiply(const ProductInput& input, const Datapath& datapath) override {
    write_dump(in_, input, datapath);
    return read_answer(answer(), input);
  }
  MxTensor convert(const ConversionInput& input) override {
    write_dump(in_, input);
    return read_answer(answer(), input);
  }

 private:
  SafetensorsFile answer() const {
    std::vector<std::string> words = words_;
    for (std::string& word : words) {
      replace_all(word, "{in}", in_);
      replace_all(word, "{out}", out_);
    }
    std::error_code is_gone;
    fs::remove(out_, is_gone);
    const int status = run_program(words, said_, limit_);
    if (status == program_not_started) fail("cannot be started");
    if (status == program_out_of_time)
      fail("took longer than " + std::to_string(limit_.count()) + " s (--timeout)" + end_of(said_));
    if (status != 0) fail("ended with " + std::to_string(status) + end_of(said_));
    if (!fs::exists(out_)) fail("wrote no {out}" + end_of(said_));
    return SafetensorsFile::open(out_);
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw InputError("--command '" + command_ + "' " + what);
  }

  std::string command_;
  std::chrono::seconds limit_;
  std::vector<std::string> words_;
  ScratchFolder folder_{"the files of --command"};
  fs::path in_ = folder_ / "in.safetensors", out_ = folder_ / "out.safetensors",
           said_ = folder_ / "said";
};

}  // namespace

std::unique_ptr<Simulator> make_command_simulator(const std::string& command,
                                                  std::chrono::seconds limit) {
  return std::make_unique<CommandSimulator>(command, limit);
}

}  // namespace mxref
