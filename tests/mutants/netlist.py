"""Mutants of a design by yosys: one netlist that holds all of them, chosen by the input mutant_i, 0 = none.

A design is a unit with all formats, hierarchical, its processes turned into cells ($add, $mux, $dff, …), not gates.
Every module, in each of the parameters that it has there, gets the same number of mutants. A mutant in a module is in
all its instances, as an error in the source would be.
"""

import hashlib
import pathlib
import re
import resource
import signal
import subprocess
from typing import NamedTuple

CONTROL_BITS = 10
NETLIST_TOP = "mutants"  # as CMakeLists.txt calls it


class Design(NamedTuple):
    top: str
    lists: tuple  # of files, in rtl_models; mutants are those of the last list's modules
    parameters: dict = {}


def array(**parameters):
    return Design("mx_mac_array", ("rtl/mx_mac_array.f",), {"ROWS": 2, "COLS": 2, **parameters})


# The array with the parameters of rtl_models/CMakeLists.txt. E_ZERO, -133, is its own: yosys takes no negative one.
DESIGNS = {
    "fused": array(DATAPATH=0),
    "blockwise": array(DATAPATH=1),
    "sequential": array(DATAPATH=2),
    "exact": array(DATAPATH=3),
    "tensorcore_mxf8": array(DATAPATH=4, TERMS=32, GROUP=1, FRACTION_BITS=25, ROUNDING=0),
    "blockwise_ftz": array(DATAPATH=1, FTZ="1'b1"),
    "aligned_groups": array(DATAPATH=4, TERMS=64, GROUP=16, FRACTION_BITS=35, ROUNDING=2, FTZ="1'b1"),
    "quantizer": Design("mx_quantize", ("rtl/mx_quantize.f",)),
    "dequantizer": Design("mx_dequantize", ("rtl/mx_quantize.f",)),
    "scaling": Design("e8m0_scaling_unit", ("rtl/e8m0_scaling_unit.f",)),
    # One of the bench's own, on a datapath on which beats wait.
    "accelerator": Design("mx_accelerator", ("rtl/mx_mac_array.f", "accelerator/mx_accelerator.f"),
                          {"ROWS": 2, "COLS": 3, "DEPTH": 3, "B_FORMATS": "7'b1011111", "DATAPATH": 2}),
}


def limited(seconds):
    """Of a process to be: so much CPU time at most."""
    return lambda: resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))


def yosys(script, folder, seconds=3600):
    """Runs a script in a folder; what yosys says. TimeoutError where it takes more CPU time."""
    done = subprocess.run(["yosys", "-Q", "-T", "-s", "/dev/stdin"], input=script, cwd=folder, text=True,
                          preexec_fn=limited(seconds), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise TimeoutError
    if done.returncode != 0:
        raise RuntimeError(f"yosys ended with {done.returncode}:\n{done.stdout[-3000:]}")
    return done.stdout


def version():
    return subprocess.run(["yosys", "-V"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def digest(*paths):
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:16]


def base(module):
    """A module's name in the source: yosys has the parameters before or behind it."""
    return re.match(r"(?:\$paramod[^\\]*)?\\?(\w+)", module)[1]


def short_names(text):
    """The modules of an RTLIL text called as in the source; another set of parameters gets a number: mx_result_2. The
    text, and short name → name in the source."""
    names, bases = {}, {}
    for full in sorted(set(re.findall(r"^module (\S+)$", text, re.MULTILINE)), key=lambda m: (m.startswith("$"), m)):
        count = list(bases.values()).count(base(full))
        names[full] = base(full) if count == 0 else f"{base(full)}_{count + 1}"
        bases[names[full]] = base(full)
    return re.sub(r"^(module |  cell )(\S+)", lambda m: m[1] + ("\\" + names[m[2]] if m[2] in names else m[2]), text,
                  flags=re.MULTILINE), bases


def sources(source, design):
    """The folder in which yosys reads the design, so that cells are named after files without one, and how it does."""
    folder = source / "rtl_models" / pathlib.Path(design.lists[-1]).parent
    files = []
    for name in design.lists:
        path = source / "rtl_models" / name
        around = "" if path.parent == folder else f"../{path.parent.name}/"
        files += [around + file for file in path.read_text().split()]
    changes = " ".join(f"-chparam {name} {value}" for name, value in design.parameters.items())
    return folder, f"read_verilog -sv {' '.join(files)}\nhierarchy -check -top {design.top} {changes}\n"


def instantiated(source, design):
    """The modules that stand in it, by their names in the source."""
    folder, reading = sources(source, design)
    said = yosys(reading + "ls\n", folder).rsplit("modules:\n", 1)[1]
    return {base(module) for module in said.split()}


def make_design(source, design, folder):
    """Writes design.il; the names of the modules that get mutants."""
    where, reading = sources(source, design)
    yosys(f"{reading}proc\nopt_expr\nopt_merge\nopt_clean\ncheck -assert\nwrite_rtlil {folder}/design.il\n", where)
    text, bases = short_names((folder / "design.il").read_text())
    (folder / "design.il").write_text(text)
    own = {pathlib.Path(file).stem for file in (source / "rtl_models" / design.lists[-1]).read_text().split()}
    return [module for module in re.findall(r"^module \\(\S+)$", text, re.MULTILINE) if bases[module] in own]


def list_mutants(modules, per_module, seed, folder):
    """What yosys draws: a row for each mutant, numbered from 1."""
    lists = "".join(f"mutate -list {per_module} -seed {seed} -module {module} -o {module}.list\n" for module in modules)
    yosys("read_rtlil design.il\n" + lists, folder)
    mutants = []
    for module in modules:
        path = folder / f"{module}.list"
        for line in path.read_text().splitlines():
            options = dict(re.findall(r"-(\w+) (\S+)", line.split(" -src ")[0]))
            mutants.append({"number": len(mutants) + 1, **{key: options.get(key, "") for key in
                            ("mode", "module", "cell", "port", "portbit", "ctrlbit", "wire", "wirebit")},
                            "source": re.findall(r"-src (\S+)", line)})
        path.unlink()
    if len(mutants) >= 2**CONTROL_BITS:
        raise RuntimeError(f"{len(mutants)} mutants are too many for mutant_i")
    return mutants


def mutate(mutant, control=""):
    """The yosys command of a mutant."""
    bit = f" -ctrlbit {mutant['ctrlbit']}" if mutant["ctrlbit"] else ""
    return (f"mutate -mode {mutant['mode']} -module {mutant['module']} -cell {mutant['cell']} -port {mutant['port']} "
            f"-portbit {mutant['portbit']}{bit}{control}\n")


def write_netlist(top, mutants, folder):
    """Writes mutants.v, in which every mutant is."""
    all_of_them = "".join(mutate(m, f" -ctrl mutant_i {CONTROL_BITS} {m['number']}") for m in mutants)
    yosys(f"read_rtlil design.il\n{all_of_them}hierarchy -check -top {top}\nopt_clean\n"
          f"rename {top} {NETLIST_TOP}\nwrite_verilog -noattr mutants.v\n", folder)
