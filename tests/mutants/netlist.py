"""Mutants of the array by yosys: one netlist that holds all of them, chosen by the input mutant_i, 0 = none.

The design is the array of one datapath with all formats, 2×2, hierarchical, its processes turned into cells ($add,
$mux, $dff, …), not gates. Every module, in each of the parameters that it has there, gets the same number of mutants.
A mutant in a module is in all its instances, as an error in the source would be.
"""

import hashlib
import re
import subprocess

CONTROL_BITS = 10
# The parameters of engine/CMakeLists.txt. E_ZERO, -133, is the array's own: yosys takes no negative one.
DATAPATHS = {
    "fused": {"DATAPATH": 0},
    "blockwise": {"DATAPATH": 1},
    "sequential": {"DATAPATH": 2},
    "exact": {"DATAPATH": 3},
    "tensorcore_mxf8": {"DATAPATH": 4, "TERMS": 32, "GROUP": 1, "FRACTION_BITS": 25, "ROUNDING": 0},
}
TOP = "mx_mac_array"


def yosys(script, folder):
    """Runs a script in a folder; what yosys says."""
    done = subprocess.run(["yosys", "-Q", "-T", "-s", "/dev/stdin"], input=script, cwd=folder, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise RuntimeError(f"yosys ended with {done.returncode}:\n{done.stdout[-3000:]}")
    return done.stdout


def version():
    return subprocess.run(["yosys", "-V"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def digest(*paths):
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:16]


def short_names(design):
    """The modules of an RTLIL text called as in the source; another set of parameters gets a number: mx_result_2."""
    names = {}
    for full in sorted(set(re.findall(r"^module (\S+)$", design, re.MULTILINE)), key=lambda m: (m.startswith("$"), m)):
        base = re.match(r"(?:\$paramod[^\\]*)?\\(\w+)", full)[1]
        count = sum(name == base or name.startswith(base + "_") and name[len(base) + 1:].isdigit()
                    for name in names.values())
        names[full] = base if count == 0 else f"{base}_{count + 1}"
    return re.sub(r"^(module |  cell )(\S+)",
                  lambda m: m[1] + ("\\" + names[m[2]] if m[2] in names else m[2]), design, flags=re.MULTILINE)


def make_design(source, datapath, folder):
    """Writes design.il; the names of its modules."""
    rtl = source / "rtl_models/rtl"
    files = " ".join((rtl / "mx_mac_array.f").read_text().split())
    parameters = {"ROWS": 2, "COLS": 2, **DATAPATHS[datapath]}
    changes = " ".join(f"-chparam {name} {value}" for name, value in parameters.items())
    yosys(f"read_verilog -sv {files}\nhierarchy -check -top {TOP} {changes}\nproc\nopt_expr\nopt_merge\nopt_clean\n"
          f"check -assert\nwrite_rtlil {folder}/design.il\n", rtl)
    design = short_names((folder / "design.il").read_text())
    (folder / "design.il").write_text(design)
    return re.findall(r"^module \\(\S+)$", design, re.MULTILINE)


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


def write_netlist(mutants, folder):
    """Writes mutants.v, in which every mutant is."""
    all_of_them = "".join(mutate(m, f" -ctrl mutant_i {CONTROL_BITS} {m['number']}") for m in mutants)
    yosys(f"read_rtlil design.il\n{all_of_them}hierarchy -check -top {TOP}\nopt_clean\n"
          "write_verilog -noattr mutants.v\n", folder)
