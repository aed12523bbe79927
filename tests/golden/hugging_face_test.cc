// Hugging Face folders made by hand, good ones and bad ones.

#include <sys/stat.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "emu/files/atomic_file.h"
#include "emu/files/safetensors.h"
#include "emu/files/sha256.h"
#include "golden/checkpoint/checkpoint.h"
#include "golden/tokenizer/tokenizer.h"
#include "tests/deep_json.h"
#include "tests/golden/refusal.h"
#include "tests/temporary_folder.h"

using namespace mxref;
using nlohmann::json;

namespace {

constexpr auto whole_name = "model.safetensors";
constexpr auto index_name = "model.safetensors.index.json";

// config.json and one file with a tensor "w" (2,3) and a tensor "b" (2).
struct Folder : TemporaryFolder {
  Folder() {
    write("config.json", R"({"architectures": ["LlamaForCausalLM"], "hidden_size": 96})");
    write_weights(whole_name, {1, 2, 3, 4, 5, 6});
  }
  void write_weights(const std::string& name, const std::vector<float>& w) const {
    SafetensorsWriter writer;
    const std::vector<uint16_t> b{0x3F80, 0xC000};  // 1, -2 in BF16
    writer.add("w", DType::F32, {2, 3}, w);
    writer.add("b", DType::BF16, {2}, b);
    writer.write(path() / name);
  }
  // Two shards; `map` says where the tensors are.
  void write_index(const json& map) const {
    std::filesystem::rename(path() / whole_name, path() / "one.safetensors");
    SafetensorsWriter writer;
    const std::vector<float> c{7};
    writer.add("c", DType::F32, {1}, c);
    writer.write(path() / "two.safetensors");
    write(index_name, json{{"metadata", json::object()}, {"weight_map", map}}.dump());
  }
};

std::string refusal_of(const Folder& folder) {
  return refusal([&] { read_everything(folder.path()); });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hugging_face)

BOOST_AUTO_TEST_CASE(a_folder_with_one_file_or_with_shards_reads_the_same) {
  const Folder whole, sharded;
  sharded.write_index(
      {{"w", "one.safetensors"}, {"b", "one.safetensors"}, {"c", "two.safetensors"}});
  for (const Folder* folder : {&whole, &sharded}) {
    const auto checkpoint = open_checkpoint(folder->path());
    BOOST_TEST(checkpoint->config()["hidden_size"] == 96);
    BOOST_TEST(checkpoint->shape("w") == (std::vector<int64_t>{2, 3}));
    BOOST_TEST(checkpoint->tensor("w").values == (std::vector<float>{1, 2, 3, 4, 5, 6}));
    BOOST_TEST(checkpoint->tensor("b").values == (std::vector<float>{1, -2}));
    BOOST_TEST(checkpoint->has("c") == (folder == &sharded));
    check_refusal(refusal([&] { checkpoint->tensor("d"); }), "has no tensor 'd'");
    check_refusal(refusal([&] { checkpoint->shape("d"); }), "has no tensor 'd'");
  }
}

BOOST_AUTO_TEST_CASE(the_hash_is_that_of_the_weight_files_in_order_of_names) {
  const Folder whole, sharded;
  sharded.write_index({{"w", "one.safetensors"}, {"c", "two.safetensors"}});
  const auto hash = [](const Folder& folder, const char* name) {
    return sha256_of_file(folder.path() / name);
  };
  BOOST_TEST(open_checkpoint(whole.path())->sha256() == sha256(hash(whole, whole_name)));
  BOOST_TEST(open_checkpoint(sharded.path())->sha256() ==
             sha256(hash(sharded, "one.safetensors") + hash(sharded, "two.safetensors")));
}

BOOST_AUTO_TEST_CASE(what_is_no_model_is_refused) {
  const Folder folder;
  const auto open = [&](const std::string& name) {
    return refusal([&] { open_checkpoint(folder.path() / name); });
  };
  check_refusal(open("nowhere"), "does not exist");
  check_refusal(open("config.json"),
                "is no GGUF file, it begins with 7b 22 61 72 ({\"ar); expected a");
  folder.write("empty.gguf", "");
  check_refusal(open("empty.gguf"), "is no GGUF file, it begins with nothing");
  BOOST_REQUIRE(mkfifo((folder.path() / "pipe").c_str(), 0600) == 0);
  check_refusal(open("pipe"), "is no regular file");
  check_refusal(refusal([&] { open_tokenizer(folder.path() / "nowhere"); }), "cannot be read");
  check_refusal(refusal([&] { open_tokenizer(folder.path()); }), "tokenizer");
  std::filesystem::remove(folder.path() / whole_name);
  check_refusal(refusal_of(folder), "has neither model.safetensors nor");
  std::filesystem::remove(folder.path() / "config.json");
  check_refusal(refusal_of(folder), "has no config.json; expected a Hugging Face folder");
}

BOOST_AUTO_TEST_CASE(a_configuration_that_is_none_is_refused) {
  const Folder folder;
  const std::string config = read_file(folder.path() / "config.json");
  for (size_t size = 0; size < config.size(); ++size) {
    folder.write("config.json", config.substr(0, size));
    check_refusal(refusal_of(folder), "config.json: is no valid JSON");
  }
  for (const char* text : {"[]", "3", "\"x\"", "null"}) {
    folder.write("config.json", text);
    check_refusal(refusal_of(folder), "config.json: is no JSON object");
  }
  folder.write("config.json", "{\"a\": \"\xFF\"}");
  check_refusal(refusal_of(folder), "config.json: is no valid JSON");
  folder.write("config.json", deep_json("architectures"));
  check_refusal(refusal_of(folder), "config.json: nests deeper");
  folder.write("config.json", R"({"quantization_config": {"quant_method": "fp8"}})");
  check_refusal(refusal_of(folder), "quantization_config");
  folder.write("config.json", R"({"quantization_config": null})");
  BOOST_TEST(refusal_of(folder) == "");
}

BOOST_AUTO_TEST_CASE(an_index_that_leads_astray_is_refused) {
  const Folder folder;
  const Folder other;  // a good file, but not this model's
  const std::string good = "one.safetensors";
  folder.write_index({{"w", good}});
  BOOST_TEST(refusal_of(folder) == "");
  const std::string stranger = (other.path() / whole_name).string();
  const std::string climbing =
      "../" + other.path().filename().string() + "/" + std::string(whole_name);
  BOOST_REQUIRE(std::filesystem::exists(folder.path() / climbing));
  for (const std::string& shard :
       {stranger, climbing, "./" + good, "../" + good, "sub/" + good, std::string(".."),
        std::string("."), std::string(), std::string("/")}) {
    folder.write(index_name, json{{"weight_map", {{"w", shard}}}}.dump());
    check_refusal(refusal_of(folder), "tensor 'w' is said to be in '" + shard + "'");
  }
  const auto with = [&](const json& index) {
    folder.write(index_name, index.dump());
    return refusal_of(folder);
  };
  check_refusal(with({{"weight_map", {{"w", "three.safetensors"}}}}), "which does not exist");
  check_refusal(with({{"weight_map", {{"w", "two.safetensors"}}}}), "is not in its shard");
  check_refusal(with({{"weight_map", {{"w", 1}}}}), "no string");
  check_refusal(with({{"weight_map", {"w"}}}), "no object 'weight_map'");
  check_refusal(with({{"metadata", 1}}), "no object 'weight_map'");
  check_refusal(with(json::array()), "is no JSON object");
  folder.write(index_name, deep_json("weight_map"));
  check_refusal(refusal_of(folder), std::string(index_name) + ": nests deeper");
  const std::string whole = json{{"weight_map", {{"w", good}}}}.dump();
  for (size_t size = 0; size < whole.size(); ++size) {
    folder.write(index_name, whole.substr(0, size));
    check_refusal(refusal_of(folder), std::string(index_name) + ": is no valid JSON");
  }
}

BOOST_AUTO_TEST_CASE(weights_that_are_no_numbers_are_refused_by_name) {
  for (const float bad : {NAN, -NAN, INFINITY, -INFINITY}) {
    const Folder folder;
    folder.write_weights(whole_name, {1, 2, 3, 4, bad, 6});
    check_refusal(refusal_of(folder), std::string(whole_name) + ": tensor 'w' holds");
    check_refusal(refusal_of(folder), "at element 4");
  }
  for (const DType type : {DType::BF16, DType::F16})
    for (const uint16_t bits : type == DType::BF16 ? std::array<uint16_t, 2>{0x7F80, 0xFF81}
                                                   : std::array<uint16_t, 2>{0xFC00, 0x7C01}) {
      const Folder folder;
      SafetensorsWriter writer;
      const std::vector<uint16_t> values{0, bits};
      writer.add("h", type, {2}, values);
      writer.write(folder.path() / whole_name);
      check_refusal(refusal_of(folder), "tensor 'h' holds");
    }
}

BOOST_AUTO_TEST_CASE(other_element_types_are_refused_by_name) {
  const Folder folder;
  SafetensorsWriter writer;
  const std::vector<uint8_t> values{1, 2};
  writer.add("e", DType::F8_E4M3, {2}, values);
  writer.write(folder.path() / whole_name);
  check_refusal(refusal_of(folder), "tensor 'e' is F8_E4M3; expected F32, F16 or BF16");
}

BOOST_AUTO_TEST_CASE(a_weight_file_cut_or_changed_anywhere_is_no_danger) {
  const Folder folder;
  std::string whole = read_file(folder.path() / whole_name);
  for (size_t size = 0; size < whole.size(); ++size) {
    folder.write(whole_name, whole.substr(0, size));
    BOOST_TEST(refusal_of(folder) != "", "cut to " << size << " bytes");
  }
  reset_largest_allocation();
  size_t refused = 0;
  for (char& byte : whole)
    for (int flip : {0x01, 0x10, 0x80, 0xFF}) {
      const char kept = byte;
      byte = char(byte ^ flip);
      folder.write(whole_name, whole);
      refused += refusal_of(folder) != "";
      byte = kept;
    }
  BOOST_TEST(refused > whole.size());
  BOOST_TEST(largest_allocation() < size_t(1) << 20);
}

BOOST_AUTO_TEST_SUITE_END()
