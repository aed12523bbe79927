"""What a datapath costs in hardware: the RTL becomes a netlist of a cell library (yosys, ABC), of which
OpenSTA gives the highest clock and a simulation with real operands (Icarus) the energy of a product; or
a design in an iCE40 FPGA. Before wires and clock tree, and in the old 0.18 um process that Debian ships
unless --liberty names another: compare datapaths, do not quote figures.

    mxref area --format mxfp4
    mxref area --format mxfp8_e4m3 --datapath tensorcore_mxf8 --energy gauss --json r.json
    mxref area --format mxfp4 --format-b mxfp8_e4m3 --energy smollm2
    mxref area array --rows 2 --cols 2 --format mxfp4,mxfp8_e4m3
    mxref area mx_decode --param "FORMATS=7'b0000001" --ice40 hx8k

An element takes a minute or so. Runs are kept, by what they depend on: sources, parameters, programs,
library. Exit codes: 0 good, 1 a netlist computes something else, 2 wrong use, 3 bad input or a missing
program.
"""

import argparse
import hashlib
import json
import os
import pathlib
import re
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field

import ice40
import power
import synthesis
import tools
from errors import AreaError, bad_input, check_failed, wrong_use
from facts import Facts, unknown
from liberty import Library
from operands import Operands
from seconds import cpu_seconds

FLOW = 3  # of the figures: a change of the flow that changes them counts it up
HERE = pathlib.Path(__file__).resolve().parent
# What figures depend on here.
OF_CELLS = ("liberty.py", "netlist.py", "synthesis.py", "tools.py")
OF_ENERGY = (*OF_CELLS, "facts.py", "operands.py", "power.py", "mx_area_tb.sv")
OF_FPGA = ("ice40.py", "synthesis.py", "tools.py")
# The options that say what operands an energy is of.
OF_OPERANDS = ("energy", "tokens", "beats", "seed")
SETS = ("A_FORMATS", "B_FORMATS")
LIBERTY = "/usr/share/qflow/tech/osu018/osu018_stdcells.lib"


@dataclass
class Design:
    name: str          # pe, row, array, or a module
    top: str
    parameters: dict   # of the top module
    formats_a: list = field(default_factory=list)
    formats_b: list = field(default_factory=list)
    pairs: list = field(default_factory=list)  # of a and b that multiply
    datapath_text: str = ""
    datapath: dict = None
    rows: int = 1
    cols: int = 1
    lanes: int = 0
    macs_per_cycle: int = 0
    bench_parameters: dict = field(default_factory=dict)
    parameter_names: list = field(default_factory=list)
    sets_at_once: bool = False  # of formats
    period_ns: float = 0.0

    def settings(self):
        """Of the parameters, one after the other; both sets of formats at once, and first, where one of them beside
        all formats on the other side is no array."""
        at_once = {name: self.parameters[name] for name in SETS} if self.sets_at_once else {}
        steps = [{name: value} for name, value in self.parameters.items() if name not in at_once]
        return [at_once, *steps] if at_once else steps

    def row(self):
        """How a record names it."""
        if not self.formats_a:
            return {"design": self.name, "parameters": self.parameters}
        return {"design": self.name, "rows": self.rows, "cols": self.cols,
                "format_a": ",".join(self.formats_a), "format_b": ",".join(self.formats_b),
                "datapath": self.datapath_text, "datapath_parameters": self.datapath}


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise wrong_use(f"{message}; see {self.prog} --help")


def arguments(argv):
    parser = Parser(prog="mxref area", description=__doc__, allow_abbrev=False,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("design", nargs="?", default="pe", metavar="pe|row|array|MODULE",
                        help="an element without its decoders; a row or an array with edges, control "
                             "and result buffer; or any module of the RTL (default pe)")
    parser.add_argument("--format", metavar="F[,F...]|all",
                        help="formats of a, chosen at run time where more than one")
    parser.add_argument("--format-b", metavar="F[,F...]|all", help="of b (default: those of a)")
    parser.add_argument("--datapath", default="fused", metavar="NAME|JSON",
                        help="a preset of `mxref formats --datapaths`, or a description (default fused)")
    parser.add_argument("--rows", type=int, metavar="R", help="of an array (default 2)")
    parser.add_argument("--cols", type=int, metavar="C", help="of a row (default 4), of an array (2)")
    parser.add_argument("--param", action="append", default=[], metavar="NAME=VALUE",
                        help="parameter of a MODULE, as Verilog writes it; repeatable")
    parser.add_argument("--target", type=float, default=1.0, metavar="NS",
                        help="delay that ABC aims at; 1, the default, is as quick as it gets")
    parser.add_argument("--energy", metavar="gauss|MODEL",
                        help="also the energy of a product: of normal numbers, or of a model's own "
                             "products (what `mxref vectors --model` takes); of several formats the first pair's")
    parser.add_argument("--tokens", metavar="FILE", help="what that model reads, as for `mxref vectors`")
    parser.add_argument("--beats", type=int, default=48, metavar="N",
                        help="blocks of each row and column while switching is counted (default 48)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the operands (default 1)")
    parser.add_argument("--ice40", choices=sorted(ice40.DEVICES), metavar="|".join(ice40.DEVICES),
                        help="in this FPGA instead: LUTs and clock")
    parser.add_argument("--json", metavar="FILE", help="write the full record of the run here")
    # What `mxref area` says of itself.
    parser.add_argument("--mxref", default="mxref", help=argparse.SUPPRESS)
    parser.add_argument("--record-head", type=json.loads, default={}, help=argparse.SUPPRESS)
    parser.add_argument("--liberty", default=LIBERTY, metavar="FILE",
                        help=f"the cell library (default {LIBERTY})")
    parser.add_argument("--rtl", default=HERE.parent / "rtl", metavar="DIR",
                        help="the modules, for instance your own: --energy checks that they compute the same "
                             "(default: those beside this folder)")
    parser.add_argument("--results", metavar="DIR",
                        help="where runs are kept (default: area in MXREF_CACHE or ~/.cache/mxref)")
    parser.add_argument("--fresh", action="store_true", help="run again what is kept")
    parser.add_argument("--timeout", type=int, default=600, metavar="S",
                        help="most seconds of each program (default 600)")
    o = parser.parse_args(argv)
    number_in("timeout", o.timeout, 1, 10**6)
    number_in("seed", o.seed, 0, 2**64 - 1)
    number_in("beats", o.beats, 1, 4096)
    given = {word.split("=")[0] for word in argv}
    for options, of, there in ((("--tokens", "--beats", "--seed"), "--energy", o.energy),
                               (("--target", "--liberty"), "cells, not of --ice40", not o.ice40)):
        if wrong := [option for option in options if option in given and not there]:
            raise wrong_use(f"{wrong[0]} is of {of}")
    if o.tokens and o.energy == "gauss":
        raise wrong_use("--tokens is what a model reads: gauss reads none")
    o.rtl = pathlib.Path(o.rtl).resolve()  # the programs run in folders of their own
    return o


def number_in(name, value, low, high):
    if not low <= value <= high:
        raise wrong_use(f"--{name}: {value} is not {low} to {high}")
    return value


def of_array(o, facts):
    """The design of an element, a row or an array."""
    if not o.format:
        raise wrong_use(f"{o.design} needs --format")
    if o.param:
        raise wrong_use("--param is of a MODULE")
    formats_a = facts.formats(o.format)
    formats_b = facts.formats(o.format_b) if o.format_b else formats_a
    if o.design != "array" and o.rows is not None or o.design == "pe" and o.cols is not None:
        raise wrong_use("--rows and --cols are of an array, --cols of a row")
    rows = {"array": 2 if o.rows is None else o.rows}.get(o.design, 1)
    cols = {"array": 2, "row": 4}.get(o.design, 1) if o.cols is None else o.cols
    number_in("rows", rows, 1, 64)
    number_in("cols", cols, 1, 64)
    pairs = [(a, b) for a in formats_a for b in formats_b if facts.blocks[a] == facts.blocks[b]]
    for side, formats, others in (("a", formats_a, formats_b), ("b", formats_b, formats_a)):
        if alone := [f for f in formats if facts.blocks[f] not in {facts.blocks[other] for other in others}]:
            raise wrong_use(f"no format of the other side multiplies with {facts.say_blocks(alone)} of {side}: "
                            f"there {facts.say_blocks(others)}; both sides of a product must be nvfp4, or neither")
    datapath = [facts.datapath(o.datapath, *pair) for pair in pairs][0]  # which the program must take for each
    lanes = max(facts.blocks[f] for f in formats_a)
    if datapath["kind"] == "aligned" and datapath["terms"] % lanes and lanes % datapath["terms"]:
        raise wrong_use(f"{datapath['terms']} terms: the RTL takes what divides {lanes} or is a "
                        "multiple of it")
    sets = {name: f"{len(facts.rows)}'b{facts.mask(formats):0{len(facts.rows)}b}"
            for name, formats in zip(SETS, (formats_a, formats_b))}
    of_datapath = facts.parameters(datapath)
    shape = {"ROWS": rows, "COLS": cols}
    top = "mx_pe" if o.design == "pe" else "mx_mac_array"
    return Design(
        o.design, top, {**sets, **of_datapath, **({"LANES": lanes} if o.design == "pe" else shape)},
        formats_a, formats_b, pairs, o.datapath, datapath, rows, cols, lanes,
        rows * cols * facts.step_lanes(datapath, lanes),
        {**shape, "A_FORMATS": facts.mask(formats_a), "B_FORMATS": facts.mask(formats_b),
         **of_datapath},
        parameter_names(o.rtl / f"{top}.sv"),
        top == "mx_mac_array" and lanes < max(facts.blocks.values()))


def parameter_names(path):
    """As the sources write them: one a line."""
    return re.findall(r"^ *parameter [^=]*?(\w+) *=", path.read_text(), re.M)


def of_module(o):
    if (o.format or o.format_b or o.datapath != "fused" or o.energy or o.rows is not None or
            o.cols is not None):
        raise wrong_use(f"{o.design} is no pe, row or array: of options of the design it takes --param")
    modules = synthesis.modules(o.rtl)
    if o.design not in modules:
        raise wrong_use(unknown("design", o.design, ["pe", "row", "array", *modules]))
    names, parameters = parameter_names(modules[o.design]), {}
    for text in o.param:
        name, equals, value = text.partition("=")
        if not (name.isidentifier() and equals and value):
            raise wrong_use(f"--param: {text!r} is no NAME=VALUE")
        if name not in names:
            raise wrong_use(unknown(f"parameter of {o.design}", name, names))
        parameters[name] = int(value) if value.lstrip("-").isdigit() else value
    return Design(o.design, o.design, parameters,
                  sets_at_once=o.design == "mx_mac_array" and all(name in parameters for name in SETS))


# --- runs
class Flow:
    def __init__(self, o, facts, design):
        self.o, self.facts, self.design = o, facts, design
        cache = os.environ.get("MXREF_CACHE") or pathlib.Path.home() / ".cache/mxref"
        self.results = tools.Results(o.results or pathlib.Path(cache) / "area", o.fresh)
        self.files = synthesis.sources(o.rtl, design.top)
        self.versions = {}

    def depends_on(self, files, programs, flow, **more):
        for program in programs:
            if program not in self.versions:
                path = self.o.mxref if program == "mxref" else program
                self.versions[program] = tools.version(path)
        of_flow = tools.sha256_of(*((HERE / name).read_bytes() for name in flow))
        return {"flow": FLOW, "flow_sha256": of_flow,
                "sources": {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files},
                "tools": {p: self.versions[p] for p in programs}, "top": self.design.top,
                "parameters": self.design.parameters, **more}

    def read_library(self):
        try:
            content = pathlib.Path(self.o.liberty).read_bytes()
        except OSError as error:
            cure = ": apt-get install qflow-tech-osu018" if self.o.liberty == LIBERTY else ""
            raise bad_input(f"{self.o.liberty}: {error.strerror}{cure}") from None
        self.liberty = str(pathlib.Path(self.o.liberty).resolve())
        try:
            self.library = Library(content.decode("utf-8", "replace"))
        except AreaError as error:
            raise AreaError(error.exit_code, f"{self.liberty}: {error}") from None
        except (KeyError, ValueError, IndexError, TypeError) as error:
            raise bad_input(f"{self.liberty}: Liberty: a group lacks what this flow reads, or has another "
                            f"form: {type(error).__name__} {error}") from None
        self.library_sha256 = hashlib.sha256(content).hexdigest()

    def cells(self):
        """Area, cells, clock, leakage; the folder with the netlist."""
        target = round(number_in("target", self.o.target, 0.001, 1000) * 1000)
        depends_on = self.depends_on(self.files, ("yosys", "sta"), OF_CELLS,
                                     library=self.library_sha256, target_ps=target)
        return self.results.get(depends_on, lambda f: self._make_cells(f, target))

    def _make_cells(self, folder, target):
        begin, design = cpu_seconds(), self.design
        said_um2 = synthesis.synthesize(folder, self.files, design.top, design.settings(), self.library,
                                        self.liberty, target, self.o.timeout)
        netlist = synthesis.load_netlist(folder, self.library)
        cells = {}
        for instance in netlist.instances:
            cells[instance.cell] = cells.get(instance.cell, 0) + 1
        of = self.library.cells
        if not cells:
            raise bad_input(f"{design.name}: wires alone, which cost nothing here: {folder}/netlist.json")
        if flat := [c for c in cells if of[c].area_um2 <= 0]:
            raise bad_input(f"{self.liberty}: Liberty: cell {flat[0]}: area {of[flat[0]].area_um2:g} is not above 0")
        mapped = cpu_seconds()
        timing = synthesis.analyze(folder, netlist, self.library, self.liberty, self.o.timeout)
        area = sum(n * of[c].area_um2 for c, n in cells.items())
        if abs(area - said_um2) > 1e-6 * area:
            raise check_failed(f"yosys counts {said_um2} um2, the cells have {area}: {folder}/yosys.log")
        registers = {c: n for c, n in cells.items() if of[c].register}
        return {"design_sha256": self.design_sha256(), "area_um2": area,
                "registers_um2": sum(n * of[c].area_um2 for c, n in registers.items()),
                "registers": sum(registers.values()), "cells": dict(sorted(cells.items())),
                "leakage_nw": round(sum(n * of[c].leakage_nw for c, n in cells.items()), 6), **timing,
                "mhz": round(1000 / timing["period_ns"], 3),
                "seconds": {"synthesis": round(mapped - begin, 1),
                            "timing": round(cpu_seconds() - mapped, 1)}}

    def energy(self, synthesized):
        """Of the first pair of formats; corner cases of all pairs are computed, too."""
        o, design, begin = self.o, self.design, cpu_seconds()
        with tempfile.TemporaryDirectory() as folder:
            of = [Operands(self.facts, pathlib.Path(folder), design, *pair) for pair in design.pairs]
            stream = (of[0].gauss(o.beats, o.seed) if o.energy == "gauss"
                      else of[0].model(o.energy, o.tokens, o.beats, o.seed))
            corner_cases = [operands.corner_cases(CORNER_CASES, o.seed) for operands in of]
        files = synthesis.sources(o.rtl, "mx_mac_array")
        depends_on = self.depends_on(
            files, ("yosys", "sta", "iverilog"), OF_ENERGY, library=self.library_sha256,
            netlist=synthesized.name, operands=stream.sha256(),
            corner_cases=[s.sha256() for s in corner_cases])

        def make(folder):
            bench = power.Bench(folder, synthesis.load_netlist(synthesized, self.library), self.library,
                                design, files, HERE / "mx_area_tb.sv", synthesized, o.timeout)
            for s in corner_cases:
                bench.check(s)
            return {"formats": design.pairs[0], **bench.energy(stream),
                    "corner_cases_checked": CORNER_CASES * len(corner_cases),
                    "seconds": round(cpu_seconds() - begin, 1)}
        return self.results.get(depends_on, make)[1]

    def fpga(self):
        design = self.design
        depends_on = self.depends_on(self.files, ("yosys", "nextpnr-ice40"), OF_FPGA,
                                     device=self.o.ice40)
        return self.results.get(depends_on, lambda f: {"design_sha256": self.design_sha256(), **ice40.implement(
            f, self.files, design.top, design.settings(), self.o.ice40, self.o.timeout)})[1]

    def design_sha256(self):
        """By which a later tree tells whether figures are of its RTL."""
        return synthesis.design_sha256(self.files, self.design.top, self.design.settings(), self.o.timeout)


CORNER_CASES = 100  # vectors with special values that every netlist whose energy is asked computes


def flow_of(o):
    of_formats = o.design in ("pe", "row", "array")
    facts = Facts(o.rtl, o.mxref, o.timeout) if of_formats else None
    return Flow(o, facts, of_array(o, facts) if of_formats else of_module(o))


def result(o):
    """(the flow, the row of the record)"""
    begin = time.monotonic()
    flow = flow_of(o)
    design = flow.design
    row = {"task": "area", **design.row()}
    if o.ice40:
        if o.energy:
            raise wrong_use("--energy is of cells, not of --ice40")
        row |= flow.fpga()
        return flow, {**row, "wall_seconds": round(time.monotonic() - begin, 1)}
    flow.read_library()
    folder, record = flow.cells()
    row |= record
    if design.macs_per_cycle:
        row["macs_per_cycle"] = design.macs_per_cycle
        row["gmacs_per_s_mm2"] = round(
            design.macs_per_cycle / row["period_ns"] / (row["area_um2"] / 1e6), 4)
    if o.energy:
        design.period_ns = row["period_ns"]
        row["energy"] = flow.energy(folder)
    row["wall_seconds"] = round(time.monotonic() - begin, 1)
    return flow, row


def write_record(o, flow, row):
    record = {"schema": "mxref/1", "command": "area", **o.record_head,
              "seed": o.seed if o.energy else None, "threads": 1, "flow": FLOW, "tools": flow.versions}
    if not o.ice40:
        record["library"] = {"name": flow.library.name, "sha256": flow.library_sha256,
                             "target_ns": o.target}
    record |= {"wall_seconds": row.pop("wall_seconds"), "results": [{**row, "function_checked": "energy" in row}]}
    tools.write_whole(o.json, json.dumps(record, indent=2) + "\n")


def other_operands(o, row):
    """Of the options that say what operands an energy is of, those that a row of the table had otherwise."""
    theirs = arguments(row["arguments"])
    differ = [name for name in OF_OPERANDS if getattr(theirs, name) != getattr(o, name)]
    return [f"--{name} {getattr(theirs, name) or 'not given'}" for name in differ]


def fused_row(o, flow, row):
    """The row of area.json that is this one on `fused`: of the same flow, library, formats and shape, and of the
    operands that are most alike."""
    if o.ice40 or o.target != 1.0 or "datapath" not in row:
        return None
    table = json.loads((HERE / "area.json").read_text())
    if (table["flow"], table["library"]["sha256"]) != (FLOW, flow.library_sha256):
        return None
    same = ("design", "rows", "cols", "format_a", "format_b")
    rows = [r for r in table["rows"].values()
            if r.get("datapath") == "fused" and "area_um2" in r and all(r[k] == row[k] for k in same)]
    return min(rows, key=lambda r: len(other_operands(o, r)), default=None)


def ratios(o, row, base):
    """To the row of `fused`, in words; of energies where both are of the same operands, or why not."""
    of = {"area": row["area_um2"] / base["area_um2"], "clock": row["mhz"] / base["mhz"],
          "products a second and mm2": row["gmacs_per_s_mm2"] / base["gmacs_per_s_mm2"]}
    why = ""
    if "energy" in row and "energy" not in base:
        why = "; energy: the table has none of it"
    elif "energy" in row and (others := other_operands(o, base)):
        why = f"; energy: the table's is of other operands, {' '.join(others)}"
    elif "energy" in row:
        of["energy"] = row["energy"]["pj_per_mac"]["total"] / base["energy"]["pj_per_mac"]["total"]
    return ", ".join(f"{what} {value:.2f}" for what, value in of.items()) + why


def print_row(o, flow, row):
    if base := fused_row(o, flow, row):
        print(f"to fused: {ratios(o, row, base)}")
    if "luts" in row:
        print(f"{row['luts']} LUTs, {row['registers']} registers; {row['mhz']} MHz on {row['device']}")
    else:
        print_cells(row)
    if "energy" in row:
        print_energy(row, row["energy"])
    else:
        print("function not checked" + (": --energy checks it" if "macs_per_cycle" in row else ""))


def print_cells(row):
    print(f"{row['area_um2']:.0f} um2, of these registers {row['registers_um2']:.0f}; "
          f"{sum(row['cells'].values())} cells")
    print(f"{row['mhz']:.1f} MHz ({row['period_ns']:.2f} ns, {' to '.join(row['critical'])}); leakage "
          f"{row['leakage_nw']:.0f} nW")
    if "macs_per_cycle" in row:
        print(f"{row['macs_per_cycle']} products a cycle, {row['gmacs_per_s_mm2']:.2f} G a second and mm2")


def print_energy(row, energy):
    e = energy["pj_per_mac"]
    several = f" of {' and '.join(energy['formats'])}" if "," in row["format_a"] + row["format_b"] else ""
    print(f"{e['total']:.3f} pJ a product{several}: " +
          ", ".join(f"{n} {v:.3f}" for n, v in e.items() if n != "total") +
          f"; {energy['glitches']:.0%} of the transitions are glitches")
    print(f"function checked: {energy['rows_checked']} rows of these products, "
          f"{energy['corner_cases_checked']} vectors with special values")


def end_children_too():
    """A signal to end is an exit, so that a program that runs is ended and its folder removed."""
    for number in (signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, lambda number, frame: sys.exit(128 + number))


def main(argv):
    end_children_too()
    try:
        o = arguments(argv)
        if o.json:
            tools.check_writable(o.json)
        flow, row = result(o)
        print_row(o, flow, row)
        if o.json:
            write_record(o, flow, row)
        return 0
    except AreaError as error:
        print(f"mxref area: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"mxref area: {error.filename}: {error.strerror}", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
