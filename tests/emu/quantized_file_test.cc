#include <boost/test/unit_test.hpp>
#include <functional>

#include "emu/error.h"
#include "emu/files/atomic_file.h"
#include "emu/files/quantized.h"
#include "emu/quantize.h"
#include "tests/temporary_folder.h"

using namespace mxref;

BOOST_AUTO_TEST_SUITE(quantized_file)

// The parts of a file with the quantized tensor "m.w" of shape (2, 3, 37) in mxfp4; a case changes
// them.
struct Parts {
  DType codes_type = DType::U8, scales_type = DType::U8;
  std::vector<int64_t> codes_shape = {2, 3, 37}, scales_shape = {2, 3, 2};
  std::vector<uint8_t> codes = std::vector<uint8_t>(222, 7), scales = std::vector<uint8_t>(12, 127);
  std::string codes_name = "m.w.codes", scales_name = "m.w.scales";
  std::map<std::string, std::string> metadata = {{"mxref.m.w.format", "mxfp4"},
                                                 {"mxref.m.w.block", "32"},
                                                 {"mxref.m.w.scale_rule", "floor"},
                                                 {"mxref.m.w.rounding", "rne"},
                                                 {"mxref.m.w.prescale", "3/4"}};
};

static MxTensor written_and_read(const Parts& parts) {
  const TemporaryFolder folder;
  SafetensorsWriter writer;
  writer.add(parts.codes_name, parts.codes_type, parts.codes_shape, parts.codes);
  writer.add(parts.scales_name, parts.scales_type, parts.scales_shape, parts.scales);
  for (const auto& [key, value] : parts.metadata) writer.set_metadata(key, value);
  writer.write(folder / "q.safetensors");
  const SafetensorsFile file = SafetensorsFile::open(folder / "q.safetensors");
  for (const std::string& name : quantized_names_only(file)) read_quantized(file, name);
  return read_quantized(file, "m.w");
}

BOOST_AUTO_TEST_CASE(every_format_block_length_and_shape_comes_back) {
  const TemporaryFolder folder;
  for (const BlockFormat& format : block_formats)
    for (int block : block_lengths)
      for (const std::vector<int64_t>& shape :
           {std::vector<int64_t>{37}, {1}, {3, 32}, {2, 3, 37}, {1, 1, 129}}) {
        int64_t n = 1;
        for (int64_t extent : shape) n *= extent;
        std::vector<float> x(static_cast<size_t>(n));
        for (size_t i = 0; i < x.size(); ++i) x[i] = float(i % 13) - 6;
        if (!is_block_length(format, block)) continue;
        const Prescale p = format.has_tensor_scale() ? Prescale{} : Prescale{3, 4};
        const Conversion conversion{.format = &format, .prescale = p, .block = block};
        const MxTensor q = quantize(x, shape, conversion);
        for (const bool packed : {false, true}) {
          SafetensorsWriter writer;
          add_quantized(writer, "layer.0.weight", q, packed);
          writer.write(folder / "q");
          const MxTensor r = read_quantized(SafetensorsFile::open(folder / "q"), "layer.0.weight");
          BOOST_TEST((r == q), format.name << (packed ? ", packed" : ""));
        }
      }
}

BOOST_AUTO_TEST_CASE(whatever_contradicts_the_contract_is_refused_by_field) {
  BOOST_CHECK_NO_THROW(written_and_read({}));  // the control
  const auto set = [](const std::string& field, const std::string& value) {
    return [=](Parts& p) { p.metadata["mxref.m.w." + field] = value; };
  };
  const struct {
    std::function<void(Parts&)> damage;
    std::string message;
  } cases[] = {
      {[](Parts& p) { p.codes[5] = 16; }, "element 5 is 16, above the 4 bits of e2m1"},
      {[](Parts& p) { p.codes[221] = 255; }, "element 221 is 255"},
      {[](Parts& p) {
         p.scales_shape = {6, 2};
       },
       "expected (2, 3, 2)"},
      {[](Parts& p) {
         p.scales_shape = {2, 3, 1}, p.scales.resize(6);
       },
       "expected (2, 3, 2)"},
      {[](Parts& p) { p.codes_type = DType::I8; }, "is I8; expected U8"},
      {[](Parts& p) { p.scales_type = DType::F8_E4M3; }, "is F8_E4M3; expected U8"},
      {[](Parts& p) { p.scales_name = "scales"; }, "part of no quantized tensor"},
      {[](Parts& p) { p.scales_name = "other.scales"; }, "no tensor 'm.w.scales'"},
      {[](Parts& p) { p.codes_shape = {0}, p.codes = {}; }, "is empty"},
      {[](Parts& p) { p.codes_shape = {}, p.codes = {1}; }, "is empty"},
      {[](Parts& p) { p.metadata = {}; }, "no 'mxref.m.w.format'"},
      {[](Parts& p) { p.metadata.erase("mxref.m.w.prescale"); }, "no 'mxref.m.w.prescale'"},
      {[](Parts& p) { p.metadata["mxref.y.block"] = "32"; }, "no tensor 'y.codes'"},
      {set("format", "mxpf4"), "unknown format 'mxpf4'; did you mean 'mxfp4'"},
      {set("block", "33"), "'33' is none of 8, 16, 32, 64, 128"},
      {set("block", "32 "), "'32 ' is none of"},
      {set("block", "0x20"), "none of"},
      {set("block", "16"), "expected (2, 3, 3)"},
      {set("block", "-32"), "none of"},
      {set("scale_rule", "flor"), "unknown scale rule"},
      {set("rounding", ""), "unknown rounding"},
      {set("prescale", "6/8"), "lowest terms"},
      {set("prescale", "0.75"), "fraction"},
      {set("prescale", "0"), "fraction"},
      {set("relabl", "true"), "unknown field 'relabl'"},
  };
  for (const auto& test : cases) {
    Parts parts;
    test.damage(parts);
    try {
      written_and_read(parts);
      BOOST_ERROR("accepted; should say: " << test.message);
    } catch (const InputError& e) {
      const std::string message = e.what();
      BOOST_TEST((message.find(test.message) != message.npos),
                 "should say '" << test.message << "', says: " << message);
      BOOST_TEST((message.find("q.safetensors: ") != message.npos), message);
    }
  }
}

BOOST_AUTO_TEST_CASE(an_eight_bit_format_takes_every_code) {
  Parts parts;
  parts.metadata["mxref.m.w.format"] = "mxfp8_e4m3";
  for (size_t i = 0; i < parts.codes.size(); ++i) parts.codes[i] = uint8_t(i + 34);
  BOOST_TEST(written_and_read(parts).codes == parts.codes);
}

BOOST_AUTO_TEST_SUITE_END()
