#pragma once
// A record of `validate` with round numbers, whose sums can be done in the head.

#include <nlohmann/json.hpp>

namespace mxref {

inline nlohmann::ordered_json small_record() {
  return nlohmann::ordered_json::parse(R"json({
    "version": "0", "commit": "none", "seed": 1, "threads": 2, "wall_seconds": 3.0,
    "host": {"cpu": "a <CPU>", "cores": 2, "isa": "portable"},
    "model": {"name": "small", "sha256": "00", "parameters": 1234567,
              "storage": [{"type": "Q4_1", "values": 320, "bytes": 200},
                          {"type": "F32", "values": 8, "bytes": 32}]},
    "recipes": {
      "fp32": {"weights": {"format": "none"}, "activations": {"format": "none"}, "skip": ["lm_head"],
               "overrides": []},
      "w4a4": {"weights": {"format": "mxfp4", "prescale": "3/4"}, "activations": {"format": "mxfp4"},
               "skip": ["lm_head"], "overrides": []}},
    "texts": {"perplexity": {"file": "a.txt", "sha256": "11"}},
    "published": [{"model": "other", "recipe": "w4a4", "recovery_percent": 95.0, "perplexity": 8.0,
                   "source": "a paper"}],
    "fronts": {"library": {"name": "some_cells"}, "model": {"name": "small"},
      "text": {"file": "a.txt"}, "tokens": 20, "fp32": {"ppl": 20.0, "nll": 3.0},
      "noise": {"w4a4": {"sd": 0.25}},
      "rows": [
        {"recipe": "w4a4", "format": "mxfp4", "datapath": "fused", "area_um2": 64000, "mhz": 100.0,
         "macs_per_cycle": 32, "pj_per_mac": 10.0, "ppl": 30.0, "nll": 3.5},
        {"recipe": "w4a4", "format": "mxfp4", "datapath": "one_by_one", "area_um2": 32000, "mhz": 80.0,
         "macs_per_cycle": 1, "pj_per_mac": 25.0, "ppl": 30.0, "nll": 3.5},
        {"recipe": "w4a4", "format": "mxfp4", "datapath": "narrow", "area_um2": 48000, "mhz": 100.0,
         "macs_per_cycle": 32, "pj_per_mac": 5.0, "ppl": null, "nll": null}]},
    "results": [
      {"task": "crosscheck", "implementation": "rtl", "source": "random", "format_a": "mxfp4",
       "format_b": "mxfp4", "datapath": "fused", "compared": 1000, "mismatches": 0},
      {"task": "crosscheck", "implementation": "rtl", "source": "model.layers.0", "format_a": "mxfp4",
       "format_b": "mxfp4", "datapath": "fused", "compared": 500, "mismatches": 0},
      {"task": "crosscheck", "implementation": "kernel", "source": "random", "format_a": "mxfp4",
       "format_b": "mxfp4", "datapath": "fused", "compared": 2000, "mismatches": 0},
      {"task": "control", "name": "all zeros", "what": "zeros only", "caught": true},
      {"task": "cosim", "format_a": "mxfp4", "format_b": "mxfp4", "datapath": "fused", "rows": 4,
       "cols": 4, "cycles": 100, "stalled_cycles": 10, "compared": 300, "blocks": 200,
       "mismatches": 0, "assertions_failed": 0,
       "coverage": {"line": 0.5, "toggle": 0.25, "functional": 1.0, "rows": 2, "cols": 3}},
      {"task": "fault", "name": "tie", "what": "ties go astray", "caught": true, "cycles": 7},
      {"task": "rtl_forward", "recipe": "w4a4", "tokens": 8, "linear_layers": 2,
       "linear_layers_of_model": 2, "complete": true, "macs": 4096, "cycles": 512,
       "layer_results": 64, "layer_mismatches": 0, "hidden_values": 24, "hidden_mismatches": 0,
       "logits": 32, "logit_mismatches": 0, "compared": 120,
       "mismatches": 0, "layers": [{"module": "mlp.up_proj", "n": 4, "k": 64, "count": 2, "macs": 4096,
       "cycles": 512, "macs_per_cycle": 8.0, "compared": 64, "mismatches": 0}]},
      {"task": "perplexity", "recipe": "fp32", "file": "a.txt", "window": 11, "tokens": 20, "ppl": 20.0,
       "ppl_stderr": 1.0, "nll_sums": [30.0, 30.0], "scored": [10, 10]},
      {"task": "piqa", "recipe": "fp32", "form": "hub", "items": 4, "acc": 1.0, "stderr": 0.0,
       "chosen": [0, 1, 0, 1], "gold": [0, 1, 0, 1]},
      {"task": "perplexity", "recipe": "w4a4", "file": "a.txt", "window": 11, "tokens": 20, "ppl": 30.0,
       "ppl_stderr": 2.0, "nll_sums": [31.0, 33.0], "scored": [10, 10]},
      {"task": "piqa", "recipe": "w4a4", "form": "hub", "items": 4, "acc": 0.75, "stderr": 0.25,
       "chosen": [0, 1, 0, 0], "gold": [0, 1, 0, 1]},
      {"task": "drift", "recipe": "w4a4", "difference": [0.1, -0.3], "scored": [10, 10]}
    ]})json");
}

}  // namespace mxref
