"""RTL → netlist of a cell library by yosys and ABC, and its timing by OpenSTA."""

import hashlib
import pathlib
import re
import tempfile

from errors import AreaError, bad_input, wrong_use
from netlist import Netlist
from tools import run

# ABC's steps, by the delay target {D}: choices, mapping with area recovery, then buffers where a net
# drives many pins, and sizes. Of those tried the quickest netlist for its area.
ABC = ("strash", "&get -n", "&st", "&dch", "&nf -R 10 {D}", "&put", "buffer -N 8", "topo",
       "upsize {D}", "dnsize {D}", "stime -p")
OUTPUT_LOAD_FF = 50     # about five inputs
CLOCK_TRANSITION_NS = 0.1
# `max` transitions and no wires: the library has no model of them.

TOP = "block"
# Large parts of which an array has many.
PARTS = ("mx_pe", "mx_exact_round")


def files_of(rtl):
    """name → file, of the RTL and of the accelerator beside it"""
    rtl = pathlib.Path(rtl)
    return {p.stem: p for folder in (rtl, rtl.parent / "accelerator") for p in sorted(folder.glob("*.sv"))}


def modules(rtl):
    """name → file of those that can be synthesized: neither packages nor what the benches alone have, as it says"""
    def is_one(name, text):
        return re.search(rf"^ *module {name}\b", text, re.M) and "Not synthesizable" not in text
    return {name: path for name, path in files_of(rtl).items() if is_one(name, path.read_text())}


def sources(rtl, top):
    """The files that `top` needs and no others, for yosys' names, and so its netlist, depend on all
    that it reads; each after those that it names."""
    files = files_of(rtl)
    if top not in files:
        raise bad_input(f"{rtl}: no {top}.sv")
    seen, ordered = set(), []

    def add(name):
        seen.add(name)
        for word in dict.fromkeys(re.findall(r"\w+", re.sub(r"//.*", "", files[name].read_text()))):
            if word in files and word not in seen:
                add(word)
        ordered.append(files[name])

    add(top)
    return ordered


def _constant(value):
    """As yosys takes it: no sign."""
    return f"32'sh{value & 0xffffffff:08x}" if isinstance(value, int) and value < 0 else value


def read_modules(files, top, settings):
    """yosys' commands that read the RTL and choose what is made of it; it is called TOP then. settings: {parameter:
    value} of the top module, one after the other; a netlist depends on how many."""
    return ("read_verilog -sv " + " ".join(f'"{f}"' for f in files) + "\n" +
            "".join("chparam" + "".join(f" -set {n} {_constant(v)}" for n, v in setting.items()) + f" {top}\n"
                    for setting in settings) +
            f"hierarchy -check -top {top}\nrename -top {TOP}\n")


def run_yosys(script, folder, log, top, settings, timeout):
    """Its words; a design that refuses its parameters is a wrong use. A design says so by `initial $fatal`, whose
    message this yosys cannot read."""
    try:
        return run(["yosys", "-s", script], folder, log, timeout, marks=("ERROR",))
    except AreaError as error:
        refused = re.search(r"(\w+\.sv):\d+: ERROR: Can't resolve task name `(\$fatal|\$error)'", str(error))
        if not refused:
            raise
        given = ", ".join(f"{n}={v}" for setting in settings for n, v in setting.items()) or "its own parameters"
        raise wrong_use(f"{top} refuses {given}: a check of its own; what can be built stands at {refused[2]} in "
                        f"{refused[1]}") from None


def design_sha256(files, top, settings, timeout):
    """SHA-256 of what a netlist is made from: the design as yosys elaborates it, with the names and yosys' numbers of
    its parts, on which a netlist depends; without the places in the sources where they stand."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "design.ys").write_text(read_modules(files, top, settings) + "write_rtlil design.il\n")
        run_yosys("design.ys", folder, "yosys.log", top, settings, timeout)
        text = (folder / "design.il").read_text()
    text = re.sub(r"\n *attribute \\src .*|\nautoidx .*", "", text)
    for file in files:
        text = re.sub(re.escape(str(file)) + r":\d+(\.\d+-\d+\.\d+)?", file.name, text)
    return hashlib.sha256(text.encode()).hexdigest()


def synthesize(folder, files, top, settings, library, liberty, target_ps, timeout):
    """netlist.json in `folder`; its area in um2. PARTS are mapped first and once each, as modules; what is around their
    copies then. Nothing is shared between operations: that is slower, and takes hours to find in an array."""
    (folder / "abc.constr").write_text(f"set_driving_cell {library.driver}\nset_load {OUTPUT_LOAD_FF}\n")
    apart = "".join(f" *{part}" for part in PARTS if top != part and any(f.stem == part for f in files))
    script = ";".join(ABC).replace(" ", ",")
    abc = f'abc -liberty "{liberty}" -constr abc.constr -D {target_ps} -script +{script}'
    (folder / "synthesize.ys").write_text(
        read_modules(files, top, settings) +
        (f"setattr -mod -set keep_hierarchy 1{apart}\n" if apart else "") +
        f"synth -noabc -noshare -flatten -top {TOP}\n"
        f'dfflibmap -liberty "{liberty}"\n' +
        (f"{abc}{apart}\nsetattr -mod -unset keep_hierarchy{apart}\nflatten\nopt\n" if apart else "") +
        f"{abc}\nopt_clean -purge\n"
        f'read_liberty -lib -ignore_miss_func "{liberty}"\n'
        "check -assert\nsetattr -unset src w:* c:*\n"
        f'stat -liberty "{liberty}"\n'
        "write_json netlist.json\n")
    text = run_yosys("synthesize.ys", folder, "yosys.log", top, settings, timeout)
    areas = re.findall(r"Chip area for .*: (-?[\d.]+)", text)
    return float(areas[-1]) if areas else 0.0  # which yosys leaves out


def prelude(netlist, library, liberty, period_ns):
    """OpenSTA's commands that read netlist.v and say what is around it."""
    clock = clock_net(netlist)
    port = f" [get_ports n{clock}]" if clock is not None else ""
    data = " ".join(f"n{b}" for b in netlist.inputs() if b != clock)
    text = [f"read_liberty {{{liberty}}}", "set_cmd_units -time ns -capacitance pF",
            "read_verilog netlist.v", "link_design netlist",
            f"create_clock -name clk -period {period_ns}{port}"]
    if port:
        text += [f"set_clock_transition {CLOCK_TRANSITION_NS} [get_clocks clk]",
                 f"set_input_transition {CLOCK_TRANSITION_NS}{port}"]
    text += [f"set data [get_ports {{{data}}}]", "set_input_delay 0 -clock clk $data",
             "set_output_delay 0 -clock clk [all_outputs]",
             f"set_driving_cell -lib_cell {library.driver} $data",
             f"set_load {OUTPUT_LOAD_FF / 1000} [all_outputs]", ""]
    return "\n".join(text)


def clock_net(netlist):
    return netlist.ports["clk_i"][1][0] if "clk_i" in netlist.ports else None


def analyze(folder, netlist, library, liberty, timeout):
    """period_ns, critical path; in `folder` delays.sdf and, in transitions.txt, a line for each
    net: its number, transition of a rise and of a fall in ns."""
    at = {net: f"{i.name}/{pin}" for net, (i, pin) in netlist.driver.items()}
    at |= {net: f"{netlist.loads[net][0][0].name}/{netlist.loads[net][0][1]}"
           for net in netlist.used_inputs()}
    pins = " ".join(f"{net} {pin}" for net, pin in at.items())
    (folder / "netlist.v").write_text(netlist.verilog("netlist"))
    (folder / "sta.tcl").write_text(
        prelude(netlist, library, liberty, 0) +
        "report_checks -path_delay max -digits 4\n"
        "write_sdf delays.sdf\n"
        "set out [open transitions.txt w]\n"
        f"foreach {{net name}} {{{pins}}} {{\n"
        "  set pin [get_pins $name]\n"
        '  puts $out "$net [get_property $pin actual_rise_transition_max]'
        ' [get_property $pin actual_fall_transition_max]"\n'
        "}\nclose $out\n")
    text = run(["sta", "-exit", "-no_splash", "sta.tcl"], folder, "sta.log", timeout)
    slack = re.search(r"^ +(-?[\d.]+) +slack", text, re.M)
    if not slack:
        raise bad_input(f"OpenSTA found no path: {folder}/sta.log")
    return {"period_ns": -float(slack[1]), "critical": _ends(text, netlist, library)}


def _ends(text, netlist, library):
    """The names that the RTL has for the ends of the path."""
    state = {i.name: net for net, (i, _) in netlist.driver.items() if library.cells[i.cell].register}
    ends = []
    for word in ("Startpoint", "Endpoint"):
        name = re.search(rf"^{word}: (\S+)", text, re.M)[1]
        net = state[name] if name in state else int(name[1:])
        ends.append(netlist.names.get(net, name))
    return ends


def load_netlist(folder, library):
    return Netlist(folder / "netlist.json", TOP, library)
