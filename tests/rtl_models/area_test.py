#!/usr/bin/env python3
"""The flow that says what a datapath costs (rtl_models/synth): rows of the committed table come out
again, figure by figure; what must fail does.

    area_test.py MXREF SOURCE_DIR WORK_DIR
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys

MXREF, SOURCE, WORK = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
SYNTH = SOURCE / "rtl_models/synth"
sys.path.insert(0, str(SYNTH))

import area  # noqa: E402
import facts  # noqa: E402
import liberty  # noqa: E402
import operands  # noqa: E402
import power  # noqa: E402
import synthesis  # noqa: E402
import tools  # noqa: E402
from errors import AreaError  # noqa: E402

SKIPPED = 77
REMADE = ("normal pe mxfp4 sequential", "part mx_mul mxfp8_e4m3")


def call(*command, **more):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, **more)
    return done.returncode, done.stdout, done.stderr.strip()


def mxref_area(*arguments, **more):
    return call(MXREF, "area", *arguments, **more)


def fail(message):
    print(message)
    sys.exit(1)


def expect(what, got, code, words):
    if got[0] != code or words not in got[2] or "\n" in got[2]:
        fail(f"{what}: expected exit code {code} and one line with {words!r}, got {got[0]}: {got[2]}")


def table(*arguments):
    return call(sys.executable, SYNTH / "area_table.py", *arguments, "--mxref", MXREF, "--results",
                WORK / "results")


def rows_come_out_again():
    """Whether the tools are those of the table, so that its rows can be compared."""
    only = [word for name in REMADE for word in ("--only", name)]
    got = table("check", *only)
    if got[0] == SKIPPED:
        print(f"skipped: {got[1].strip()}")
        return False
    if got[0] != 0 or any(f"{name}: as in the table" not in got[1] for name in REMADE):
        fail(f"the committed table: exit code {got[0]}: {got[1]}{got[2]}")
    print(got[1].strip())
    return True


def rows_are_of_this_rtl():
    """A few of them: `./check --long costs` takes all. A row of other RTL is caught."""
    rows = ("=part e8m0_scale", "=pe mxfp4 fused", "=row mxfp4 fused", "=array mxfp4 exact", "=hx8k mx_mul mxfp4")
    only = [word for name in rows for word in ("--only", name)]
    got = table("designs", *only)
    if got[0] != 0 or got[1] != f"{len(rows)} results compared\n":
        fail(f"area_table.py designs: exit code {got[0]}: {got[1]}{got[2]}")
    copy = WORK / "rtl"
    shutil.copytree(SOURCE / "rtl_models/rtl", copy)
    path = copy / "e8m0_scale.sv"
    text = path.read_text()
    for what, changed, code in (("a line further down", "\n" + text, 0),
                                ("another constant", text.replace("2*127", "2*126"), 1)):
        if changed == text:
            fail(f"{path} has nothing to change")
        path.write_text(changed)
        got = table("designs", "--only", rows[0], "--rtl", copy)
        if got[0] != code or code and "1 rows are of other RTL: part e8m0_scale" not in got[2]:
            fail(f"RTL with {what}: exit code {got[0]}: {got[1]}{got[2]}")
    print("rows are of the RTL as it stands; of other RTL they are caught")


def another_figure_is_caught():
    """One at a time, of each kind."""
    whole = json.loads((SYNTH / "area.json").read_text())
    for path in (("area_um2",), ("period_ns",), ("cells", "NAND2X1"), ("energy", "pj_per_mac", "nets")):
        changed = json.loads(json.dumps(whole))
        of = changed["rows"][REMADE[0]]
        for key in path[:-1]:
            of = of[key]
        of[path[-1]] += 1
        (WORK / "changed.json").write_text(json.dumps(changed))
        expect(f"a table with another {'.'.join(path)}",
               table("check", "--only", REMADE[0], "--table", WORK / "changed.json"), 1,
               f"{'.'.join(path)}: the table has {of[path[-1]]}")
    print("a table with another figure is caught")


def the_table_to_read_is_that_of_the_rows():
    got = table("markdown")
    if got[0] != 0 or got[1] != (SYNTH / "area_table.md").read_text():
        fail(f"area_table.md is not what `area_table.py markdown` prints {got[2]}")
    print("area_table.md is that of area.json")


def ratios_to_fused_come_first():
    """Of a row of the table those that the table has."""
    of_table = re.search(r"^\| mxfp4 \| sequential \|( (≈ )?[\d.]+ \|){4}", (SYNTH / "area_table.md").read_text().split(
        "### Elements, normal numbers")[1], re.M).group(0).split(" | ")[2:]
    area_, _, clock, rate = (word.strip(" |") for word in of_table)
    same = "area 1.00, clock 1.00, products a second and mm2 1.00"
    other = "; energy: the table's is of other operands, "
    for arguments, words in (
            (("--datapath", "sequential", "--energy", "gauss", "--beats", 12),
             f"area {area_}, clock {clock}, products a second and mm2 {rate}{other}--beats 48"),
            (("--energy", "gauss"), f"{same}, energy 1.00"),
            (("--energy", "gauss", "--seed", 2), f"{same}{other}--seed 1"),
            ((), same)):
        got = mxref_area("--format", "mxfp4", *arguments, "--results", WORK / "results")
        if got[0] != 0 or got[1].splitlines()[0] != f"to fused: {words}":
            fail(f"mxref area: expected {words!r} first, got {got[1]}{got[2]}")
    print("ratios to fused come first, of energies where the operands are the same")


def fronts_cost_what_the_table_says():
    """And a front that does not, or is of other settings, is caught."""
    check = (sys.executable, SYNTH / "fronts.py", "check")
    got = call(*check)
    if got[0] != 0:
        fail(f"fronts.py check: {got[2]}")
    whole = json.loads((SYNTH / "fronts.json").read_text())
    area_ = {**whole["rows"][0], "area_um2": whole["rows"][0]["area_um2"] + 1}
    for what, change, code, words in (
            ("with another area", {"rows": [area_, *whole["rows"][1:]]}, 1, "area.json has"),
            ("of other windows", {"windows": whole["windows"] + 1}, 1, "windows is"),
            ("of fewer runs with noise", {"noise": {"w8a8": {"runs": 1}}}, 1, "noise_runs is {'w8a8': 1}"),
            ("whose rows are none", {"rows": [1]}, 3, "changed.json"),
            ("of another kind", {"command": "area"}, 3, '"command": "fronts"')):
        (WORK / "changed.json").write_text(json.dumps({**whole, **change}))
        expect(f"fronts {what}", call(*check, "--table", WORK / "changed.json"), code, words)
    (WORK / "changed.json").write_text("[]")
    expect("a list for a table", table("check", "--table", WORK / "changed.json"), 3, "changed.json: is no table")
    print(got[1].strip())
    text = WORK / "another text"
    text.write_text("another")
    expect("fronts of another text", call(sys.executable, SYNTH / "fronts.py", "make", "--text", text, "--mxref",
                                          MXREF), 3, "another file (--table)")
    (WORK / "changed.json").write_text(json.dumps({**json.loads((SYNTH / "area.json").read_text()), "flow": 0}))
    expect("rows of another flow in one table", table(
        "make", "--only", "=part e8m0_scale", "--table", WORK / "changed.json"), 1, "made with flow 0")
    expect("a check of rows of another flow", table("check", "--only", "=part e8m0_scale", "--table",
                                                    WORK / "changed.json"), 1, "made with flow 0")


def again_in_another_folder():
    """The same netlist, cell by cell."""
    arguments = ("pe", "--format", "mxfp4", "--datapath", "sequential")
    shutil.copytree(SOURCE / "rtl_models/rtl", WORK / "a longer name/rtl", dirs_exist_ok=True)
    netlists = []
    for number, more in enumerate(((), ("--rtl", WORK / "a longer name/rtl"))):
        results = WORK / f"again{number}"
        got = mxref_area(*arguments, *more, "--results", results)
        if got[0] != 0:
            fail(f"mxref area: {got[2]}")
        for path in results.glob("*/netlist.json"):
            module = json.loads(path.read_text())["modules"][synthesis.TOP]
            netlists.append((module["cells"], module["netnames"], module["ports"]))
    if len(netlists) != 2 or netlists[0] != netlists[1]:
        fail("the same sources in another folder give another netlist")
    print("the same sources in another folder give the same netlist")


class Element:
    """A mapped element, and what simulates it."""

    def __init__(self, datapath):
        argv = ["pe", "--format", "nvfp4", "--datapath", datapath, "--mxref", MXREF, "--results",
                str(WORK / "results"), "--energy", "gauss"]
        o = area.arguments(argv)
        self.facts = facts.Facts(o.rtl, MXREF, 60)
        self.design = area.of_array(o, self.facts)
        self.flow = area.Flow(o, self.facts, self.design)
        self.flow.read_library()
        self.folder, record = self.flow.cells()
        self.design.period_ns = record["period_ns"]
        self.netlist = synthesis.load_netlist(self.folder, self.flow.library)


def a_wrong_gate_is_caught(element):
    """The simulation of the netlist is a check of it: some other gate, another result."""
    folder = WORK / "wrong"
    folder.mkdir()
    made = operands.Operands(element.facts, folder, element.design, *element.design.pairs[0])
    corner_cases = made.corner_cases(50, 1)

    def simulated():
        power.Bench(folder, element.netlist, element.flow.library, element.design,
                    synthesis.sources(SOURCE / "rtl_models/rtl", "mx_mac_array"), SYNTH / "mx_area_tb.sv",
                    element.folder, 300).check(corner_cases)

    simulated()
    gates = [i for i in element.netlist.instances if i.cell == "XOR2X1"]
    gates[len(gates) // 2].cell = "XNOR2X1"
    try:
        simulated()
    except AreaError as error:
        gates[len(gates) // 2].cell = "XOR2X1"
        if error.exit_code != 1 or "differs from the definition" not in str(error):
            fail(f"a wrong gate: {error}")
        print("a wrong gate in the netlist is caught")
        return
    fail("a wrong gate in the netlist is not seen")


def wrong_rtl_is_caught_by_energy():
    """Without --energy nothing is checked, and the run says so."""
    rtl = WORK / "own" / "rtl"
    shutil.copytree(SOURCE / "rtl_models/rtl", rtl)
    path = rtl / "fp32_accumulate.sv"
    text = path.read_text()
    wrong = text.replace("subtract   = high_negative ^ low_negative", "subtract   = 1'b0")
    for what, content, energy, code, words in (
            ("right RTL", text, True, 0, "function checked: "), ("wrong RTL", wrong, True, 1, ""),
            ("wrong RTL unchecked", wrong, False, 0, "function not checked: --energy checks it\n")):
        path.write_text(content)
        got = mxref_area("--format", "nvfp4", "--datapath", "sequential", "--rtl", rtl, "--json", WORK / "own.json",
                         *(("--energy", "gauss", "--beats", 16) if energy else ()), "--results", WORK / "results")
        if wrong == text or got[0] != code or words not in got[1] or code and "differs from the def" not in got[2]:
            fail(f"{what}: exit code {got[0]}: {got[1]}{got[2]}")
        if code == 0 and json.loads((WORK / "own.json").read_text())["results"][0]["function_checked"] != energy:
            fail(f"{what}: the record says otherwise")
    print("RTL of another function is caught by --energy; without it a run says that nothing is checked")


def modules_that_are_designs_can_be_synthesized():
    """All others are refused by yosys, too."""
    rtl = SOURCE / "rtl_models/rtl"
    designs = synthesis.modules(rtl)
    if not {"mx_mac_array", "mx_accelerator"} <= set(designs):
        fail(f"no designs: {list(designs)}")
    for name in synthesis.files_of(rtl):
        try:
            synthesis.design_sha256(synthesis.sources(rtl, name), name, [], 300)
            elaborated = True
        except AreaError as error:
            elaborated = str(error)
        if (elaborated is True) != (name in designs):
            fail(f"{name}: {'a design' if name in designs else 'no design'}: {elaborated}")
    arguments = [word for side in "AB" for word in ("--param", f"{side}_FORMATS=7'h40")]
    area.flow_of(area.arguments(["mx_mac_array", *arguments, "--results", str(WORK / "results")])).design_sha256()
    print(f"{len(designs)} modules are designs and can be elaborated, the others cannot")


def energies_are_those_of_opensta(element):
    """With one transition a cycle on every net. Only for cells of at most two inputs: for more OpenSTA
    weighs the inputs by what it takes for their probabilities."""
    library, netlist = element.flow.library, element.netlist
    folder = WORK / "opensta"
    folder.mkdir()
    (folder / "netlist.v").write_text(netlist.verilog("netlist"))
    small = [i for i in netlist.instances if not library.cells[i.cell].register and
             len(library.cells[i.cell].inputs()) <= 2]
    (folder / "power.tcl").write_text(
        synthesis.prelude(netlist, library, element.flow.liberty, 10) +
        "set_power_activity -global -activity 1\n" +
        "".join(f"report_power -instances [get_cells {i.name}] -digits 8\n" for i in small))
    said = tools.run(["sta", "-exit", "-no_splash", "power.tcl"], folder, "sta.log", 300)
    got = {name: (float(cell), float(net)) for cell, net, name in
           re.findall(r"^ *(\S+e\S+) +(\S+) +\S+ +\S+ (g\d+)$", said, re.M)}
    if len(got) != len(small) or len({i.cell for i in small}) < 8:
        fail(f"OpenSTA gives the power of {len(got)} of {len(small)} cells")
    loads = power.loads_pf(netlist, library)
    toggles = dict.fromkeys(loads, 1)
    transitions = power.read_transitions(element.folder)
    for i in small:
        inside = power.cell_energy(i, library, loads, transitions, toggles, sta=True)
        driven = sum(0.5 * library.volt ** 2 * loads[i.pins[p.name]]
                     for p in library.cells[i.cell].outputs())
        for what, mine, theirs in (("cell", inside, got[i.name][0]), ("net", driven, got[i.name][1])):
            # W at 10 ns → pJ. OpenSTA takes a pin's capacitance of a rise, which differs by a percent.
            if abs(mine - theirs * 1e4) > 0.02 * abs(mine) + 1e-6:
                fail(f"{i.cell} {i.name}, energy of the {what}: {mine} pJ, OpenSTA {theirs * 1e4} pJ")
    print(f"energies of {len(small)} cells are those of OpenSTA")


def another_library():
    """The same cells under other names, in ps, fF, fJ and pW: the same figures, but for the cells' names."""
    text = pathlib.Path(area.LIBERTY).read_text()
    for old, new in (('"1ns"', '"1ps"'), ('"1nW"', '"1pW"'), ("(1,pf)", "(1,ff)")):
        text = text.replace(old, new)
    times_1000 = lambda found: found[1] + re.sub(r"[\d.]+(e-?\d+)?", lambda n: repr(float(n[0]) * 1000), found[2])
    text = re.sub(r"(index_\d *\(|values *\()([^)]*)", times_1000, text)
    text = re.sub(r"((?:capacitance|cell_leakage_power|max_transition) *: *)([\d.e-]+)", times_1000, text)
    for old, new in (("BUFX4", "BUFX4_A"), ("DFFPOSX1", "DFFPOSX1_A"), ("CLK", "CP"), ("Q", "QP")):
        text = re.sub(rf"\b{old}\b", new, text)
    (WORK / "other.lib").write_text(text)
    got = []
    for more in ((), ("--liberty", WORK / "other.lib")):
        done = mxref_area("pe", "--format", "nvfp4", "--datapath", "sequential", "--energy", "gauss", "--beats", 16,
                          "--json", WORK / "library.json", "--results", WORK / "results", *more)
        if done[0] != 0:
            fail(f"another library: {done[2]}")
        row = json.loads((WORK / "library.json").read_text())["results"][0]
        got.append({"area": row["area_um2"], "clock": row["mhz"], "leakage": row["leakage_nw"], "path": row["critical"],
                    **row["energy"]["pj_per_mac"]})
    for what, value in got[0].items():
        other = got[1][what]
        if value != other and (isinstance(value, list) or abs(value - other) > 1e-3 * value):
            fail(f"another library, {what}: {value}, {other}")
    print("the same cells in other units and under other names cost the same")


def an_array_is_mapped_by_parts():
    """And its netlist computes all pairs of its formats."""
    path = WORK / "array.json"
    got = mxref_area("array", "--rows", 1, "--cols", 2, "--format", "mxfp4,mxfp6_e2m3", "--datapath", "sequential",
                     "--energy", "gauss", "--beats", 16, "--json", path, "--results", WORK / "results")
    if got[0] != 0:
        fail(f"an array: {got[2]}")
    energy = json.loads(path.read_text())["results"][0]["energy"]
    if energy["corner_cases_checked"] != 400 or energy["formats"] != ["mxfp4", "mxfp4"]:
        fail(f"an array of two formats: {energy}")
    print("an array's netlist, mapped by parts, computes all pairs of its formats")


def damaged_library(old, new):
    text = pathlib.Path(area.LIBERTY).read_text()
    if old not in text:
        fail(f"the library has no {old!r}")
    path = WORK / f"{abs(hash((old, new)))}" / "damaged.lib"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text.replace(old, new))
    return path


def errors_say_what_is_wrong():
    results = ("--results", WORK / "results")
    for what, arguments, code, words in (
            ("no format", (), 2, "--format"),
            ("an unknown option", ("--fromat", "mxfp4"), 2, "--fromat"),
            ("an option without its value", ("--format",), 2, "--format"),
            ("an unknown format", ("pe", "--format", "mxfp5"), 2, "did you mean 'mxfp4'?; valid: mxfp4, mxfp6_e3m2"),
            ("an unknown datapath", ("pe", "--format", "mxfp4", "--datapath", "quick"), 2, "fused"),
            ("formats that do not multiply", ("pe", "--format", "mxfp4", "--format-b", "nvfp4"), 2,
             "both sides of a product must be nvfp4, or neither"),
            ("an unknown module", ("mx_ml",), 2, "did you mean 'mx_mul'?; valid: pe, row, array"),
            ("a parameter without a value", ("mx_mul", "--param", "A"), 2, "NAME=VALUE"),
            ("one of several formats without another to multiply with",
             ("pe", "--format", "mxfp4,nvfp4", "--format-b", "mxfp4"), 2,
             "multiplies with nvfp4 (blocks of 16) of a: there mxfp4 (blocks of 32); both sides of a product must be"),
            ("a parameter that is none", ("mx_decode", "--param", "NOSUCH=1"), 2,
             "unknown parameter of mx_decode 'NOSUCH'; valid: FORMATS, FAULTS"),
            ("sets of formats that do not meet",
             ("mx_mac_array", "--param", "A_FORMATS=7'h01", "--param", "B_FORMATS=7'h40"), 2,
             "mx_mac_array refuses A_FORMATS=7'h01, B_FORMATS=7'h40"),
            ("a parameter that its module refuses", ("e8m0_scaling_unit", "--param", "SUM_BITS=0"), 2,
             "e8m0_scaling_unit refuses SUM_BITS=0"),
            ("a package", ("mx_pkg",), 2, "unknown design 'mx_pkg'"),
            ("a module of the benches", ("mx_mac_array_checks",), 2, "unknown design 'mx_mac_array_checks'"),
            ("tokens of normal numbers", ("pe", "--format", "mxfp4", "--energy", "gauss", "--tokens", "x"), 2,
             "--tokens is what a model reads"),
            ("tokens of no energy", ("pe", "--format", "mxfp4", "--tokens", "x"), 2, "--tokens is of --energy"),
            ("a seed below none", ("pe", "--format", "mxfp4", "--energy", "gauss", "--seed", -7), 2, "--seed"),
            ("rows of a module", ("mx_mul", "--rows", 0), 2, "mx_mul"),
            ("a target of an FPGA", ("mx_mul", "--ice40", "hx8k", "--target", 5), 2, "--target"),
            ("no time at all", ("mx_mul", "--timeout", 0), 2, "--timeout"),
            ("an array of no rows", ("array", "--format", "mxfp4", "--rows", 0), 2, "--rows"),
            ("terms between divisor and multiple",
             ("pe", "--format", "mxfp4", "--datapath",
              '{"kind":"aligned","terms":24,"group":1,"fraction_bits":25,"e_zero":-133,"output":"rz"}'),
             2, "24"),
            ("no library", ("pe", "--format", "mxfp4", "--liberty", WORK / "none.lib"), 3, "none.lib"),
            ("a folder for a library", ("mx_mul", "--liberty", SYNTH), 3, str(SYNTH)),
            *((f"a library with {what}", ("e8m0_scale", "--liberty", damaged_library(old, new)), 3, words)
              for what, old, new, words in (
                  ("a pin without direction", "direction : input;", "", "damaged.lib: Liberty"),
                  ("a voltage that is no number", "nom_voltage : 1.8", "nom_voltage : abc", "damaged.lib: Liberty"),
                  ("no voltage", "nom_voltage : 1.8", "nom_voltage : 0", "damaged.lib: Liberty: nom_voltage 0"),
                  ("groups without end", "library(osu018_stdcells) {", "g() {" * 10**4, "damaged.lib: Liberty: groups"),
                  *((f"cells of area {area_}", "area :", f"area : {area_}; was :", f"area {area_} is not above 0")
                    for area_ in (0, -5)),
                  ("cells of no area", "area :", "area : nan; was :", "damaged.lib: Liberty: cell AND2X1: area nan"),
                  ("energies under conditions", "internal_power() {", 'internal_power() { when : "A";', "(when)"),
                  ("cells without leakage", "cell_leakage_power", "cell_leakage", "cell_leakage_power"))),
            ("a library that is none", ("mx_mul", "--liberty", SYNTH / "area.py"), 3, "Liberty"),
            ("a record in the place of a folder", ("mx_mul", "--json", WORK), 3, f"{WORK} is a folder"),
            ("a record without a folder", ("mx_mul", "--json", WORK / "none/r.json"), 3, "none/r.json"),
            ("a model that is none", ("pe", "--format", "mxfp4", "--energy", WORK / "no_model"), 3,
             "no_model")):
        expect(what, mxref_area(*results, *arguments), code, words)
    expect("no program", mxref_area("--format", "mxfp4", "--mxref", WORK / "no_program"), 3, "no_program")
    programs = WORK / "programs"
    programs.mkdir()
    for program, package in (("python3", "python3"), ("yosys", "yosys"), ("sta", "opensta")):
        expect(f"without {program}", mxref_area("e8m0_scale", *results, env={"PATH": str(programs)}), 3,
               f"{program} is not installed: apt-get install {package}")
        (programs / program).symlink_to(shutil.which(program))
    print("errors say what is wrong")


def a_record_says_what_ran():
    path = WORK / "record.json"
    got = mxref_area("e8m0_scale", "--json", path, "--results", WORK / "results")
    record = json.loads(path.read_text())
    missing = {"version", "commit", "host", "tools", "library", "flow", "wall_seconds"} - set(record)
    if got[0] != 0 or missing or record["command"] != "area" or record["results"][0]["area_um2"] <= 0:
        fail(f"mxref area --json: {got[2]} {missing} {record}")
    print("a record says what ran")


def main():
    missing = [p for p in ("yosys", "sta", "iverilog") if not shutil.which(p)]
    if missing or not pathlib.Path(area.LIBERTY).exists():
        print(f"not there: {', '.join(missing) or area.LIBERTY}")
        sys.exit(SKIPPED)
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    the_table_to_read_is_that_of_the_rows()
    if rows_come_out_again():
        rows_are_of_this_rtl()
        another_figure_is_caught()
        ratios_to_fused_come_first()
    fronts_cost_what_the_table_says()
    again_in_another_folder()
    element = Element("sequential")
    a_wrong_gate_is_caught(element)
    wrong_rtl_is_caught_by_energy()
    modules_that_are_designs_can_be_synthesized()
    energies_are_those_of_opensta(element)
    another_library()
    an_array_is_mapped_by_parts()
    errors_say_what_is_wrong()
    a_record_says_what_ran()


main()
