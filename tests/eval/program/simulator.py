"""An mxfp4 simulator for `mxref audit`: dequantizes, then sums in binary32 in ascending order.

    mxref audit --command 'python3 simulator.py {in} {out}' --format mxfp4

Plain Python, so that every step can be read; NaN scales and values beyond binary32 are kept.
"""
import json
import struct
import sys

E2M1 = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0]


def binary32(x):
    """x rounded to binary32; two roundings, of binary64 first, give the same for + and ×."""
    try:
        return struct.unpack("<f", struct.pack("<f", x))[0]
    except OverflowError:
        return float("inf") if x > 0 else float("-inf")


def read(path):
    with open(path, "rb") as file:
        data = file.read()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        tensors[name] = entry["shape"], data[8 + length + begin : 8 + length + end]
    return tensors, metadata


def write(path, name, shape, values):
    data = struct.pack(f"<{len(values)}f", *values)
    entry = {"dtype": "F32", "shape": shape, "data_offsets": [0, len(data)]}
    header = json.dumps({name: entry}).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header + data)


def dequantize(tensors, metadata, name):
    assert metadata[f"mxref.{name}.format"] == "mxfp4", "this simulator knows mxfp4 alone"
    block = int(metadata[f"mxref.{name}.block"])
    (rows, k), codes = tensors[f"{name}.codes"]
    (_, blocks), scales = tensors[f"{name}.scales"]
    values = []
    for i, code in enumerate(codes):
        scale = scales[i // k * blocks + i % k // block]
        power = float("nan") if scale == 255 else 2.0 ** (scale - 127)
        values.append(binary32((-1 if code & 8 else 1) * E2M1[code & 7] * power))
    return rows, k, values


def main(given, answer):
    tensors, metadata = read(given)
    m, k, a = dequantize(tensors, metadata, "a")
    n, _, b = dequantize(tensors, metadata, "b")
    c = struct.unpack(f"<{m * n}f", tensors["c"][1]) if "c" in tensors else [0.0] * (m * n)
    d = []
    for i in range(m * n):
        row, column = i // n * k, i % n * k
        total = 0.0
        for j in range(k):
            total = binary32(total + binary32(a[row + j] * b[column + j]))
        d.append(binary32(total + c[i]))
    write(answer, "d", [m, n], d)


main(*sys.argv[1:])
