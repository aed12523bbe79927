"""What a netlist computes while its switching is counted: tiles of block pairs, as beats of the bench
mx_area_tb.sv, and the rows of results that `mxref gemm` gives for them."""

import json
import pathlib
import random
import struct
from dataclasses import dataclass

from errors import bad_input
from tools import ask_mxref, sha256_of

GAUSS_BLOCKS = 16   # of a tile's reduction, where the operands are drawn
ACTIVATIONS_SCALE = 1.0
WEIGHTS_SCALE = 0.02


@dataclass
class Operand:
    """A row of A or of B: codes of all its blocks, and a scale for each."""

    codes: list
    scales: list


@dataclass
class Stream:
    beats: list   # lines
    rows: list    # lines
    macs: int
    source: str

    def sha256(self):
        return sha256_of(json.dumps([self.beats, self.rows]))


def write_safetensors(path, tensors, metadata):
    """tensors: name → (dtype, shape, bytes)"""
    header, data = {"__metadata__": metadata}, b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(text)) + text + data)


def read_safetensors(path):
    """name → bytes"""
    content = pathlib.Path(path).read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:8 + size])
    return {name: content[8 + size + of["data_offsets"][0]:8 + size + of["data_offsets"][1]]
            for name, of in header.items() if name != "__metadata__"}


class Operands:
    """Makes streams of a pair of formats for an array of rows × cols elements of `lanes` lanes."""

    def __init__(self, facts, folder, design, format_a, format_b):
        self.facts, self.folder, self.design = facts, folder, design
        self.format_a, self.format_b = format_a, format_b
        self.block = facts.blocks[self.format_a]

    def _ask(self, *arguments):
        return ask_mxref(self.facts.mxref, [str(a) for a in arguments], self.facts.timeout)

    # --- where operands come from
    def gauss(self, beats, seed):
        """Tiles of normal numbers, the same deviation in every block."""
        d = self.design
        tiles = max(beats // GAUSS_BLOCKS, 1)
        drawn = random.Random(seed)
        k = GAUSS_BLOCKS * self.block
        sides = []
        for name, format_, count, scale in (("a", self.format_a, tiles * d.rows, ACTIVATIONS_SCALE),
                                            ("b", self.format_b, tiles * d.cols, WEIGHTS_SCALE)):
            numbers = struct.pack(f"<{count * k}f", *(drawn.gauss(0, scale) for _ in range(count * k)))
            path = self.folder / f"{name}_drawn.safetensors"
            write_safetensors(path, {name: ("F32", [count, k], numbers)}, {})
            self._ask("quantize", "--in", path, "--format", format_, "--out", self._path(name))
            tensors = read_safetensors(self._path(name))
            codes, scales = tensors[f"{name}.codes"], tensors[f"{name}.scales"]
            sides.append([Operand(list(codes[i * k:(i + 1) * k]),
                                  list(scales[i * GAUSS_BLOCKS:(i + 1) * GAUSS_BLOCKS]))
                          for i in range(count)])
        a, b = sides
        stream = Stream([], [], 0, f"normal numbers, seed {seed}")
        self._tiles(stream, a, b, tiles)
        return stream

    def model(self, model, tokens, beats, seed):
        """Chains of a model's own products, as `mxref vectors --kind model` takes them."""
        arguments = ["vectors", "--kind", "model", "--model", model, "--format", self.format_a,
                     "--format-b", self.format_b, "--datapath", self.design.datapath_text,
                     "--count", beats * max(self.design.rows, self.design.cols), "--seed", seed,
                     "--as", "json", "--out", self.folder / "model"]
        self._ask(*arguments, *(["--tokens", tokens] if tokens else []))
        with open(self.folder / "model/vectors.jsonl", encoding="utf-8") as file:
            header, *vectors = [json.loads(line) for line in file]
        chains, before = [], None
        for v in vectors:
            if before is None or v["acc_in"] != before:
                chains.append((Operand([], []), Operand([], [])))
            before = v["acc_out"]
            for operand, side in zip(chains[-1], "ab"):
                operand.codes += v[f"codes_{side}"]
                operand.scales.append(v[f"scale_{side}"])
        stream = Stream([], [], 0, header["source"])
        d, of_a_tile = self.design, max(self.design.rows, self.design.cols)
        for blocks in dict.fromkeys(len(a.scales) for a, _ in chains):
            alike = [c for c in chains if len(c[0].scales) == blocks]
            tiles = len(alike) // of_a_tile
            groups = [alike[i * of_a_tile:(i + 1) * of_a_tile] for i in range(tiles)]
            self._tiles(stream, [c[0] for g in groups for c in g[:d.rows]],
                        [c[1] for g in groups for c in g[:d.cols]], tiles)
        if not stream.beats:
            raise bad_input(f"{model} gives no {of_a_tile} chains of the same length: more --beats")
        return stream

    def corner_cases(self, count, seed):
        """Random vectors with special values: each a tile of one block in every element, preloaded."""
        out = self.folder / "random"
        self._ask("vectors", "--kind", "random", "--format", self.format_a, "--format-b", self.format_b,
                  "--datapath", self.design.datapath_text, "--count", count, "--seed", seed,
                  "--as", "json", "--out", out)
        with open(out / "vectors.jsonl", encoding="utf-8") as file:
            vectors = [json.loads(line) for line in file][1:]
        stream, d = Stream([], [], 0, f"mxref vectors --kind random, seed {seed}"), self.design
        for v in vectors:
            a = Operand(v["codes_a"], [v["scale_a"]])
            b = Operand(v["codes_b"], [v["scale_b"]])
            start = v["acc_in"] * (d.rows * d.cols)
            stream.beats.append(self._beat(0, True, True, start, [a] * d.rows, [b] * d.cols))
            stream.rows += [v["acc_out"] * d.cols] * d.rows
        return stream

    # --- tiles → beats and expected rows
    def _tiles(self, stream, a, b, tiles):
        if tiles == 0:
            return
        d, blocks = self.design, len(a[0].scales)
        product = self._product(a, b, blocks)
        for t in range(tiles):
            rows, cols = range(t * d.rows, (t + 1) * d.rows), range(t * d.cols, (t + 1) * d.cols)
            for i in range(blocks):
                stream.beats.append(self._beat(i, i == 0, i == blocks - 1, None,
                                               [a[r] for r in rows], [b[c] for c in cols]))
            stream.rows += ["".join(f"{product[r * len(b) + c]:08x}" for c in reversed(cols))
                            for r in rows]
            stream.macs += blocks * self.block * d.rows * d.cols

    def _product(self, a, b, blocks):
        """Binary32 bits of A times B by the definition."""
        for name, rows, format_ in (("a", a, self.format_a), ("b", b, self.format_b)):
            tensors = {
                f"{name}.codes": ("U8", [len(rows), blocks * self.block],
                                  bytes(c for r in rows for c in r.codes)),
                f"{name}.scales": ("U8", [len(rows), blocks], bytes(s for r in rows for s in r.scales))}
            facts = {f"mxref.{name}.format": format_, f"mxref.{name}.block": str(self.block),
                     f"mxref.{name}.rounding": "rne"}
            if format_ == "nvfp4":
                tensors[f"{name}.tensor_scale"] = ("F32", [1], struct.pack("<f", 1.0))
            else:
                facts |= {f"mxref.{name}.scale_rule": "floor", f"mxref.{name}.prescale": "1"}
            write_safetensors(self._path(name), tensors, facts)
        out = self._path("d")
        self._ask("gemm", "--a", self._path("a"), "--b", self._path("b"), "--datapath",
                  self.design.datapath_text, "--impl", "ref", "--out", out)
        return struct.unpack(f"<{len(a) * len(b)}I", read_safetensors(out)["d"])

    def _path(self, name):
        return self.folder / f"{name}.safetensors"

    def _beat(self, i, first, last, start, a, b):
        d = self.design
        pad = [0] * (d.lanes - self.block)
        fields = [f"{first * 8 + last * 4 + (start is not None) * 2:x}", f"{self.block:02x}",
                  f"{self.facts.rows[self.format_a]:x}", f"{self.facts.rows[self.format_b]:x}",
                  start or "0" * (8 * d.rows * d.cols)]
        for side in (a, b):
            for operand in reversed(side):
                codes = operand.codes[i * self.block:(i + 1) * self.block] + pad
                fields.append(bytes(reversed(codes)).hex())
            fields += [f"{operand.scales[i]:02x}" for operand in reversed(side)]
        return "_".join(fields)
