"""torch.ops.mxref from Python: the bits of the program, errors, shapes without data, gradients.

    /usr/bin/python3 tests/golden/torch_ops_test.py BUILD_FOLDER
"""

import contextlib
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

import numpy
import torch

BUILD = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "golden/bindings"))
import example  # noqa: E402  loads the library

mxref = torch.ops.mxref
SEED = 1
IMPLEMENTATIONS = ("kernel", "ref", "torch")
TYPES = {"U8": "u1", "F32": "<f4"}


def read_all(path):
    """Every tensor of a safetensors file, by name."""
    content = path.read_bytes()
    length, = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values = numpy.frombuffer(content[8 + length + begin:8 + length + end],
                                  TYPES[entry["dtype"]])
        tensors[name] = torch.from_numpy(values.reshape(entry["shape"]).copy())
    return tensors


def same_bits(x, y):
    if x.dtype == torch.float32:
        x, y = x.contiguous().view(torch.int32), y.contiguous().view(torch.int32)
    return torch.equal(x, y)


def random_values(*shape, seed=SEED):
    """Of many magnitudes, with zeros, subnormal numbers, and a NaN and an Inf."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(*shape, generator=generator)
    x *= torch.exp2(torch.randint(-8, 9, shape, generator=generator).float())
    x.view(-1)[::17] = -0.0
    x[0, :40] *= 2.0 ** -130
    x[1, 3], x[2, 50] = float("nan"), float("inf")
    return x


@contextlib.contextmanager
def stderr_into(file):
    """What the process, not only Python, writes to stderr."""
    before = os.dup(2)
    os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)


class Program:
    """A folder in which the program runs."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def run(self, *words):
        subprocess.run([BUILD / "bin/mxref", *words], check=True, stdout=subprocess.DEVNULL)

    def mx_formats(self):
        self.run("formats", "--json", self.folder / "formats.json")
        rows = json.loads((self.folder / "formats.json").read_text())["results"]
        return [row["format"] for row in rows if row["scale"] == "e8m0"]

    def quantize(self, name, x, **options):
        example.write_safetensors(self.folder / f"{name}.in", x)
        words = []
        for key, value in options.items():
            words += [f"--{key.replace('_', '-')}"] + ([] if value is True else [str(value)])
        self.run("quantize", "--in", self.folder / f"{name}.in", *words,
                 "--out", self.folder / name)
        tensors = read_all(self.folder / name)
        return tensors["x.codes"], tensors["x.scales"], tensors.get("x.tensor_scale",
                                                                    torch.empty(0))

    def dequantize(self, name):
        self.run("dequantize", "--in", self.folder / name, "--out", self.folder / "y")
        return read_all(self.folder / "y")["x"]

    def gemm(self, *words):
        self.run("gemm", "--a", self.folder / "a", "--b", self.folder / "b", *words,
                 "--impl", "ref", "--out", self.folder / "d")
        return read_all(self.folder / "d")["d"]


class TorchOps(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.program = Program(folder.name)

    def expect_bits(self, got, expected, what):
        self.assertTrue(same_bits(got, expected), f"{what}, seed {SEED}")

    def expect_conversion(self, x, **options):
        expected = self.program.quantize("q", x.float(), **options)
        values = self.program.dequantize("q")
        words = {key: options[key] for key in ("format", "prescale", "block") if key in options}
        for by in IMPLEMENTATIONS:
            got = mxref.quantize(x, **options, implementation=by)
            for name, g, e in zip(("codes", "scales", "tensor_scale"), got, expected):
                self.expect_bits(g, e, f"{name} of {options} by {by}")
            self.expect_bits(mxref.dequantize(*got, **words, implementation=by), values,
                             f"dequantize {options} by {by}")
            self.expect_bits(mxref.fake_quant(x, **options, implementation=by), values,
                             f"fake_quant {options} by {by}")

    def test_conversions_give_the_bits_of_the_program(self):
        x = random_values(6, 75)
        formats = self.program.mx_formats()
        self.assertGreaterEqual(len(formats), 6)
        for format in formats:
            self.expect_conversion(x, format=format)
        for rule in ("ceil", "even", "roundup", "mse"):
            self.expect_conversion(x, format="mxfp6_e2m3", scale_rule=rule, rounding="rna")
        self.expect_conversion(x, format="mxfp4", prescale="3/4", relabel=True, block=8)
        self.expect_conversion(x, format="mxint8", rounding="stochastic", seed=str(2 ** 64 - 1))
        self.expect_conversion(x, format="nvfp4", rounding="rtz")
        self.expect_conversion(x, format="nvfp4", tensor_scale="row")
        self.expect_conversion(x.half(), format="mxfp8_e5m2")
        self.expect_conversion(x.bfloat16(), format="mxfp8_e4m3")

    def test_a_planted_fault_shows(self):
        x = random_values(6, 75)
        codes, scales, _ = self.program.quantize("q", x, format="mxfp4")
        got = mxref.quantize(x, format="mxfp4")[0]
        got[5, 74] ^= 1
        self.assertFalse(same_bits(got, codes))
        original, model = example.small_model(), example.small_model()
        example.swap_linears(model)
        model[2][1].codes[0, 0] ^= 8  # the sign of one weight
        model(torch.randn(3, 100))
        different = {name: count for name, _, count in example.compare(model, original)}
        self.assertEqual(list(different), ["0", "2.1", "4"])
        self.assertGreater(different.pop("2.1"), 0)
        self.assertEqual(set(different.values()), {0})

    def test_products_give_the_bits_of_the_program(self):
        c = torch.randn(6, 5)
        described = '{"kind":"aligned","terms":24,"group":8,"fraction_bits":20,"e_zero":-139,' \
                    '"output":"rne","ftz":true}'
        for a, b, datapath in (
                ("mxfp4", "mxfp4", "fused"), ("mxfp4", "mxfp8_e4m3", "blockwise"),
                ("mxfp8_e5m2", "mxint8", "sequential"), ("mxfp6_e3m2", "mxfp8_e5m2", "exact"),
                ("mxfp8_e4m3", "mxfp8_e4m3", "tensorcore_mxf8"), ("mxfp4", "mxfp6_e2m3", described),
                ("nvfp4", "nvfp4", "tensorcore_nvfp4")):
            prescale = "1" if a == "nvfp4" else "3/4"
            left = self.program.quantize("a", random_values(6, 100), format=a, prescale=prescale)
            right = self.program.quantize("b", random_values(5, 100, seed=2), format=b)
            example.write_safetensors(self.program.folder / "c", c)
            expected = self.program.gemm("--c", self.program.folder / "c", "--datapath", datapath)
            for name in IMPLEMENTATIONS:
                got = mxref.matmul(
                    left[0], left[1], right[0], right[1], a_format=a, b_format=b,
                    a_tensor_scale=left[2], b_tensor_scale=right[2], a_prescale=prescale, c=c,
                    datapath=datapath, implementation=name)
                self.expect_bits(got, expected, f"{a} × {b} on {datapath} by {name}")

    def test_leading_dimensions_are_rows(self):
        x, weight = torch.randn(2, 3, 64), mxref.quantize(torch.randn(5, 64), "mxfp4")
        words = {"weight_format": "mxfp4", "format": "mxfp8_e4m3"}
        y = mxref.linear(x, *weight[:2], **words)
        self.assertEqual(y.shape, (2, 3, 5))
        self.expect_bits(y.reshape(6, 5), mxref.linear(x.reshape(6, 64), *weight[:2], **words),
                         "rows")
        for by in IMPLEMENTATIONS:
            self.expect_bits(mxref.linear(x, *weight[:2], **words, implementation=by), y, by)
        transposed = torch.randn(64, 6).t()  # not contiguous
        self.expect_bits(mxref.linear(transposed, *weight[:2], **words),
                         mxref.linear(transposed.contiguous(), *weight[:2], **words), "strides")

    def expect_error(self, message, function, *arguments, **words):
        with self.assertRaises(ValueError) as caught:
            function(*arguments, **words)
        self.assertIn(message, str(caught.exception))

    def test_errors_are_exceptions_that_say_what_was_expected(self):
        x, q = torch.randn(3, 40), mxref.quantize(torch.randn(3, 40), "mxfp4")
        refuse = self.expect_error
        refuse("mxref.quantize: unknown format 'mxfp5'; did you mean 'mxfp4'?", mxref.quantize, x,
               "mxfp5")
        refuse("unknown scale rule 'flor'", mxref.quantize, x, "mxfp4", scale_rule="flor")
        refuse("unknown rounding 'up'", mxref.quantize, x, "mxfp4", rounding="up")
        refuse("pre-scale '6/8'", mxref.quantize, x, "mxfp4", prescale="6/8")
        refuse("block length 12", mxref.quantize, x, "mxfp4", block=12)
        refuse("block length 32 is none of 16", mxref.quantize, x, "nvfp4", block=32)
        refuse("seed '-1' is no number from 0 to 2^64-1", mxref.quantize, x, "mxfp4", seed="-1")
        refuse("scale_rule does not apply to nvfp4", mxref.quantize, x, "nvfp4",
               scale_rule="floor")
        refuse("tensor_scale does not apply to mxfp4", mxref.fake_quant, x, "mxfp4",
               tensor_scale="row")
        refuse("'x' is Double (3, 40); expected float32, float16 or bfloat16", mxref.quantize,
               x.double(), "mxfp4")
        refuse("'x' is Float (0, 4)", mxref.quantize, torch.empty(0, 4), "mxfp4")
        refuse("'scales' is Byte (3, 3); expected uint8 (3, 2)", mxref.dequantize, q[0],
               torch.zeros(3, 3, dtype=torch.uint8), format="mxfp4")
        refuse("'codes' holds 16; mxfp4 has codes of 4 bits", mxref.dequantize,
               torch.full_like(q[0], 16), q[1], format="mxfp4")
        refuse("'tensor_scale' is missing", mxref.dequantize, torch.zeros(3, 16, dtype=torch.uint8),
               torch.zeros(3, 1, dtype=torch.uint8), format="nvfp4")
        refuse("'tensor_scale' holds", mxref.dequantize, torch.zeros(3, 16, dtype=torch.uint8),
               torch.zeros(3, 1, dtype=torch.uint8), torch.tensor([-1.0]), format="nvfp4")
        operands = {"a_format": "mxfp4", "b_format": "mxfp4"}
        refuse("operands of different K: 40 and 32", mxref.matmul, q[0], q[1],
               q[0][:, :32].contiguous(), q[1][:, :1].contiguous(), **operands)
        refuse("unknown datapath 'fuse'; did you mean 'fused'?", mxref.matmul, *q[:2], *q[:2],
               datapath="fuse", **operands)
        refuse("unknown engine 'rtl'", mxref.matmul, *q[:2], *q[:2], implementation="rtl",
               **operands)
        refuse("unknown engine 'cuda'", mxref.fake_quant, x, "mxfp4", implementation="cuda")
        refuse("unknown engine 'cuda'", mxref.quantize, x.to("meta"), "mxfp4",
               implementation="cuda")
        refuse("'c' has another shape than (3, 3)", mxref.matmul, *q[:2], *q[:2],
               c=torch.zeros(3), **operands)
        refuse("'x' is Float (); expected", mxref.linear, torch.tensor(1.0), *q[:2],
               weight_format="mxfp4", format="mxfp4")
        refuse("'weight_codes' has 3 dimensions; expected (N, K)", mxref.linear, x,
               q[0].unsqueeze(0), q[1].unsqueeze(0), weight_format="mxfp4", format="mxfp4")
        refuse("they do not meet", mxref.linear, x[:, :32], q[0][:, :32].contiguous(),
               torch.zeros(3, 2, dtype=torch.uint8), weight_format="mxfp4", format="nvfp4",
               block=16)

    def test_tensors_without_data_have_the_shapes_of_those_with_data(self):
        def on(device):
            x = torch.randn(2, 3, 40).to(device)
            q = mxref.quantize(x, "mxfp4")
            rows = mxref.quantize(x, "nvfp4", tensor_scale="row")
            weight = mxref.quantize(x[0], "nvfp4")
            return [*q, *rows, mxref.dequantize(*rows, format="nvfp4"),
                    mxref.fake_quant(x.half(), "mxint8"),
                    mxref.matmul(rows[0], rows[1], weight[0], weight[1], a_format="nvfp4",
                                 b_format="nvfp4", a_tensor_scale=rows[2],
                                 b_tensor_scale=weight[2]),
                    mxref.linear(x, *weight, torch.zeros(3).to(device), weight_format="nvfp4",
                                 format="nvfp4")]
        real, meta = on("cpu"), on("meta")
        for r, m in zip(real, meta, strict=True):
            self.assertTrue(m.is_meta)
            self.assertEqual((r.shape, r.dtype), (m.shape, m.dtype))
        with self.assertRaises(ValueError):
            mxref.quantize(torch.empty(3, 4, device="meta"), "mxfp5")

    def test_gradients_go_straight_through(self):
        x = torch.randn(2, 3, 40, requires_grad=True)
        weights = torch.randn(2, 3, 40)
        (mxref.fake_quant(x, "mxfp4") * weights).sum().backward()
        self.expect_bits(x.grad, weights, "fake_quant")
        half = torch.randn(3, 40).half().requires_grad_()
        mxref.fake_quant(half, "mxfp4").sum().backward()
        self.assertEqual(half.grad.dtype, torch.float16)

        x.grad = None
        q = mxref.quantize(torch.randn(5, 40), "mxfp4")[:2]
        bias = torch.randn(5, requires_grad=True)
        y = mxref.linear(x, *q, None, bias, weight_format="mxfp4", format="mxfp8_e4m3")
        of_y = torch.randn(2, 3, 5)
        y.backward(of_y)
        self.expect_bits(x.grad, of_y @ mxref.dequantize(*q, format="mxfp4"), "linear, x")
        self.expect_bits(bias.grad, of_y.reshape(6, 5).sum(0), "linear, bias")
        self.assertFalse(mxref.linear(x.detach(), *q, weight_format="mxfp4",
                                      format="mxfp8_e4m3").requires_grad)

        c = torch.randn(5, 5, requires_grad=True)
        d = mxref.matmul(*q, *q, a_format="mxfp4", b_format="mxfp4", c=c)
        d.backward(of_c := torch.randn(5, 5))
        self.expect_bits(c.grad, of_c, "matmul, c")

    def test_threads_change_no_bits(self):
        x, weight = torch.randn(70, 512), mxref.quantize(torch.randn(90, 512), "mxfp4")[:2]
        results, before = [], torch.get_num_threads()
        for threads in (1, 2):
            torch.set_num_threads(threads)
            results.append(mxref.linear(x, *weight, weight_format="mxfp4", format="mxfp8_e4m3"))
        torch.set_num_threads(before)
        self.expect_bits(*results, "threads")

    def test_a_scripted_function_gives_the_same_bits(self):
        def convert(x: torch.Tensor):
            return torch.ops.mxref.fake_quant(x, "mxfp4", prescale="3/4")
        x = torch.randn(3, 40)
        self.expect_bits(torch.jit.script(convert)(x), convert(x), "script")

    def test_flush_to_zero_of_torch_changes_no_bits(self):
        x = torch.randn(4, 64) * 2.0 ** -130  # subnormal results, and a subnormal bias
        weight = mxref.quantize(torch.randn(5, 64), "mxfp4")[:2]
        bias = torch.randn(5) * 2.0 ** -130

        def compute():
            return [*mxref.quantize(x, "mxfp8_e4m3")[:2], mxref.fake_quant(x, "mxfp8_e5m2"),
                    mxref.quantize(x, "nvfp4")[2], mxref.quantize(x.bfloat16(), "mxint8")[0],
                    mxref.linear(x, *weight, None, bias, weight_format="mxfp4",
                                 format="mxfp8_e4m3"),
                    mxref.linear(x, *weight, None, bias, weight_format="mxfp4",
                                 format="mxfp8_e4m3", implementation="torch")]
        expected, sums = compute(), x + x
        self.assertTrue(torch.set_flush_denormal(True))
        got, control = compute(), x + x
        torch.set_flush_denormal(False)
        for i, (g, e) in enumerate(zip(got, expected, strict=True)):
            self.expect_bits(g, e, f"result {i}")
        self.assertFalse(same_bits(control, sums))  # torch itself flushes


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
