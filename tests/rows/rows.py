"""What README.md says about new rows, done: a copy of the tree gets the lines that are printed there under "How to
add …", is built without torch and RTL, and must have the new format, scale rule, rounding and datapath everywhere.

    rows.py SOURCE_FOLDER SCRATCH_FOLDER CMAKE_BUILD_FOLDER [--all | --control]

--all: every test of emu on the copy, else the second construction of the definition and the program. --control: only
that a wrong row is seen. The scratch folder is kept: a second run builds only what has changed.
"""

import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys

SOURCE, SCRATCH, BUILD = (pathlib.Path(word).resolve() for word in sys.argv[1:4])
ALL = "--all" in sys.argv[4:]
TREE, NEW = SCRATCH / "tree", SCRATCH / "build"
FORMAT, ELEMENT, RULE, ROUNDING, DATAPATH = (
    "mxfp7_e3m3", "e3m3", "floor_minus_one", "rnz", "eight_terms")
ONE = 127  # the code of the scale 1


def fail(message):
    sys.exit(f"rows.py: {message}")


def expect(holds, what):
    if not holds:
        fail(f"not so: {what}")
    print(f"  {what}")


def run(*words, into=None, check=True):
    """Runs a program; its output is shown where it fails, or returned."""
    done = subprocess.run([str(word) for word in words], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=os.environ | {"LC_ALL": "C.UTF-8"})
    if check and done.returncode != 0:
        fail(f"{' '.join(map(str, words))} ended with {done.returncode}:\n{done.stdout[-6000:]}")
    return done if not check else done.stdout


# --- the lines of the README

def lines_of_the_readme():
    """[(file, place, text)] of the ```cpp blocks: `// FILE, in TABLE` or `// FILE, after "START"`, and lines."""
    section = (SOURCE / "README.md").read_text().split("## How to add", 1)[1].split("\n## ", 1)[0]
    chunks = []
    for block in re.findall(r"```cpp\n(.*?)```", section, re.DOTALL):
        for line in block.splitlines():
            head = re.fullmatch(r'\s*// (\S+\.h), (in \w+|after ".+")', line)
            if head:
                chunks.append([head[1], head[2], ""])
            elif not chunks:
                fail(f"README: no file is named above '{line}'")
            else:
                chunks[-1][2] += line + "\n"
    return chunks


def with_lines(text, place, lines):
    """The text of a file with the lines: as the last rows of a table, or after a statement."""
    if place.startswith("in "):
        begin = text.index(f"inline constexpr std::array {place[3:]}{{")
        at = text.index("\n};\n", begin) + 1
    else:
        begin = text.index("\n" + place[len('after "'):-1])
        at = text.index(";\n", begin) + 2
    return text[:at] + lines + text[at:]


# --- the copy

def copy_tree(changed):
    """The sources, with the texts in `changed` (path → text) in place of theirs. What is the same stays untouched."""
    wanted = {}
    for name in ("CMakeLists.txt", "README.md", "LICENSE"):
        wanted[pathlib.Path(name)] = None
    for folder in ("emu", "rtl_models", "golden", "ptq", "eval", "tests", "packages"):
        for path in (SOURCE / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                wanted[path.relative_to(SOURCE)] = None
    for path in wanted:
        content = changed[str(path)].encode() if str(path) in changed else (SOURCE / path).read_bytes()
        to = TREE / path
        if not to.exists() or to.read_bytes() != content:
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(content)
            shutil.copymode(SOURCE / path, to)
    for path in list(TREE.rglob("*")):
        if path.is_file() and path.relative_to(TREE) not in wanted:
            path.unlink()


def cache_entry(name):
    text = (BUILD / "CMakeCache.txt").read_text()
    return re.search(rf"^{name}:\w+=(.*)$", text, re.MULTILINE)[1]


def configure_and_build(targets):
    run("cmake", "-S", TREE, "-B", NEW, "-G", cache_entry("CMAKE_GENERATOR"), "-DMXREF_TORCH=OFF", "-DMXREF_RTL=OFF",
        f"-DCMAKE_BUILD_TYPE={cache_entry('CMAKE_BUILD_TYPE')}",
        f"-DMXREF_KERNEL_FLAGS={'-O3' if ALL else '-O1'}",  # -O1 compiles in a third of the time
        f"-DCMAKE_CXX_COMPILER={cache_entry('CMAKE_CXX_COMPILER')}")
    run("cmake", "--build", NEW, "--target", *targets)


# --- what the program says of the rows

def mxref(*words, check=True):
    return run(NEW / "bin/mxref", *words, check=check)


def record_of(*words):
    path = SCRATCH / "record.json"
    mxref(*words, "--json", path)
    return json.loads(path.read_text())["results"]


def e3m3(code):
    """A code's value, by the printed formula."""
    exponent, mantissa = code >> 3 & 7, code & 7
    magnitude = 2.0 ** (exponent - 3) * (1 + mantissa / 8) if exponent else 2.0 ** -2 * (mantissa / 8)
    return -magnitude if code & 64 else magnitude


def write_floats(path, values):
    header = json.dumps({"x": {"dtype": "F32", "shape": [len(values) // 32, 32],
                               "data_offsets": [0, 4 * len(values)]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + struct.pack(f"<{len(values)}f", *values))


def read_bytes(path, name):
    content = path.read_bytes()
    length, = struct.unpack("<Q", content[:8])
    begin, end = json.loads(content[8:8 + length])[name]["data_offsets"]
    return content[8 + length + begin:8 + length + end]


def quantized(values, *options):
    """codes, scales, dequantized values."""
    x, q, y = SCRATCH / "x", SCRATCH / "q", SCRATCH / "y"
    write_floats(x, values)
    mxref("quantize", "--in", x, "--format", FORMAT, *options, "--out", q)
    mxref("dequantize", "--in", q, "--out", y)
    floats = struct.unpack(f"<{len(values)}f", read_bytes(y, "x"))
    return read_bytes(q, "x.codes"), read_bytes(q, "x.scales"), floats


def check_format():
    row, = record_of("formats", "--format", FORMAT)
    expect((row["element"], row["bits"], row["bias"], row["emax"]) == (ELEMENT, 7, 3, 4), f"{FORMAT} is a format of 7 bits")
    expect(row["max"] == 30 and row["min_subnormal"] == 2.0 ** -5, "its largest number is 30, its least 2^-5")
    expect(row["values"] == [e3m3(code) for code in range(128)], "its 128 codes have the values of the formula")
    # Every code in a block with 30, so that the scale is 1.
    codes = [code for begin in range(0, 128, 31) for code in [*range(begin, min(begin + 31, 128)), 63]]
    codes += [0] * (-len(codes) % 32)
    got, scales, values = quantized([e3m3(code) for code in codes])
    expect(list(got) == codes and set(scales) == {ONE}, "every number is converted to its code")
    expect([struct.pack("<f", v) for v in values] == [struct.pack("<f", e3m3(code)) for code in codes],
           "and back, bit for bit")


def check_rule_and_rounding():
    tie = 1 + 3 / 16  # between the codes 1.125 and 1.25: even is 1.25
    block = [30.0, tie, -tie] + [0.0] * 29
    even, toward_zero = quantized(block)[2], quantized(block, "--rounding", ROUNDING)[2]
    expect(even[1:3] == (1.25, -1.25) and toward_zero[1:3] == (1.125, -1.125), f"--rounding {ROUNDING}: ties go toward zero")
    _, scales, values = quantized(block, "--scale-rule", RULE)
    expect(scales[0] == ONE - 1 and values[0] == 15, f"--scale-rule {RULE}: half the scale, 30 saturates at 15")


def check_products():
    for options in (["--format", FORMAT], ["--format", FORMAT, "--format-b", "mxfp8_e5m2"], ["--datapath", DATAPATH]):
        rows = record_of("crosscheck", "--impl", "kernel", *options, "--level", "1")
        compared = sum(row.get("compared", 0) for row in rows)
        differ = sum(row.get("mismatches", 0) for row in rows)
        expect(compared > 0 and differ == 0, f"crosscheck --impl kernel {' '.join(options)}: {compared} results compared, {differ} different")
    said = mxref("vectors", "--format", FORMAT, "--kind", "directed", "--coverage", "--out", SCRATCH / "v")
    reached = re.search(r"reaches (\d+) of the (\d+) corner cases", said)
    expect(reached and reached[1] == reached[2], f"directed vectors of {FORMAT}: {reached and reached[0]}")
    said = mxref("formats", "--datapaths")
    expect(DATAPATH in said, f"formats --datapaths lists {DATAPATH}")


# --- controls

def check_controls(changed):
    old = subprocess.run([str(BUILD / "bin/mxref"), "formats", "--format", FORMAT], stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE, text=True)
    expect(old.returncode == 2 and "unknown format" in old.stderr, "control: the tree without the rows has no such format")
    header = changed["emu/formats.h"]
    wrong = header.replace(".exponent_bits = 3, .mantissa_bits = 3, .bias = 3", ".exponent_bits = 3, .mantissa_bits = 3, .bias = 4")
    if wrong == header:
        fail("the control finds no bias to change in README's row of e3m3")
    for text, builds in ((header, True), (wrong, False)):
        probe = SCRATCH / "probe.cc"
        probe.write_text(text)
        done = run(cache_entry("CMAKE_CXX_COMPILER"), "-std=c++20", "-fsyntax-only", "-x", "c++", "-I", TREE, probe, check=False)
        if builds:
            expect(done.returncode == 0, "formats.h with the rows compiles by itself")
        else:
            expect(done.returncode != 0 and f"is_as_printed({ELEMENT}" in done.stdout,
                   "control: with a bias of 4 it does not, because of what is printed of e3m3")


def main():
    changed = {}
    for file, place, lines in lines_of_the_readme():
        text = changed.get(file) or (SOURCE / file).read_text()
        changed[file] = with_lines(text, place, lines)
        print(f"{file}, {place}: {len(lines.splitlines())} lines")
    expect(set(changed) == {"emu/formats.h", "emu/scale_rules.h", "emu/codec.h", "emu/datapaths.h"},
           "README has a row of each kind")
    copy_tree(changed)
    check_controls(changed)
    if "--control" in sys.argv[4:]:
        return
    tests = ["test_definition"] + (["test_emu", "test_vectors", "capi_program"] if ALL else [])
    configure_and_build(["mxref", *tests])
    check_format()
    check_rule_and_rounding()
    check_products()
    for test in tests:
        said = run(NEW / "bin" / test, *([] if test == "capi_program" else ["--log_level=message", "--report_level=short", "--color_output=no"]))
        print(f"{test}: " + ", ".join(line.strip() for line in said.splitlines() if " passed" in line))
        for line in sorted(set(line for line in said.splitlines() if line.startswith("skipped: "))):
            print(line)


main()
