#!/usr/bin/env python3
"""The committed table of costs, area.json: makes it, remakes rows and compares them, prints it.

    area_table.py make [--only TEXT]... --mxref PATH     rows whose name holds a TEXT; default all
    area_table.py check --only TEXT ... --mxref PATH     remakes them; any other figure is an error
    area_table.py designs [--only TEXT]... --mxref PATH  whether their figures are of the RTL as it stands
    area_table.py markdown

Names of rows: "pe mxfp4 fused", "part mx_decode mxfp4", "hx8k pe mxfp4 fused". A file is chosen by --table.
"""

import argparse
import concurrent.futures
import itertools
import json
import os
import pathlib
import re
import sys

import area
import tools
from errors import AreaError, bad_input, check_failed, wrong_use
from facts import Facts

TABLE = area.HERE / "area.json"
MODEL = "smollm2"
# Blocks while switching is counted; fewer of arrays, and of `sequential`, which takes a cycle for each product.
BEATS, BEATS_FEWER = "48", "12"
NOT_COMPARED = "seconds"

TENSOR_CORES = {"mxfp4": ["tensorcore_mxf8", "tensorcore_mxf4"], "nvfp4": ["tensorcore_nvfp4"],
                "mxfp8_e4m3": ["tensorcore_mxf8", "hopper_fp8", "ada_fp8"],
                "mxfp8_e5m2": ["tensorcore_mxf8", "hopper_fp8", "ada_fp8"]}


def of_formats(format_=None):
    """The datapaths of a format's table, or of pairs of formats'."""
    return ["fused", "blockwise", "sequential", "exact", *TENSOR_CORES.get(format_, ["tensorcore_mxf8"])]


SEVERAL = "mxfp4,mxfp8_e4m3"  # chosen at run time
# Datapaths `aligned` of several widths: bits kept below the largest exponent, how a step's sum is rounded.
ALIGNED = [(7, "rz"), (10, "rz"), (10, "rne"), (13, "rz"), (18, "rz"), (25, "rz")]
ALIGNED_FORMATS = ("mxfp4", "mxfp8_e4m3")


def aligned(bits, output):
    """(name, description) of 32 terms a step in sums of 4"""
    return f"aligned_{bits}_{output}", json.dumps(
        {"kind": "aligned", "terms": 32, "group": 4, "fraction_bits": bits, "e_zero": -133,
         "output": output}, separators=(",", ":"))


def quantizers(masks):
    """(name, module, parameters)"""
    for f in ("mxfp4", "mxfp8_e4m3", "nvfp4", "all"):
        for what, mse, stochastic in (("nearest", 0, 0), ("mse", 1, 0), ("stochastic", 0, 1), ("both", 1, 1)):
            if what == "nearest" or f == "mxfp4" or (what, f) == ("both", "all"):
                yield f"{f} {what}", "mx_quantize", [
                    f"FORMATS={masks[f]}", f"WITH_MSE=1'b{mse}", f"WITH_STOCHASTIC=1'b{stochastic}"]
        yield f, "mx_dequantize", [f"FORMATS={masks[f]}"]


def wanted(facts):
    """name → arguments of area.py, in the table's order"""
    rows = {}

    def add(name, *arguments):
        rows[name] = list(arguments)

    def add_element(name, operands, datapath, *formats):
        add(name, "pe", *formats, "--datapath", datapath, "--energy", operands, "--beats",
            BEATS_FEWER if datapath == "sequential" else BEATS)

    for f in facts.rows:
        for d in of_formats(f):
            add_element(f"pe {f} {d}", MODEL, d, "--format", f)
    for f in ALIGNED_FORMATS:
        for name, description in (aligned(*row) for row in ALIGNED):
            add_element(f"pe {f} {name}", MODEL, description, "--format", f)
    # A and B are alike to the hardware: each pair once.
    pairs = [(a, b) for a, b in itertools.combinations(facts.rows, 2) if facts.blocks[a] == facts.blocks[b]]
    for a, b in pairs:
        for d in of_formats():
            add_element(f"pe {a} x {b} {d}", MODEL, d, "--format", a, "--format-b", b)
    for d in of_formats():
        add_element(f"pe {SEVERAL} {d}", MODEL, d, "--format", SEVERAL)
    for f, d in (("mxfp4", "fused"), ("mxfp4", "sequential"), ("nvfp4", "exact")):
        add_element(f"normal pe {f} {d}", "gauss", d, "--format", f)
    for design in ("row", "array"):
        for f in (*facts.rows, SEVERAL):
            for d in of_formats(f):
                add(f"{design} {f} {d}", design, "--format", f, "--datapath", d,
                    *(("--energy", MODEL, "--beats", BEATS_FEWER) if design == "array" else ()))
        for a, b in pairs:
            for d in of_formats():
                add(f"{design} {a} x {b} {d}", design, "--format", a, "--format-b", b, "--datapath", d)
    masks = {f: f"{len(facts.rows)}'b{facts.mask([f]):0{len(facts.rows)}b}" for f in facts.rows}
    masks["all"] = f"{len(facts.rows)}'b{'1' * len(facts.rows)}"
    blocks = {**facts.blocks, "all": max(facts.blocks.values())}
    for f, mask in masks.items():
        pair = ["--param", f"A_FORMATS={mask}", "--param", f"B_FORMATS={mask}"]
        lanes = ["--param", f"LANES={blocks[f]}"]
        of = ["--param", f"FORMATS={mask}"]
        step = ["--param", f"STEP_LANES={blocks[f]}"]
        for name, arguments in (("mx_decode", of), ("mx_mul", pair), ("mx_block_sum", pair + lanes),
                                ("mx_edge", of + lanes + step), ("mx_scale", pair)):
            add(f"part {name} {f}", name, *arguments)
            if name in ("mx_decode", "mx_mul"):
                add(f"hx8k {name} {f}", name, *arguments, "--ice40", "hx8k")
    for f, module, parameters in quantizers(masks):
        add(f"part {module} {f}", module, *(word for p in parameters for word in ("--param", p)))
    for bits in (14, 24, 41):
        add(f"part fp32_accumulate {bits}", "fp32_accumulate", "--param", f"TERM_BITS={bits}")
        add(f"hx8k fp32_accumulate {bits}", "fp32_accumulate", "--param", f"TERM_BITS={bits}",
            "--ice40", "hx8k")
    add("part e8m0_scale", "e8m0_scale")
    add("hx8k e8m0_scale", "e8m0_scale", "--ice40", "hx8k")
    for d in ("fused", "sequential"):
        add(f"hx8k pe mxfp4 {d}", "pe", "--format", "mxfp4", "--datapath", d, "--ice40", "hx8k")
    return rows


def chosen(rows, only):
    names = [n for n in rows if not only or any(text in n or text == f"={n}" for text in only)]
    if not names:
        raise wrong_use(f"no row's name holds {' or '.join(only)}")
    return names


def settings_of(arguments, o):
    return area.arguments([*arguments, "--mxref", o.mxref, "--rtl", o.rtl, "--timeout", str(o.timeout),
                           *(["--results", o.results] if o.results else []), *(["--fresh"] if o.fresh else [])])


def made(arguments, o):
    """(record's head, row)"""
    settings = settings_of(arguments, o)
    flow, row = area.result(settings)
    row.pop("wall_seconds")
    head = {"tools": flow.versions}
    if not settings.ice40:
        head["library"] = {"name": flow.library.name, "sha256": flow.library_sha256}
    return head, row


def read(path, command="area", rows=dict):
    """A table that `make` of this file, or of fronts.py, wrote."""
    try:
        table = json.loads(pathlib.Path(path).read_text())
    except OSError as error:
        raise bad_input(f"{path}: {error.strerror}") from None
    except ValueError as error:  # of JSON or UTF-8
        raise bad_input(f"{path}: {error}") from None
    if not isinstance(table, dict) or table.get("command") != command or not isinstance(table.get("rows"), rows):
        raise bad_input(f'{path}: is no table: "command": "{command}" and its "rows" are expected')
    return table


def make(o):
    path = pathlib.Path(o.table)
    rows = wanted(Facts(pathlib.Path(o.rtl), o.mxref, 60))
    table = read(path) if path.exists() else {"schema": "mxref/1", "command": "area", "flow": area.FLOW,
                                              "tools": {}, "library": {}, "rows": {}}
    check_flow(table, path)
    failed = []
    for name in chosen(rows, o.only):
        try:
            head, row = made(rows[name], o)
        except AreaError as error:
            print(f"{name}: {error}", file=sys.stderr, flush=True)
            failed.append(name)
            continue
        if other := list(other_programs(table, head)):
            raise bad_input(f"{path}: {other[0]}: make the whole table anew in another file (--table)")
        table["tools"] |= head["tools"]
        table["library"] |= head.get("library", {})
        table["rows"][name] = {"arguments": rows[name], **row}
        ordered = {n: table["rows"][n] for n in rows if n in table["rows"]}
        write(path, {**table, "rows": ordered})
        print(name, flush=True)
    if failed:
        raise check_failed(f"{len(failed)} rows are not made: {', '.join(failed)}")


def write(path, table):
    """A row a line."""
    head = json.dumps({**table, "rows": {}}, indent=1).removesuffix("{}\n}")
    rows = ",\n".join(f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in table["rows"].items())
    tools.write_whole(path, f"{head}{{\n{rows}\n }}\n}}\n")


def check_flow(table, path):
    if table.get("flow") != area.FLOW:
        raise check_failed(f"{path}: made with flow {table.get('flow')}, this is {area.FLOW}: make the whole table "
                           "anew in another file (--table)")


def other_programs(table, head):
    """What the table is made with and this run is not."""
    for what, now in [*head["tools"].items(), *head.get("library", {}).items()]:
        then = {**table["tools"], **table["library"]}.get(what, now)
        if then != now:
            yield f"made with {what} {then}, this is {now}"


def without_seconds(value):
    if isinstance(value, dict):
        return {k: without_seconds(v) for k, v in value.items() if k != NOT_COMPARED}
    return value


def differences(expected, got, path=""):
    if isinstance(expected, dict) and isinstance(got, dict):
        for key in dict.fromkeys([*expected, *got]):
            yield from differences(expected.get(key), got.get(key), f"{path}.{key}" if path else key)
    elif expected != got:
        yield f"{path}: the table has {expected}, now {got}"


NO_TABLE = (KeyError, TypeError, AttributeError)  # from rows of another form
OTHER_TOOLS = 77  # what a test that cannot be made ends with


def check(o):
    table = read(o.table)
    check_flow(table, o.table)
    for name in chosen(table["rows"], o.only):
        row = table["rows"][name]
        head, again = made(row["arguments"], o)
        if other := list(other_programs(table, head)):
            print(f"not compared: {other[0]}")
            return OTHER_TOOLS
        row = {k: v for k, v in row.items() if k != "arguments"}
        different = list(differences(without_seconds(row), without_seconds(json.loads(json.dumps(again)))))
        if different:
            raise check_failed(f"{name}: {'; '.join(different)}")
        print(f"{name}: as in the table")
    return 0


def designs(o):
    """A row takes a second: the RTL is elaborated, not mapped."""
    table = read(o.table)
    if other := list(other_programs(table, {"tools": {"yosys": tools.version("yosys")}})):
        print(f"not compared: {other[0]}")
        return OTHER_TOOLS
    names = chosen(table["rows"], o.only)

    def is_of_this_rtl(name):
        row = table["rows"][name]
        design = area.flow_of(settings_of(row["arguments"], o)).design_sha256()
        return design == row.get("design_sha256")

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        others = [name for name, same in zip(names, pool.map(is_of_this_rtl, names)) if not same]
    print(f"{len(names)} results compared")
    if others:
        raise check_failed(f"{len(others)} rows are of other RTL: {', '.join(others)}")
    return 0


# --- Markdown
def ratio(row, base, value):
    return f"{value(row) / value(base):.2f}" if base else "-"


def of_other_operands(row, base):
    return bool(area.other_operands(area.arguments(row["arguments"]), base))


def pe_table(rows, prefix):
    lines = ["| formats | datapath | area | energy | clock | products a second and mm² | area um² "
             "| registers | MHz | pJ a product | G/s/mm² | glitches | s |",
             "|---|---|---|---|---|---|---|---|---|---|---|---|---|"]
    of_area = lambda r: r["area_um2"]
    of_clock = lambda r: r["mhz"]
    of_rate = lambda r: r["gmacs_per_s_mm2"]
    of_energy = lambda r: r["energy"]["pj_per_mac"]["total"]
    for name, row in rows.items():
        if not name.startswith(prefix):
            continue
        base = next((r for n, r in rows.items() if n.startswith(prefix) and r["datapath"] == "fused" and
                     (r["format_a"], r["format_b"]) == (row["format_a"], row["format_b"])), None)
        energy = "energy" in row
        relative = [ratio(row, base, of) for of in (of_area,)]
        relative.append(("≈ " if of_other_operands(row, base) else "") + ratio(row, base, of_energy)
                        if energy and base and "energy" in base else "-")
        relative += [ratio(row, base, of) for of in (of_clock, of_rate)]
        formats = row["format_a"] if row["format_a"] == row["format_b"] else \
            f"{row['format_a']} × {row['format_b']}"
        seconds = sum(row["seconds"].values()) + (row["energy"]["seconds"] if energy else 0)
        lines.append(f"| {formats} | {name.split()[-1]} | " + " | ".join(relative) +
                     f" | {row['area_um2']:.0f} | {row['registers']} | {row['mhz']:.1f} | " +
                     (f"{of_energy(row):.1f}" if energy else "-") +
                     f" | {row['gmacs_per_s_mm2']:.2f} | " +
                     (f"{row['energy']['glitches']:.0%}" if energy else "-") + f" | {seconds:.0f} |")
    return lines


def markdown(o):
    table = read(o.table)
    rows = table["rows"]
    programs = {**table["tools"], "sta": f"OpenSTA {table['tools']['sta']}"}  # which gives a number alone
    print(f"Cells: {table['library']['name']} (SHA-256 {table['library']['sha256'][:16]}…); " +
          "; ".join(programs.values()) + f". Flow {table['flow']}: the number of area.py's way from RTL to figures, "
          "which a change of it that changes figures counts up.\n")
    print("The first four columns are ratios to `fused` of the same formats; that of the clock is of MHz: above 1 is "
          f"quicker.\nEnergies are of {BEATS} blocks of each row and column (`--beats`), in arrays and on `sequential` "
          f"of {BEATS_FEWER}; ≈ marks a ratio to\n`fused` of another number of blocks. `s`: seconds of a core that the "
          "row took.\n")
    for title, prefix in (("Elements, a model's operands", "pe "), ("Elements, normal numbers", "normal "),
                          ("Rows of 4", "row "), ("Arrays of 2×2", "array ")):
        lines = pe_table(rows, prefix)
        if len(lines) > 2:
            print(f"### {title}\n", *lines, "", sep="\n")
    parts = [(n, r) for n, r in rows.items() if re.match("(part|hx8k|up5k) ", n)]
    if parts:
        print("### Parts\n\n| part | area um² | ns | LUTs | carries | MHz |\n|---|---|---|---|---|---|")
    for name, r in parts:
        cells = (f"{r['area_um2']:.0f}", f"{r['period_ns']:.2f}", "-", "-", "-") if "area_um2" in r else \
            ("-", "-", r["luts"], r["carries"], r["mhz"])
        print(f"| {name} | " + " | ".join(str(c) for c in cells) + " |")
    return 0


def main(argv):
    parser = argparse.ArgumentParser(prog="area_table.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("make", "check", "designs", "markdown"))
    parser.add_argument("--only", action="append", metavar="TEXT",
                        help="rows whose names hold it, or =NAME; repeatable")
    parser.add_argument("--table", default=str(TABLE), metavar="FILE")
    parser.add_argument("--mxref", default="mxref", metavar="PATH", help="the program (default mxref)")
    parser.add_argument("--results", metavar="DIR", help="where runs are kept")
    parser.add_argument("--rtl", default=str(area.HERE.parent / "rtl"), metavar="DIR", help="the RTL (default ours)")
    parser.add_argument("--fresh", action="store_true", help="run again what is kept")
    parser.add_argument("--timeout", type=int, default=600, metavar="S",
                        help="most seconds of each program (default 600)")
    o = parser.parse_args(argv)
    area.end_children_too()
    try:
        return {"make": make, "check": check, "designs": designs, "markdown": markdown}[o.command](o) or 0
    except AreaError as error:
        print(f"area_table.py: {error}", file=sys.stderr)
        return error.exit_code
    except NO_TABLE as error:
        print(f"area_table.py: {o.table}: is no such table: {type(error).__name__} {error}", file=sys.stderr)
        return 3
    except OSError as error:
        print(f"area_table.py: {error.filename}: {error.strerror}", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
