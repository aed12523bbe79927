#!/usr/bin/env python3
"""What datapaths cost beside what a model loses on them: fronts.json, which the page of `mxref validate`
plots. Area, clock and energy are rows of area.json; perplexity comes from `mxref eval`.

    fronts.py make --text wiki.test.raw --mxref PATH    minutes; perplexities that are there are kept
    fronts.py check                                     its settings are those below, its costs those of area.json
    fronts.py markdown
"""

import argparse
import hashlib
import json
import pathlib
import sys
import tempfile

import area
import area_table
from errors import AreaError, bad_input, check_failed
from tools import ask_mxref, write_whole

FRONTS = area.HERE / "fronts.json"
RECIPES = {"w8a8": "mxfp8_e4m3", "w4a4": "mxfp4"}
BASE = "fused"  # of every ratio
WINDOW, WINDOWS = 256, 8
NOISE_RUNS = 4  # of the base, perturbed by a last bit: what two datapaths of the same accuracy may differ by
TIMEOUT = 7200  # seconds of a perplexity
COSTS = ("area_um2", "mhz", "macs_per_cycle")


def datapaths(format_):
    """(name, what --datapath takes)"""
    presets = [(name, name) for name in area_table.of_formats(format_)]
    return presets + [area_table.aligned(*row) for row in area_table.ALIGNED]


def wanted():
    """(recipe, format, name, description) in the order of the file"""
    return [(recipe, format_, *row) for recipe, format_ in RECIPES.items() for row in datapaths(format_)]


def costs(table, format_, name):
    """Nothing where area.json has no such row yet."""
    row = table["rows"].get(f"pe {format_} {name}")
    return row and {**{key: row[key] for key in COSTS}, "pj_per_mac": row["energy"]["pj_per_mac"]["total"]}


def evaluated(o, record, recipe, datapath, *more):
    """What `mxref eval` finds, of the model that the record is of."""
    arguments = ["eval", "--model", area_table.MODEL, "--recipe", recipe, "--task", f"perplexity:{o.text}",
                 "--window", str(WINDOW), "--limit", str(WINDOWS), *more]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "eval.json"
        ask_mxref(o.mxref, [*arguments, *(["--set", f"datapath={datapath}"] if datapath else []),
                            "--json", str(path)], TIMEOUT)
        run = json.loads(path.read_text())
    if record.setdefault("model", run["model"]) != run["model"]:
        raise bad_input(f"{o.table} is of another {area_table.MODEL} ({record['model']['sha256']})")
    return {"commit": run["commit"], **run["results"][0]}


def accuracy(result):
    return {key: result[key] for key in ("ppl", "nll", "nll_sums", "commit")}


def text_of(o):
    return {"file": o.text.name, "sha256": hashlib.sha256(o.text.read_bytes()).hexdigest()}


def asked(text):
    """What all rows of a record of this text are of."""
    return {"text": text, "window": WINDOW, "windows": WINDOWS,
            "commands": {
                "costs": "mxref area pe --format FORMAT --datapath DATAPATH --energy "
                         f"{area_table.MODEL} --beats {area_table.BEATS} (sequential: "
                         f"{area_table.BEATS_FEWER})",
                "perplexity": f"mxref eval --model {area_table.MODEL} --recipe RECIPE --set "
                              f"datapath=DATAPATH --task perplexity:{text['file']} --window {WINDOW} "
                              f"--limit {WINDOWS}"}}


def read(path):
    return area_table.read(path, "fronts", list)


def differences(record, now):
    return [f"{key} is {record[key]}, now {value}" for key, value in now.items() if record[key] != value]


def started(o):
    """The record that is there, which must be of the same text and windows, or a new one."""
    now = asked(text_of(o))
    if pathlib.Path(o.table).exists():
        record = read(o.table)
        if other := differences(record, now):
            raise bad_input(f"{o.table}: {other[0]}: make it in another file (--table)")
        return record
    record = {"schema": "mxref/1", "command": "fronts", **now}
    fp32 = evaluated(o, record, "fp32", None)
    return {**record, "tokens": fp32["tokens"], "fp32": accuracy(fp32), "noise": {}, "rows": []}


def make(o):
    o.text = pathlib.Path(o.text)
    if not o.text.is_file():
        raise bad_input(f"{o.text}: no such text (--text)")
    record = started(o)
    table = area_table.read(o.costs)
    record |= {"tools": table["tools"], "library": table["library"], "flow": table["flow"]}
    for recipe in RECIPES:
        if recipe not in record["noise"]:
            noise = evaluated(o, record, recipe, BASE, "--noise", str(NOISE_RUNS))["noise"]
            record["noise"][recipe] = {"runs": noise["runs"], "seed": noise["seed"], **noise["ppl"]}
    rows = {(r["recipe"], r["description"]): r for r in record["rows"]}
    for recipe, format_, name, description in wanted():
        key = recipe, description
        measured = rows.get(key) or evaluated(o, record, recipe, description)
        rows[key] = {"recipe": recipe, "format": format_, "datapath": name, "description": description,
                     **(costs(table, format_, name) or {}), **accuracy(measured)}
        record["rows"] = [rows[r, d] for r, _, _, d in wanted() if (r, d) in rows]
        write_whole(o.table, json.dumps(record, indent=1) + "\n")
        print(recipe, name, f"{measured['ppl']:.4f}", flush=True)


def check(o):
    record, table = read(o.table), area_table.read(o.costs)
    of = {**record, "noise_runs": {recipe: noise["runs"] for recipe, noise in record["noise"].items()}}
    if other := differences(of, {**asked(record["text"]), "noise_runs": dict.fromkeys(RECIPES, NOISE_RUNS)}):
        raise check_failed(f"{o.table}: {other[0]}: make it anew")
    got = [(r["recipe"], r["format"], r["datapath"], r["description"]) for r in record["rows"]]
    if got != wanted():
        raise check_failed(f"{o.table}: other datapaths: {set(got) ^ set(wanted())}")
    for row in record["rows"]:
        expected = costs(table, row["format"], row["datapath"])
        found = {key: row.get(key) for key in (*COSTS, "pj_per_mac")}
        if found != expected:
            raise check_failed(f"{row['recipe']} {row['datapath']}: {found}, area.json has {expected}")
    print(f"{len(got)} datapaths cost what area.json says")


def markdown(o):
    record = read(o.table)
    print(f"{record['model']['name']}, {record['tokens']} tokens of {record['text']['file']}; fp32 "
          f"{record['fp32']['ppl']:.3f}. Ratios are to `{BASE}` of the same recipe. Under a noise of 2^-22 its "
          "perplexity moves by a standard deviation of " +
          ", ".join(f"{n['sd']:.3f} ({recipe})" for recipe, n in record["noise"].items()) + ".\n")
    print("| recipe | datapath | area | products a cycle | area a product | clock | energy | perplexity "
          "| loss of nll to fp32 | area µm² | MHz | pJ a product |\n|" + "---|" * 12)
    for row in record["rows"]:
        base = next(r for r in record["rows"] if r["recipe"] == row["recipe"] and r["datapath"] == BASE)
        per_product = lambda r: r["area_um2"] / r["macs_per_cycle"]
        ratios = [row["area_um2"] / base["area_um2"], per_product(row) / per_product(base),
                  row["mhz"] / base["mhz"], row["pj_per_mac"] / base["pj_per_mac"]]
        area_, product, clock, energy = (f"{r:.2f}" for r in ratios)
        print(f"| {row['recipe']} | {row['datapath']} | {area_} | {row['macs_per_cycle']} | {product} | {clock} "
              f"| {energy} | {row['ppl']:.3f} | {row['nll'] - record['fp32']['nll']:.4f} "
              f"| {row['area_um2']:.0f} | {row['mhz']:.1f} | {row['pj_per_mac']:.1f} |")


def main(argv):
    parser = argparse.ArgumentParser(prog="fronts.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("make", "check", "markdown"))
    parser.add_argument("--text", default="wiki.test.raw", metavar="FILE", help="what the model reads")
    parser.add_argument("--table", default=str(FRONTS), metavar="FILE")
    parser.add_argument("--costs", default=str(area_table.TABLE), metavar="FILE", help="area.json")
    parser.add_argument("--mxref", default="mxref", metavar="PATH", help="the program (default mxref)")
    o = parser.parse_args(argv)
    area.end_children_too()
    try:
        {"make": make, "check": check, "markdown": markdown}[o.command](o)
        return 0
    except AreaError as error:
        print(f"fronts.py: {error}", file=sys.stderr)
        return error.exit_code
    except area_table.NO_TABLE as error:
        print(f"fronts.py: {o.table} or {o.costs}: is no such table: {type(error).__name__} {error}", file=sys.stderr)
        return 3
    except OSError as error:
        print(f"fronts.py: {error.filename}: {error.strerror}", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
