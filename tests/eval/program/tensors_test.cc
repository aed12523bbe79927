#include <bit>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "emu/files/quantized.h"
#include "emu/gemm.h"
#include "emu/isa.h"
#include "emu/quantize.h"
#include "tests/eval/program/files.h"
#include "tests/hostile_safetensors.h"

using namespace mxref;
using nlohmann::json;
using Words = std::vector<std::string>;

BOOST_AUTO_TEST_SUITE(tensors)

static json header_of(const std::string& path) {
  const std::string bytes = read_file(path);
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  return json::parse(bytes.substr(8, length));
}

// qa: (2, 3, 37) mxfp4 with pre-scale 3/4; qb: (5, 37) mxfp8_e4m3; c: (6, 5) F32.
struct Operands : TemporaryFolder {
  Operands() {
    write_tensor(*this / "a", "x", {2, 3, 37}, 1);
    write_tensor(*this / "b", "w", {5, 37}, 2);
    write_tensor(*this / "c", "any", {6, 5}, 3);
    check_good(run_mxref({"quantize", "--in", *this / "a", "--format", "mxfp4", "--prescale", "3/4",
                          "--out", *this / "qa"}));
    check_good(run_mxref(
        {"quantize", "--in", *this / "b", "--format", "mxfp8_e4m3", "--out", *this / "qb"}));
  }
  Words gemm(const Words& more) const {
    Words args = {"gemm", "--a", *this / "qa", "--b", *this / "qb", "--out", *this / "d"};
    args.insert(args.end(), more.begin(), more.end());
    return args;
  }
};

BOOST_AUTO_TEST_CASE(a_quantized_file_is_what_the_contract_says) {
  const Operands in;
  const json header = header_of(in / "qa");
  BOOST_TEST(header["x.codes"]["dtype"] == "U8");
  BOOST_TEST(header["x.codes"]["shape"] == (json{2, 3, 37}));
  BOOST_TEST(header["x.scales"]["dtype"] == "U8");
  BOOST_TEST(header["x.scales"]["shape"] == (json{2, 3, 2}));
  BOOST_TEST(header["__metadata__"] == (json{{"mxref.x.format", "mxfp4"},
                                             {"mxref.x.block", "32"},
                                             {"mxref.x.scale_rule", "floor"},
                                             {"mxref.x.rounding", "rne"},
                                             {"mxref.x.prescale", "3/4"}}));
  BOOST_TEST(header.size() == 3u);
}

BOOST_AUTO_TEST_CASE(the_bits_are_those_of_the_definition) {
  const Operands in;
  const SafetensorsFile a = SafetensorsFile::open(in / "a");
  const MxTensor expected = quantize_ref(to_binary32(a, a.at("x")), {2, 3, 37},
                                         {.format = &block_format("mxfp4"), .prescale = {3, 4}});
  const MxTensor qa = read_quantized(SafetensorsFile::open(in / "qa"), "x");
  BOOST_TEST(qa.codes == expected.codes);
  BOOST_TEST(qa.scales == expected.scales);

  check_good(run_mxref({"dequantize", "--in", in / "qa", "--out", in / "y"}));
  const SafetensorsFile y = SafetensorsFile::open(in / "y");
  BOOST_TEST(y.tensors().size() == 1u);
  BOOST_TEST(y.at("x").shape == (std::vector<int64_t>{2, 3, 37}));
  BOOST_TEST(to_binary32(y, y.at("x")) == dequantize(qa));

  const MxTensor qb = read_quantized(SafetensorsFile::open(in / "qb"), "w");
  const SafetensorsFile c = SafetensorsFile::open(in / "c");
  std::vector<float> d(30);
  gemm_ref(qa, qb, datapath("fused"), to_binary32(c, c.at("any")), d);
  check_good(run_mxref(in.gemm({"--c", in / "c"})));
  const SafetensorsFile out = SafetensorsFile::open(in / "d");
  BOOST_TEST(out.at("d").shape == (std::vector<int64_t>{6, 5}));
  BOOST_TEST(to_binary32(out, out.at("d")) == d);
  // The control: without C the product is another.
  check_good(run_mxref(in.gemm({})));
  const SafetensorsFile without = SafetensorsFile::open(in / "d");
  BOOST_TEST(to_binary32(without, without.at("d")) != d);
}

BOOST_AUTO_TEST_CASE(reruns_are_byte_identical_whatever_engine_isa_and_threads) {
  const Operands in;
  const auto bytes_of_gemm = [&](const Words& more) {
    check_good(run_mxref(in.gemm(more)));
    return read_file(in / "d");
  };
  const std::string expected = bytes_of_gemm({"--impl", "ref"});
  BOOST_TEST(bytes_of_gemm({"--impl", "ref"}) == expected);
  for (const IsaRow& row : isas)
    for (const char* threads : {"1", "2", "7"}) {
      if (!machine_has(row.isa)) continue;
      const std::string isa(row.name);
      BOOST_TEST(bytes_of_gemm({"--isa", isa, "--threads", threads}) == expected);
      check_good(run_mxref({"quantize", "--in", in / "a", "--format", "mxfp4", "--prescale", "3/4",
                            "--isa", isa, "--threads", threads, "--out", in / "q"}));
      BOOST_TEST(read_file(in / "q") == read_file(in / "qa"));
    }
}

BOOST_AUTO_TEST_CASE(sixteen_bit_inputs_convert_as_their_values) {
  const TemporaryFolder folder;
  const std::vector<uint16_t> bf16 = {0x3F80, 0xC040, 0x0001, 0x7F80},
                              f16 = {0x3C00, 0xC200, 0x0001, 0x7C00};
  const std::vector<float> values = {1, -3, std::bit_cast<float>(0x00010000u), INFINITY},
                           halves = {1, -3, 0x1p-24f, INFINITY};
  SafetensorsWriter sixteen, full;
  sixteen.add("b", DType::BF16, {4}, bf16);
  sixteen.add("h", DType::F16, {4}, f16);
  full.add("b", DType::F32, {4}, values);
  full.add("h", DType::F32, {4}, halves);
  sixteen.write(folder / "16");
  full.write(folder / "32");
  for (const char* name : {"16", "32"})
    check_good(run_mxref({"quantize", "--in", folder / name, "--format", "mxfp8_e4m3", "--out",
                          folder / std::string("q").append(name)}));
  BOOST_TEST(read_file(folder / "q16") == read_file(folder / "q32"));
}

BOOST_AUTO_TEST_CASE(nan_and_inf_of_the_input_are_counted) {
  const TemporaryFolder folder;
  const auto quantize = [&](const std::vector<float>& x) {
    SafetensorsWriter writer;
    writer.add("x", DType::F32, {int64_t(x.size())}, x);
    writer.write(folder / "x");
    const Outcome outcome = run_mxref({"quantize", "--in", folder / "x", "--format", "mxfp4",
                                       "--out", folder / "q", "--json", folder / "r"});
    check_good(outcome);
    return outcome.out;
  };
  std::vector<float> x(96, 1.0f);
  BOOST_TEST(quantize(x).find("NaN") == std::string::npos);  // the control
  x[0] = NAN;
  x[1] = x[95] = -INFINITY;
  const std::string says = quantize(x);
  BOOST_TEST(says.find("1 NaN and 2 Inf in the input make 2 block(s) NaN") != std::string::npos,
             says);
  const json result = json::parse(read_file(folder / "r"))["results"][0];
  BOOST_TEST(result["nan"] == 1);
  BOOST_TEST(result["infinite"] == 2);
  BOOST_TEST(result["nan_blocks"] == 2);
}

BOOST_AUTO_TEST_CASE(gemm_records_the_product) {
  const Operands in;
  const Outcome outcome =
      run_mxref(in.gemm({"--repeat", "3", "--threads", "1", "--json", in / "r.json"}));
  check_good(outcome);
  for (const char* part : {"best", "median", " of 3", "GMAC/s"})
    BOOST_TEST(outcome.out.find(part) != std::string::npos, outcome.out);
  const json record = json::parse(read_file(in / "r.json"));
  const json& result = record["results"][0];
  BOOST_TEST(result["macs"] == 2 * 3 * 5 * 37);
  BOOST_TEST(result["seconds"] > 0.0);
  BOOST_TEST(result["seconds_median"] >= result["seconds"]);
  BOOST_TEST(result["gmacs_per_second"] == 2 * 3 * 5 * 37 / result["seconds"].get<double>() / 1e9);
  BOOST_TEST(result["implementation"] == "kernel");
  BOOST_TEST(result["threads"] == 1);
  BOOST_TEST(result.contains("isa"));
}

BOOST_AUTO_TEST_CASE(operands_that_do_not_fit_are_named) {
  const Operands in;
  const auto quantized = [&](const std::string& name, const std::vector<int64_t>& shape,
                             const std::string& block) {
    write_tensor(in / "t", "t", shape);
    check_good(run_mxref(
        {"quantize", "--in", in / "t", "--format", "mxfp4", "--block", block, "--out", in / name}));
  };
  const auto refused = [&](const std::string& b, const std::vector<std::string>& parts) {
    check_refused(run_mxref({"gemm", "--a", in / "qa", "--b", in / b, "--out", in / "e"}), 3,
                  parts);
  };
  quantized("k", {5, 38}, "32");
  refused("k", {in / "k", "K is 38", "37"});
  quantized("block", {5, 37}, "16");
  refused("block", {in / "block", "block length is 16", "32"});
  refused("a", {in / "a", "no quantized tensor"});
  write_tensor(in / "c2", "c", {5, 6});
  check_refused(run_mxref(in.gemm({"--c", in / "c2"})), 3, {in / "c2", "(5, 6)", "(6, 5)"});
  check_refused(run_mxref(in.gemm({"--c", in / "qa"})), 3, {in / "qa", "2 tensors"});
}

BOOST_AUTO_TEST_CASE(damaged_files_are_refused_by_every_reader_and_leave_no_output) {
  const Operands in;
  for (const DamagedFile& damaged : damaged_safetensors()) {
    const std::string path = in / "damaged";
    write_atomically(path, damaged.bytes);
    const size_t before = files_in(in.path()).size();
    const std::vector<std::string> parts = {path, damaged.message};
    check_refused(run_mxref({"quantize", "--in", path, "--format", "mxfp4", "--out", in / "o"}), 3,
                  parts);
    check_refused(run_mxref({"dequantize", "--in", path, "--out", in / "o"}), 3, parts);
    check_refused(run_mxref({"gemm", "--a", in / "qa", "--b", path, "--out", in / "o"}), 3, parts);
    BOOST_TEST(files_in(in.path()).size() == before);
  }
}

BOOST_AUTO_TEST_CASE(what_quantize_cannot_take_is_named) {
  const TemporaryFolder folder;
  const auto refused = [&](DType type, const std::vector<int64_t>& shape, size_t bytes,
                           const std::string& part) {
    const std::vector<uint8_t> data(bytes);
    SafetensorsWriter writer;
    writer.add("x", type, shape, data);
    writer.write(folder / "x");
    check_refused(
        run_mxref({"quantize", "--in", folder / "x", "--format", "mxfp4", "--out", folder / "q"}),
        3, {folder / "x", "tensor 'x'", part});
  };
  refused(DType::I64, {2}, 16, "I64; expected F32, F16 or BF16");
  refused(DType::F64, {2}, 16, "F64; expected");
  refused(DType::F32, {}, 4, "of shape () is a scalar");
  refused(DType::F32, {3, 0}, 0, "of shape (3, 0) is empty");
  SafetensorsWriter().write(folder / "x");
  check_refused(
      run_mxref({"quantize", "--in", folder / "x", "--format", "mxfp4", "--out", folder / "q"}), 3,
      {"holds no tensor"});
  BOOST_TEST(files_in(folder.path()) == std::vector<std::string>{"x"});
}

BOOST_AUTO_TEST_CASE(unwritable_outputs_and_full_disks_leave_nothing) {
  const Operands in;
  write_tensor(in / "large", "x", {64, 1024});
  const size_t before = files_in(in.path()).size();
  const auto quantize_to = [&](const std::string& out, const Surroundings& surroundings = {}) {
    return run_mxref({"quantize", "--in", in / "large", "--format", "mxfp4", "--out", out},
                     surroundings);
  };
  check_refused(quantize_to(in / "absent/q"), 3, {"absent/q", "No such file"});
  check_refused(quantize_to(in.path()), 3, {"is a directory"});
  check_refused(quantize_to("/dev/full"), 3, {"/dev/full", "No space left"});
  check_refused(quantize_to(in / "a/q"), 3, {"a/q"});
  check_refused(quantize_to(in / "q", {.file_size_limit = 4096}), 3, {in / "q", "too large"});
  for (const char* name : {"absent", "a", "b"})
    check_refused(run_mxref({"quantize", "--in", (in / name).append("/x"), "--format", "mxfp4",
                             "--out", in / "q"}),
                  3, {"cannot be read"});
  check_refused(run_mxref({"dequantize", "--in", in.path(), "--out", in / "q"}), 3,
                {"is no regular file"});
  BOOST_TEST(files_in(in.path()).size() == before);
  check_good(quantize_to(in / "q"));  // the control
}

BOOST_AUTO_TEST_SUITE_END()
