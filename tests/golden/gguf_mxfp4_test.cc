// GGUF tensors of the type MXFP4 are quantized tensors.

#include <boost/test/unit_test.hpp>

#include "emu/quantize.h"
#include "golden/checkpoint/checkpoint.h"
#include "tests/golden/gguf_builder.h"
#include "tests/golden/refusal.h"
#include "tests/temporary_folder.h"

using namespace mxref;

namespace {

constexpr uint32_t plain_f32 = 0, mxfp4 = 39;
constexpr int64_t rows = 32, cols = 64, head = 16;

// A llama of heads of 16 whose q and v are the same blocks.
GgufBuilder small_model(const std::string& blocks) {
  GgufBuilder b;
  b.set("general.architecture", "llama");
  for (const auto& [key, value] : {std::pair{"llama.block_count", 1u},
                                   {"llama.embedding_length", 32u},
                                   {"llama.feed_forward_length", 64u},
                                   {"llama.attention.head_count", 2u}})
    b.set(key, value);
  b.set("llama.attention.layer_norm_rms_epsilon", 1e-5f);
  b.tensors.push_back({"token_embd.weight", {1, 32}, plain_f32, std::string(128, '\0')});
  for (const char* name : {"blk.0.attn_q.weight", "blk.0.attn_v.weight"})
    b.tensors.push_back({name, {rows, cols}, mxfp4, blocks});
  return b;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gguf_mxfp4)

BOOST_AUTO_TEST_CASE(codes_and_scales_stand_for_the_values_in_the_order_of_rows) {
  if (!find_gguf_type(mxfp4)->unpack) {
    BOOST_TEST_MESSAGE("skipped: the type MXFP4 is not read");
    return;
  }
  std::string blocks;
  for (int block = 0; block < rows * cols / 32; ++block) {
    blocks += char(120 + block % 9);
    for (int i = 0; i < 16; ++i) blocks += char(block * 31 + i * 17);
  }
  const TemporaryFolder folder;
  const auto checkpoint = open_checkpoint(folder.write("m.gguf", small_model(blocks).bytes()));
  const std::string prefix = "model.layers.0.self_attn.";
  const MxTensor v = *checkpoint->quantized(prefix + "v_proj.weight"),
                 q = *checkpoint->quantized(prefix + "q_proj.weight");
  BOOST_TEST(dequantize(v) == checkpoint->tensor(prefix + "v_proj.weight").values);
  BOOST_TEST(dequantize(q) == checkpoint->tensor(prefix + "q_proj.weight").values);
  BOOST_TEST(v.codes[0] == (uint8_t(blocks[1]) & 15));
  BOOST_TEST(v.codes[16] == uint8_t(blocks[1]) >> 4);
  BOOST_TEST(v.scales[1] == 121);
  // Rows of q are stored by pairs: the second is that of half a head further.
  const auto row = [](const MxTensor& tensor, int64_t i) {
    const auto codes = tensor.row_codes(i);
    return std::vector<uint8_t>(codes.begin(), codes.end());
  };
  BOOST_TEST(row(q, head / 2) == row(v, 1));
  BOOST_TEST(row(q, 1) != row(v, 1));
  BOOST_TEST(!checkpoint->quantized("model.embed_tokens.weight").has_value());

  blocks[17] = char(0xFF);
  const auto damaged = open_checkpoint(folder.write("d.gguf", small_model(blocks).bytes()));
  for (const char* name : {"q_proj.weight", "v_proj.weight"})
    check_refusal(refusal([&] { damaged->quantized(prefix + name); }),
                  "a NaN as the scale of block 1");
}

BOOST_AUTO_TEST_SUITE_END()
