"""Written models in Hugging Face transformers: weights, and logits of the dequantized form, are ours.

    python3 tests/golden/transformers_test.py BUILD_FOLDER [MODEL ...]

MODEL: a Hugging Face folder or a GGUF file; without any, the small models of the shared data.
Exits with 77, and a word, where torch, transformers or compressed_tensors are absent or old, or
there is no model.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

SKIPPED = 77
RECIPES = ("w4a4", "w8a8", "nvfp4", "mixed.json")
MIXED = {
    "weights": {"format": "mxfp4", "prescale": "3/4"},
    "activations": {"format": "mxfp8_e4m3"},
    "overrides": [{"match": ".*down_proj", "weights": {"format": "mxfp8_e4m3"}}],
}
FAMILIES = ("llama_tied", "llama3", "qwen2")
# Two libraries' binary32: the order of sums differs.
LOGITS_WITHIN = 1e-3
# The library rounds an nvfp4 scale over its divisor to binary32 before it multiplies, where we
# round once: what lies beside a tie of bfloat16 may fall to its other side.
LAST_PLACE = 2**-7

try:
    import compressed_tensors  # noqa: F401
    import torch
    import transformers
    from safetensors.torch import load_file
except ImportError as absent:
    print(f"skipped: {absent}")
    sys.exit(SKIPPED)


def models():
    if len(sys.argv) > 2:
        return [pathlib.Path(name) for name in sys.argv[2:]]
    data = pathlib.Path(os.environ.get("MXREF_DATA", "../shared/data"))
    found = [data / "models" / family for family in FAMILIES]
    return [folder for folder in found if folder.is_dir()]


def load(folder, dtype):
    """The model, and the names that transformers missed or did not know."""
    model, info = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=dtype, output_loading_info=True
    )
    return model.eval(), info


def values_of(model):
    """Weights by name, decompressed where the library keeps them compressed."""
    from compressed_tensors.compressors import decompress_module

    for module in model.modules():
        status = getattr(module, "quantization_status", None)
        if status is not None and getattr(status, "value", status) == "compressed":
            decompress_module(module)
    return {name: value.float() for name, value in model.state_dict().items()}


def close(theirs, ours):
    return bool(((theirs - ours).abs() <= ours.abs() * LAST_PLACE).all())


def unequal(values, expected, dtype, rounds_twice=False):
    """Names of tensors whose values are not ours, rounded to what the model is loaded in."""
    bad = []
    for name, ours in expected.items():
        if name in ("input_ids", "logits"):
            continue
        theirs = values.get(name)
        rounded = ours.to(dtype).float()
        if theirs is None or theirs.shape != ours.shape:
            bad.append(name)
        elif not torch.equal(theirs, rounded) and not (rounds_twice and close(theirs, rounded)):
            bad.append(name)
    return bad


def check(build, model, recipe, out):
    given = out.parent / recipe if recipe.endswith(".json") else recipe
    subprocess.run([build / "bin" / "write_layouts", model, given, out], check=True)
    expected = load_file(out / "expected.safetensors")
    failures = 0
    for layout, dtype in (
        ("compressed-tensors", torch.bfloat16),
        ("dequantized", torch.float32),
    ):
        if not (out / layout).is_dir():
            print(f"{model.name} {recipe} {layout}: not written")
            continue
        loaded, info = load(out / layout, dtype)
        with torch.no_grad():
            logits = loaded(input_ids=expected["input_ids"]).logits.float()
        far = (logits - expected["logits"]).abs().max().item()
        values = values_of(loaded)
        rounds_twice = recipe == "nvfp4" and layout == "compressed-tensors"
        bad = unequal(values, expected, dtype, rounds_twice)
        # The control: what differs in one weight is seen.
        name = next(n for n in expected if n.endswith("up_proj.weight"))
        damaged = dict(expected)
        damaged[name] = expected[name] * 1.5
        controlled = unequal(values, damaged, dtype, rounds_twice) == bad + [name]
        missing = [n for n in info["missing_keys"] if "global_scale" not in n]
        good = not bad and not missing and controlled
        if layout == "dequantized":
            good = good and far <= LOGITS_WITHIN
        failures += not good
        print(
            f"{model.name} {recipe} {layout}: {len(expected) - 2} tensors, {len(bad)} differ, "
            f"{len(missing)} missing, logits differ by {far:.2e}, "
            f"control {'seen' if controlled else 'NOT SEEN'}: {'good' if good else 'BAD'}"
        )
        for other in (bad + missing)[:5]:
            print(f"  {other}")
    return failures


def main():
    build = pathlib.Path(sys.argv[1])
    found = models()
    if not found:
        print("skipped: no models; set MXREF_DATA")
        return SKIPPED
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "mixed.json").write_text(json.dumps(MIXED))
        for number, model in enumerate(found):
            for recipe in RECIPES:
                failures += check(build, model, recipe, folder / f"{number}-{recipe}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
