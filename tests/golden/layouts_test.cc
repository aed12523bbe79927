// Models written in each layout and read back; what a layout does not hold; places that are taken.

#include <boost/test/unit_test.hpp>

#include "emu/error.h"
#include "emu/threads.h"
#include "golden/tokenizer/tokenizer.h"
#include "tests/golden/gguf_builder.h"
#include "tests/golden/refusal.h"
#include "tests/golden/written_model.h"

using namespace mxref;
using nlohmann::json;

namespace {

namespace fs = std::filesystem;

struct Case {
  const char* name;
  SideConversions sides;
};
std::vector<Case> cases() {
  const Conversion four = conversion_to("mxfp4", {3, 4}), plain = conversion_to("mxfp4"),
                   eight = conversion_to("mxfp8_e4m3"), nv = conversion_to("nvfp4");
  return {{"w4a4", {four, four, four}},    {"mxfp4", {plain, plain, plain}},
          {"w8a8", {eight, eight, eight}}, {"nvfp4", {nv, nv, nv}},
          {"mixed", {four, eight, {}}},    {"all three", {plain, eight, nv}}};
}

bool same_form(const Conversion& a, const Conversion& b) {
  return a.format == b.format && a.block == b.block && a.prescale == b.prescale &&
         a.relabel == b.relabel;
}
// By which rule codes were chosen is not told by every layout.
bool same_codes(const MxTensor& a, const MxTensor& b) {
  return same_form(a.conversion, b.conversion) && a.shape == b.shape && a.codes == b.codes &&
         a.scales == b.scales && a.tensor_scales == b.tensor_scales;
}

// "" or the name of the first tensor that differs.
std::string difference(const Checkpoint& a, const Checkpoint& b) {
  if (a.names() != b.names()) return "names";
  for (const std::string& name : a.names()) {
    const auto x = a.quantized(name), y = b.quantized(name);
    if (x.has_value() != y.has_value() || (x && !same_codes(*x, *y))) return name;
    const HostTensor v = a.tensor(name), w = b.tensor(name);
    if (v.shape != w.shape || a.shape(name) != b.shape(name) ||
        std::memcmp(v.values.data(), w.values.data(), v.values.size() * sizeof(float)) != 0)
      return name;
  }
  return "";
}

std::string use_refusal(const std::function<void()>& use) {
  try {
    use();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

std::map<std::string, std::string> files_of(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(folder))
    files[entry.path().filename().string()] = read_file(entry.path());
  return files;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(layouts_of_models)

BOOST_AUTO_TEST_CASE(every_layout_gives_back_what_was_written) {
  const SourceFolder source;
  const TemporaryFolder place;
  for (const auto& [name, sides] : cases())
    for (const LayoutRow& row : layouts) {
      MemoryCheckpoint model = quantized_model(source.path(), sides);
      model.config()["mxref"] = {{"recipe", to_json(parse_recipe("w4a4"))}, {"method", "rtn"}};
      const fs::path out = place.path() / (std::string(name) + "-" + std::string(row.name));
      write_model(model, row.layout, source.path(), out);
      const auto read = open_checkpoint(out);
      BOOST_TEST(difference(model, *read) == "", name << " in " << row.name);
      BOOST_TEST(read->config()["mxref"] == model.config()["mxref"]);
      BOOST_TEST(!read->config().contains("quantization_config"));
      BOOST_TEST(read->config()["hidden_size"] == 64);
      // What is not quantized keeps its type.
      BOOST_TEST(read->stored_type("model.norm.weight") == "BF16");
      BOOST_TEST(read->stored_type(written_layer + "mlp.down_proj.bias") == "F16");
      BOOST_TEST(read->stored_type("model.embed_tokens.weight") == "F32");
      BOOST_TEST(fs::exists(out / "tokenizer.json"));
      // The control: one code more.
      MxTensor codes = *model.quantized(q_weight);
      codes.codes[3] ^= 1;
      model.set(q_weight, std::move(codes));
      BOOST_TEST(difference(model, *read) == q_weight);
    }
}

BOOST_AUTO_TEST_CASE(a_written_model_is_written_again_as_it_was) {
  const SourceFolder source;
  const TemporaryFolder place;
  for (const auto& [name, sides] : cases())
    for (const LayoutRow& row : layouts) {
      const MemoryCheckpoint model = quantized_model(source.path(), sides);
      const fs::path first = place.path() / (std::string(name) + "-" + std::string(row.name)),
                     second = first.string() + "-again";
      write_model(model, row.layout, source.path(), first);
      const auto read = open_checkpoint(first);
      write_model(*read, row.layout, first, second);
      BOOST_TEST(difference(model, *open_checkpoint(second)) == "", name << " in " << row.name);
    }
}

BOOST_AUTO_TEST_CASE(the_same_input_gives_the_same_bytes_for_any_number_of_threads) {
  const SourceFolder source;
  const TemporaryFolder place;
  const int before = threads();
  for (const LayoutRow& row : layouts) {
    std::vector<std::map<std::string, std::string>> written;
    for (const int count : {1, 2, 1}) {
      set_threads(count);
      MemoryCheckpoint model = quantized_model(source.path(), cases().front().sides);
      if (written.size() == 2) model.set("model.norm.weight", random_tensor({4}, 5));
      const fs::path out = place.path() / (std::string(row.name) + std::to_string(written.size()));
      write_model(model, row.layout, source.path(), out);
      written.push_back(files_of(out));
    }
    BOOST_TEST((written[0] == written[1]));
    BOOST_TEST((written[0] != written[2]));  // the control: another tensor
    BOOST_TEST(written[0].size() == (row.layout == Layout::dequantized ? 4 : 3));
  }
  set_threads(before);
}

BOOST_AUTO_TEST_CASE(
    what_a_layout_does_not_hold_is_refused_with_the_layer_and_the_layout_that_does) {
  const SourceFolder source;
  const TemporaryFolder place;
  Conversion relabeled = conversion_to("mxfp4", {3, 4}), short_blocks = conversion_to("mxfp4");
  relabeled.relabel = true;
  short_blocks.block = 16;
  Conversion by_row = conversion_to("nvfp4");
  by_row.scale_by_row = true;
  const struct {
    Conversion conversion;
    const char* reason;
  } rows[] = {{conversion_to("mxfp6_e3m2"), "is in mxfp6_e3m2"},
              {conversion_to("mxint8"), "is in mxint8"},
              {conversion_to("mxfp8_e4m3", {3, 4}), "has the pre-scale 3/4 of mxfp8_e4m3"},
              {conversion_to("mxfp4", {65521, 65519}), "has the pre-scale"},
              {relabeled, "is relabeled"},
              {short_blocks, "has blocks of 16"},
              {by_row, "has a tensor scale for each row"}};
  int count = 0;
  for (const auto& [conversion, reason] : rows) {
    const MemoryCheckpoint model = quantized_model(source.path(), {{}, conversion, {}});
    const std::string objection = objection_to(model, Layout::compressed_tensors);
    BOOST_TEST(objection.starts_with("layer 'model.layers.0.mlp.up_proj' " + std::string(reason)),
               objection);
    BOOST_TEST(objection.ends_with("the layout mxref does"));
    BOOST_TEST(use_refusal([&] {
                 write_model(model, Layout::compressed_tensors, source.path(), place / "x");
               }) == objection);
    BOOST_TEST((default_layout(model) == Layout::mxref));
    BOOST_TEST(objection_to(model, Layout::dequantized) == "");
    const fs::path out = place / std::to_string(count++);
    write_model(model, default_layout(model), source.path(), out);
    BOOST_TEST(difference(model, *open_checkpoint(out)) == "", reason);
    BOOST_TEST((open_checkpoint(out)->quantized(up_weight)->conversion == conversion));
  }
  BOOST_TEST(!fs::exists(place / "x"));
  // A row that is no multiple of a block; the control is the same in whole blocks.
  MemoryCheckpoint model = quantized_model(source.path(), {});
  BOOST_TEST((default_layout(model) == Layout::compressed_tensors));
  for (const int64_t K : {64, 40}) {
    const HostTensor w = random_tensor({4, K}, 1);
    model.set(up_weight, quantize(w.values, w.shape, conversion_to("mxfp4")));
    BOOST_TEST((default_layout(model) == (K == 64 ? Layout::compressed_tensors : Layout::mxref)));
  }
}

BOOST_AUTO_TEST_CASE(transforms_on_line_are_held_by_the_layout_mxref_alone) {
  const SourceFolder source;
  const TemporaryFolder place;
  MemoryCheckpoint model = quantized_model(source.path(), cases().front().sides);
  model.config()["mxref"] = {{"transforms",
                              {{{"after", written_layer + "mlp.act_fn"},
                                {"kind", "kronecker"},
                                {"left", "mxref.left"},
                                {"right", "mxref.right"}}}}};
  model.set("mxref.left", random_tensor({8, 8}, 3));
  model.set("mxref.right", random_tensor({8, 8}, 4));
  for (const Layout layout : {Layout::compressed_tensors, Layout::dequantized}) {
    const std::string objection =
        use_refusal([&] { write_model(model, layout, source.path(), place / "x"); });
    BOOST_TEST(objection.find("on-line transforms") != objection.npos, objection);
    BOOST_TEST(objection.find("the layout mxref does") != objection.npos);
  }
  BOOST_TEST((default_layout(model) == Layout::mxref));
  write_model(model, Layout::mxref, source.path(), place / "x");
  const auto read = open_checkpoint(place / "x");
  BOOST_TEST(difference(model, *read) == "");
  BOOST_TEST(read->config()["mxref"] == model.config()["mxref"]);
}

BOOST_AUTO_TEST_CASE(nothing_that_is_there_is_lost) {
  const SourceFolder source;
  const TemporaryFolder place;
  const MemoryCheckpoint model = quantized_model(source.path(), cases().front().sides);
  const auto write = [&](const fs::path& out) {
    return refusal([&] { write_model(model, Layout::mxref, source.path(), out); });
  };
  place.write("file", "kept");
  check_refusal(write(place / "file"), "is there already");
  fs::create_directory(place / "taken");
  place.write("taken/file", "kept");
  check_refusal(write(place / "taken"), "is there already");
  check_refusal(write(place / "nowhere/out"), "cannot be written");
  BOOST_TEST(write(place / "out") == "");
  check_refusal(write(place / "out"), "is there already");  // a model too
  fs::create_directory(place / "empty");
  BOOST_TEST(write(place / "empty/") == "");
  BOOST_TEST(read_file(place / "taken/file") == "kept");
  // A model that cannot be written whole leaves nothing.
  MemoryCheckpoint damaged = model;
  MxTensor codes = *model.quantized(q_weight);
  codes.scales[0] = 255;
  damaged.set(q_weight, codes);
  check_refusal(refusal([&] { write_model(damaged, Layout::mxref, source.path(), place / "bad"); }),
                "a NaN");
  BOOST_TEST(files_of(place / "out").size() == 3);
  for (const auto& entry : fs::directory_iterator(place.path()))
    BOOST_TEST(entry.path().string().find("partial") == std::string::npos);
  BOOST_TEST(!fs::exists(place / "bad"));
}

BOOST_AUTO_TEST_CASE(a_dequantized_model_that_others_changed_is_not_taken_for_its_codes) {
  const SourceFolder source;
  const TemporaryFolder place;
  const MemoryCheckpoint model = quantized_model(source.path(), cases().front().sides);
  write_model(model, Layout::dequantized, source.path(), place / "out");
  edit_weights(place / "out/model.safetensors",
               [](auto& tensors) { tensors.at(q_weight).bytes[1] ^= 0x10; });
  const std::string message = refusal([&] { open_checkpoint(place / "out")->tensor(q_weight); });
  check_refusal(message, "tensor '" + q_weight + "' holds");
  check_refusal(message, "remove that file");
  fs::remove(place / "out/mxref_scales.safetensors");
  const auto plain = open_checkpoint(place / "out");
  BOOST_TEST(!plain->quantized(q_weight).has_value());
  BOOST_TEST(plain->tensor(up_weight).values == model.tensor(up_weight).values);
}

BOOST_AUTO_TEST_CASE(the_dtype_that_others_take_a_model_to_have_loses_nothing) {
  const SourceFolder source;
  const TemporaryFolder place;
  const auto dtype = [&](const char* format, Prescale prescale, Layout layout) {
    const Conversion conversion = conversion_to(format, prescale);
    const MemoryCheckpoint model =
        quantized_model(source.path(), {conversion, conversion, conversion});
    const fs::path out = place.path() / (std::string(format) + std::string(name_of(layout)) +
                                         std::to_string(prescale.numerator));
    write_model(model, layout, source.path(), out);
    const json config = json::parse(read_file(out / "config.json"));
    BOOST_TEST(config["dtype"] == config["torch_dtype"]);
    return config["dtype"].get<std::string>() + " " +
           open_checkpoint(out)->stored_type("model.norm.weight");
  };
  BOOST_TEST(dtype("mxfp4", {3, 4}, Layout::compressed_tensors) == "bfloat16 BF16");
  BOOST_TEST(dtype("mxfp4", {3, 4}, Layout::dequantized) == "float32 BF16");
  BOOST_TEST(dtype("mxfp4", {}, Layout::dequantized) == "float32 BF16");  // the embedding is F32
}

BOOST_AUTO_TEST_CASE(the_tokenizer_of_a_gguf_file_reads_as_the_file_does) {
  GgufBuilder b;
  b.set("general.architecture", "llama");
  for (const auto& [key, value] : {std::pair{"llama.block_count", 1u},
                                   {"llama.embedding_length", 32u},
                                   {"llama.feed_forward_length", 64u},
                                   {"llama.attention.head_count", 2u}})
    b.set(key, value);
  b.set("llama.attention.layer_norm_rms_epsilon", 1e-5f);
  b.set("tokenizer.ggml.model", "gpt2");
  b.set("tokenizer.ggml.tokens", GgufKind::string,
        std::vector<std::string>{"<s>", "a", "b", "1", "ab", "\u0120", "\u0120a", "<tool>", "?"});
  b.set("tokenizer.ggml.token_type", GgufKind::i32,
        std::vector<int32_t>{3, 1, 1, 1, 1, 1, 1, 4, 5});
  b.set("tokenizer.ggml.merges", GgufKind::string, std::vector<std::string>{"a b", "\u0120 a"});
  b.set("tokenizer.ggml.bos_token_id", 0u);
  b.set("tokenizer.ggml.eos_token_id", 0u);
  constexpr uint32_t f32 = 0;
  const std::vector<float> row(32, 0.5f);
  b.tensors.push_back({"token_embd.weight",
                       {1, 32},
                       f32,
                       std::string(reinterpret_cast<const char*>(row.data()), 128)});
  for (const char* pre : {"gpt-2", "qwen2", "smollm", "llama-bpe"})
    for (const bool adds : {false, true}) {
      const TemporaryFolder place;
      b.set("tokenizer.ggml.pre", pre);
      b.set("tokenizer.ggml.add_bos_token", adds);
      const fs::path gguf = place.write("model.gguf", b.bytes());
      const auto model = open_checkpoint(gguf);
      write_model(*model, Layout::mxref, gguf, place / "out");
      const auto expected = open_tokenizer(gguf), got = open_tokenizer(place / "out");
      for (const char* text : {"ab a<s>1b", " ab<tool>a", "11 ba", ""})
        BOOST_TEST(got->encode(text) == expected->encode(text), pre << ": " << text);
      BOOST_TEST((got->encode("a").size() == (adds ? 2u : 1u)));
      BOOST_TEST((got->bos() == expected->bos() && got->eos() == expected->eos()));
      BOOST_TEST(got->size() == expected->size());
    }
}

BOOST_AUTO_TEST_SUITE_END()
