// fuzz_seeds DIR: good inputs for each target, DIR/TARGET/NAME, from which libFuzzer goes on.

#include <bit>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "emu/audit/dump.h"
#include "emu/audit/stimulus.h"
#include "emu/audit/trace_writer.h"
#include "emu/files/quantized.h"
#include "emu/quantize.h"
#include "eval/tasks/choice_tasks.h"
#include "golden/recipe.h"
#include "golden/tokenizer/byte_alphabet.h"
#include "golden/tokenizer/sentencepiece_model.h"
#include "tests/fuzz/fuzz.h"
#include "tests/golden/gguf_builder.h"
#include "tests/golden/written_model.h"

using namespace mxref;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

class Seeds {
 public:
  explicit Seeds(fs::path folder) : folder_(std::move(folder)) {}
  void add(const char* target, const std::string& bytes) {
    fs::create_directories(folder_ / target);
    write_atomically(folder_ / target / ("seed-" + std::to_string(count_++)), bytes);
  }
  // A safetensors file as fuzz::safetensors() takes it: with its length as it is, and without.
  // `before`: what the target reads first.
  void add_file(const char* target, const fs::path& file, const std::string& before = "") {
    const std::string bytes = read_file(file);
    uint64_t length = 0;
    for (size_t i = 0; i < 8; ++i) length |= uint64_t(uint8_t(bytes[i])) << (8 * i);
    add(target, before + "\1" + bytes);
    add(target, before + '\0' + bytes.substr(8, length) + '\0' + bytes.substr(8 + length));
  }

 private:
  fs::path folder_;
  int count_ = 0;
};

void add_tensors(Seeds& seeds, const fs::path& file) {
  const std::vector<float> x{1, -2, 3, 0.5f, 0, 6};
  const std::vector<uint16_t> halves{0x3C00, 0xBC00};
  const std::vector<int64_t> ids{1, 2, 3, 4, 5, 99};
  SafetensorsWriter tensors;
  tensors.add("x", DType::F32, {2, 3}, x);
  tensors.add("half", DType::F16, {2}, halves);
  tensors.add("brain", DType::BF16, {1, 2}, halves);
  tensors.set_metadata("note", "two");
  tensors.write(file);
  seeds.add_file("safetensors", file);
  SafetensorsWriter tokens;
  tokens.add("input_ids", DType::I64, {2, 3}, ids);
  tokens.write(file);
  seeds.add_file("tokens", file);
}

void add_formats(Seeds& seeds, const fs::path& file) {
  for (const BlockFormat& format : block_formats) {
    const Conversion conversion{.format = &format};
    const std::vector<float> x{1, -2, 3, 0.5f, 0, 6, 7, 8, 9, 1e9f};
    const MxTensor q = quantize_ref(x, {2, 5}, conversion);
    for (bool packed : {false, true}) {
      SafetensorsWriter writer;
      add_quantized(writer, "w", q, packed);
      writer.write(file);
      seeds.add_file("quantized", file);
    }
    const ProductInput product{q, q, {1, 2, 3, 4}};
    const ProductAnswer answer = define_product(product, datapath("blockwise"));
    write_dump(file, product, datapath("blockwise"), &answer);
    seeds.add_file("audit_dump", file);
    write_dump(file, {conversion, {2, 5}, x}, &q);
    seeds.add_file("audit_dump", file);
  }
}

void add_quantized_models(Seeds& seeds) {
  const SourceFolder source;
  const TemporaryFolder place;
  const Conversion four = conversion_to("mxfp4", {3, 4}), eight = conversion_to("mxfp8_e4m3"),
                   nv = conversion_to("nvfp4");
  for (const SideConversions& sides :
       {SideConversions{four, four, four}, {eight, eight, {}}, {nv, nv, nv}, {four, eight, nv}})
    for (const Layout layout : {Layout::compressed_tensors, Layout::mxref}) {
      const fs::path out = place.path() / "model";
      write_model(quantized_model(source.path(), sides), layout, source.path(), out);
      seeds.add_file("quantized_model", out / "model.safetensors",
                     read_file(out / "config.json") + '\0');
      fs::remove_all(out);
    }
}

void add_trace(Seeds& seeds, const fs::path& folder) {
  const std::vector<float> x{1, -2, 3, 0.5f};
  TraceWriter writer(folder, 1, 2);
  for (const char* tensor : {"input.0", "input.1", "output"}) writer.add("lm_head", tensor, x);
  writer.finish(R"({"recipe":{"skip":["lm_head"]},"threads":2})");
  seeds.add_file("trace", folder / "lm_head.safetensors", read_file(folder / trace_index) + '\0');
  fs::remove_all(folder);
}

void add_words(Seeds& seeds) {
  for (const Datapath& row : datapaths) seeds.add("datapath", std::string(row.name));
  for (const char* text :
       {R"({"kind":"aligned","terms":32,"group":1,"fraction_bits":25,"e_zero":-133,"output":"rz"})",
        R"({"kind":"aligned","terms":64,"group":4,"fraction_bits":44,"e_zero":0,"output":"rne",)"
        R"("ftz":true})",
        R"({"kind":"blockwise","ftz":false})"})
    seeds.add("datapath", text);
  for (const char* text : {"3/4", "65535/65534", "32", "18446744073709551615", "0.5", "-5", "mxfp4",
                           "stochastic", "mse", "avx2", "1e-3"})
    seeds.add("values", text);
  for (std::string_view name : recipe_names())
    seeds.add("recipe", to_json(parse_recipe(name)).dump() + '\0' + "datapath=exact");
  for (const char* text : {R"({"a":[1,2.5,-3e4,true,null],"b":{"c":"d\n\u00e9"}})", "[[[]]]", "0"})
    seeds.add("json", text);
  seeds.add("planted", "M");
}

void add_models(Seeds& seeds) {
  const json llama = {{"architectures", {"LlamaForCausalLM"}},
                      {"model_type", "llama"},
                      {"hidden_size", 32},
                      {"intermediate_size", 64},
                      {"num_hidden_layers", 1},
                      {"num_attention_heads", 2},
                      {"num_key_value_heads", 1},
                      {"vocab_size", 4},
                      {"max_position_embeddings", 64},
                      {"rms_norm_eps", 1e-5},
                      {"rope_theta", 10000.0},
                      {"hidden_act", "silu"},
                      {"tie_word_embeddings", true},
                      {"torch_dtype", "bfloat16"},
                      {"rope_scaling",
                       {{"rope_type", "llama3"},
                        {"factor", 8.0},
                        {"low_freq_factor", 1.0},
                        {"high_freq_factor", 4.0},
                        {"original_max_position_embeddings", 8192}}}};
  seeds.add("model_config", llama.dump());
  json qwen = llama;
  qwen["architectures"] = {"Qwen2ForCausalLM"};
  qwen["model_type"] = "qwen2";
  qwen["rope_scaling"] = nullptr;
  const json index = {{"weight_map", {{"model.norm.weight", "model.safetensors"}}}};
  seeds.add("model_config", qwen.dump() + '\0' + index.dump());

  json vocab = json::object();
  for (int byte = 0; byte < 256; ++byte) vocab[letter_of_byte(uint8_t(byte))] = byte;
  vocab["ab"] = 256;
  const json bytes = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}};
  json tokenizer = {{"version", "1.0"},
                    {"added_tokens",
                     {{{"id", 257},
                       {"content", "<e>"},
                       {"single_word", false},
                       {"lstrip", false},
                       {"rstrip", false},
                       {"normalized", false},
                       {"special", true}}}},
                    {"normalizer", nullptr},
                    {"pre_tokenizer", bytes},
                    {"post_processor", nullptr},
                    {"decoder", bytes},
                    {"model",
                     {{"type", "BPE"},
                      {"vocab", std::move(vocab)},
                      {"merges", {"a b"}},
                      {"byte_fallback", false}}}};
  seeds.add("tokenizer_json", tokenizer.dump() + '\0' + R"({"eos_token":"<e>"})" + '\0' + "ab<e>c");
  tokenizer["model"]["vocab"] = {{"a", 0}, {"b", 1}, {"ab", 2}};
  seeds.add("tokenizer_json", tokenizer.dump());
}

void add_sentencepiece(Seeds& seeds) {
  SentencePieceParts parts;
  parts.pieces = {{"<unk>", 0, PieceType::unknown}, {"<s>", 0, PieceType::control},
                  {"a", -1, PieceType::normal},     {"b", -2, PieceType::normal},
                  {"ab", -1, PieceType::normal},    {"<t>", 0, PieceType::user_defined}};
  // Without a table, and with one that holds no character: 256 units of 0, and the empty text.
  for (const std::string& table :
       {std::string(), std::string("\0\4\0\0", 4) + std::string(1025, '\0')}) {
    parts.normalizer = table;
    const std::string model = write_sentencepiece_model(parts) + space_prefix_setting(true);
    const std::string length{char(model.size()), char(model.size() >> 8)};
    seeds.add("tokenizer_model", length + model);
    seeds.add("tokenizer_model",
              length + model +
                  R"({"added_tokens_decoder":{"6":{"content":"<e>"}},"add_eos_token":)" +
                  R"(true,"eos_token":"<e>"})" + '\0' + "ab<e>c<t>");
  }
}

void add_gguf(Seeds& seeds) {
  GgufBuilder b;
  b.set("general.architecture", "llama");
  for (const auto& [key, value] : {std::pair{"llama.block_count", 1u},
                                   {"llama.embedding_length", 32u},
                                   {"llama.feed_forward_length", 64u},
                                   {"llama.attention.head_count", 2u},
                                   {"llama.attention.head_count_kv", 1u},
                                   {"llama.rope.dimension_count", 16u}})
    b.set(key, value);
  b.set("llama.attention.layer_norm_rms_epsilon", 1e-5f);
  b.set("tokenizer.ggml.model", "gpt2");
  b.set("tokenizer.ggml.pre", "gpt-2");
  b.set("tokenizer.ggml.tokens", GgufKind::string, std::vector<std::string>{"a", "b", "ab", "<e>"});
  b.set("tokenizer.ggml.token_type", GgufKind::i32, std::vector<int32_t>{1, 1, 1, 3});
  b.set("tokenizer.ggml.merges", GgufKind::string, std::vector<std::string>{"a b"});
  b.set("tokenizer.ggml.eos_token_id", 3u);
  seeds.add("gguf", b.bytes());
  GgufBuilder pieces = b;
  pieces.set("tokenizer.ggml.model", "llama");
  pieces.set("tokenizer.ggml.token_type", GgufKind::i32, std::vector<int32_t>{1, 1, 1, 2});
  pieces.set("tokenizer.ggml.scores", GgufKind::f32, std::vector<float>{-1, -2, -1, 0});
  pieces.set("tokenizer.ggml.add_bos_token", false);
  seeds.add("gguf", pieces.bytes());
  constexpr uint32_t f32 = 0, q4_1 = 3, q8_0 = 8, mxfp4 = 39;
  b.tensors.push_back({"output_norm.weight", {32}, f32, std::string(128, '\0')});
  b.tensors.push_back({"token_embd.weight", {4, 32}, q8_0, std::string(4 * 34, '\1')});
  b.tensors.push_back({"blk.0.attn_q.weight", {32, 32}, q4_1, std::string(32 * 20, '\2')});
  b.tensors.push_back({"blk.0.attn_k.weight", {16, 32}, mxfp4, std::string(16 * 17, '\3')});
  seeds.add("gguf", b.bytes());
}

void add_items(Seeds& seeds) {
  const std::string plain = R"({"query":"Q:","choices":["a","b","c"],"gold":2})";
  const std::string request =
      R"({"doc_id":0,"idx":0,"label":1,"request":{"context":"Goal: a","continuation":" x"}})";
  for (size_t task = 0; task < choice_tasks().size(); ++task) {
    seeds.add("task_items", char(task) + plain + "\n");
    seeds.add("task_items", char(task) + request + "\n" + request + "\n");
  }
  for (
      const char* item :
      {R"({"goal":"open it","sol1":"pull","sol2":"push "})",
       R"({"question":"Which?","choices":{"text":["x","y"],"label":["1","2"]},"answerKey":"2"})",
       R"({"sentence":"Ann beat Bo as _ was.","option1":"Ann","option2":"Bo","answer":"2"})",
       R"({"activity_label":"B","ctx_a":"[header] H","ctx_b":"the","endings":["a","b"],"label":"0"})",
       R"({"question":"is it so","answer":true,"passage":"It is."})"})
    for (size_t task = 0; task < choice_tasks().size(); ++task)
      seeds.add("task_items", char(task) + std::string(item) + "\n" + '\0' + "1\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: fuzz_seeds DIR\n", stderr);
    return 2;
  }
  Seeds seeds(argv[1]);
  fs::create_directories(argv[1]);
  const fs::path file = fs::path(argv[1]) / "written";
  add_tensors(seeds, file);
  add_formats(seeds, file);
  add_quantized_models(seeds);
  fs::remove(file);
  add_trace(seeds, file);
  add_words(seeds);
  add_models(seeds);
  add_sentencepiece(seeds);
  add_gguf(seeds);
  add_items(seeds);
}
