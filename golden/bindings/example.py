"""Swaps the linear layers of a small model for products in MX arithmetic, and compares each with
`mxref gemm`, bit for bit.

    /usr/bin/python3 golden/bindings/example.py [BUILD_FOLDER]

Needs Debian's python3-torch and python3-numpy: the ops are built for its libtorch.
"""

import json
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy
import torch

BUILD = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build")
torch.ops.load_library(str(BUILD / "lib/libmxref_torch.so"))
mxref = torch.ops.mxref

# Weights of 4 bits, activations of 8, as the recipe w4a8.
WEIGHTS = {"format": "mxfp4", "prescale": "3/4"}
ACTIVATIONS = {"format": "mxfp8_e4m3"}
DATAPATH = "fused"


class MxLinear(torch.nn.Module):
    """A linear layer whose weight is quantized once and whose input is quantized on line."""

    def __init__(self, linear):
        super().__init__()
        codes, scales, _ = mxref.quantize(linear.weight.detach(), **WEIGHTS)
        self.register_buffer("codes", codes)
        self.register_buffer("scales", scales)
        self.bias = linear.bias

    def forward(self, x):
        self.seen, self.given = x, mxref.linear(
            x, self.codes, self.scales, None, self.bias, weight_format=WEIGHTS["format"],
            weight_prescale=WEIGHTS["prescale"], datapath=DATAPATH, **ACTIVATIONS)
        return self.given


def swap_linears(module):
    """Every nn.Linear inside the module becomes an MxLinear."""
    for name, child in module.named_children():
        if isinstance(child, torch.nn.Linear):
            setattr(module, name, MxLinear(child))
        else:
            swap_linears(child)


def write_safetensors(path, values):
    """One float32 tensor, x: the length of a JSON header, the header, the values."""
    data = values.detach().numpy().astype("<f4").tobytes()
    entry = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [0, len(data)]}
    header = json.dumps({"x": entry}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + data)


def read_safetensors(path):
    content = path.read_bytes()
    length, = struct.unpack("<Q", content[:8])
    entry, = (e for n, e in json.loads(content[8:8 + length]).items() if n != "__metadata__")
    values = numpy.frombuffer(content[8 + length:], "<f4").reshape(entry["shape"])
    return torch.from_numpy(values.copy())


def gemm_of_the_program(x, weight):
    """What `mxref quantize` and `mxref gemm` make of a layer's input and weight."""
    def run(*words):
        subprocess.run([BUILD / "bin/mxref", *words], check=True, stdout=subprocess.DEVNULL)

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name, values, options in (("a", x, ACTIVATIONS), ("b", weight, WEIGHTS)):
            write_safetensors(folder / name, values)
            words = [word for key, value in options.items() for word in (f"--{key}", value)]
            run("quantize", "--in", folder / name, *words, "--out", folder / f"q{name}")
        run("gemm", "--a", folder / "qa", "--b", folder / "qb", "--datapath", DATAPATH,
            "--out", folder / "d")
        return read_safetensors(folder / "d").reshape(*x.shape[:-1], weight.shape[0])


def bits(x):
    return x.detach().contiguous().view(torch.int32)


def compare(model, original):
    """Per swapped layer of a model that has run: name, results compared, results different."""
    weights = dict(original.named_parameters())
    rows = []
    for name, layer in model.named_modules():
        if isinstance(layer, MxLinear):
            expected = gemm_of_the_program(layer.seen, weights[f"{name}.weight"])
            if layer.bias is not None:
                expected = expected + layer.bias  # one binary32 addition
            different = (bits(layer.given) != bits(expected)).sum().item()
            rows.append((name, expected.numel(), different))
    return rows


def small_model():
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(100, 96), torch.nn.GELU(),
        torch.nn.Sequential(torch.nn.LayerNorm(96), torch.nn.Linear(96, 64, bias=False)),
        torch.nn.ReLU(), torch.nn.Linear(64, 10))


def main():
    original, model = small_model(), small_model()
    swap_linears(model)
    x = torch.randn(4, 7, 100)
    change = (model(x) - original(x)).norm() / original(x).norm()
    print(f"relative change of the output: {change:.3f}")
    rows = compare(model, original)
    for name, compared, different in rows:
        print(f"{name}: {compared} results compared with mxref gemm, {different} different")
    return 1 if not rows or any(different for _, _, different in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
