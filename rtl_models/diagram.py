#!/usr/bin/env python3
"""Block diagrams drawn from the sources: yosys elaborates a design, dot lays out what is in it.

  diagram.py                 draws mx_mac_array.svg and mx_quantize.svg anew, beside this file
  diagram.py --check         compares what they show with the sources: exits 1 where it differs
  diagram.py --png DIR       pictures to look at

A box is an instance: its module, and in small type the modules within it; a darker one holds registers. A bar is the
registers that load together, with their mx_stage. An arrow is a path from an output or a register to an input or a
register through gates alone; a dashed one is `ready`, backward. Instances that differ in a generate index alone are one
box, with their number. Clock, reset, planted faults, enables and what selects alone are left out.
"""
import argparse
import json
import re
import subprocess
import sys
import tempfile
import textwrap
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).resolve().parent
LEFT_OUT = {"clk_i", "rst_ni", "fault_i", "overwrites_i", "overwrites_o", "trace_stages_o", "CLK", "EN"}
WRAP = 64  # characters of a line in a bar
FONT = 'fontname="Helvetica,Arial,sans-serif"'


@dataclass
class Design:
    name: str
    files: str
    parameters: dict
    opened: tuple  # modules that are drawn as what is in them
    counts: dict   # number of instances -> what it is called


DESIGNS = [
    # Numbers of rows and columns that tell ROWS, COLS and their products from one another.
    Design("mx_mac_array", "mx_mac_array.f", {"ROWS": 2, "COLS": 3}, ("mx_pe", "mx_pe_block", "mx_edge"),
           {2: "ROWS", 3: "COLS", 6: "ROWS·COLS", 64: "ROWS·LANES", 96: "COLS·LANES"}),
    Design("mx_quantize", "mx_quantize.f", {}, ("mx_max_fault",), {32: "LANES"}),
]


@dataclass
class Node:
    kind: str  # box, bar, port
    module: str = None
    names: set = field(default_factory=set)   # of registers or ports
    inside: set = field(default_factory=set)  # modules within the box's
    holds: bool = False  # registers are within
    count: int = 0


def yosys(script):
    subprocess.run(["yosys", "-q", "-p", "; ".join(script)], check=True)


def elaborate(design, rtl):
    """The modules of the design as yosys' JSON has them: what is opened flattened into the top."""
    files = " ".join(str(rtl / name) for name in (rtl / design.files).read_text().split())
    parameters = " ".join(f"-chparam {k} {v}" for k, v in design.parameters.items())
    with tempfile.TemporaryDirectory() as folder:
        whole, path = Path(folder) / "whole.il", Path(folder) / "design.json"
        yosys([f"read_verilog -sv {files}", f"hierarchy -check -top {design.name} {parameters}",
               f"proc; opt_expr; opt_clean; opt_dff -simple-dffe -nosdff; write_rtlil {whole}"])
        modules = re.findall(r"^module (\S+)$", whole.read_text(), re.M)
        opened = [module for module in modules if source_name(module) in design.opened]
        patterns = " ".join(re.sub(r"[^A-Za-z0-9_$]", "?", module) for module in opened)
        yosys([f"read_rtlil {whole}", "setattr -mod -set keep_hierarchy 1 *",
               f"setattr -mod -unset keep_hierarchy {patterns}", f"hierarchy -top {design.name}; flatten; opt_clean",
               f"simplemap t:$mux t:$and t:$or t:$xor t:$not; write_json {path}"])
        modules = json.loads(path.read_text())["modules"]
    if not opened or set(opened) & set(modules):
        raise SystemExit(f"{design.name}: {design.opened} were not opened")
    return modules


def source_name(module):
    """mx_pe of $paramod$0123\\mx_pe and of $paramod\\mx_pe\\LANES=..."""
    return module.split("\\")[1] if "\\" in module else module


def is_register(kind):
    return kind.startswith("$") and not kind.startswith("$paramod") and "ff" in kind


def plain(path):
    """A hierarchical name without indices, generate blocks and yosys' marks."""
    return re.sub(r"\[\d+\]|\\|\$flatten", "", path)


class Graph:
    def __init__(self, design, rtl):
        self.design = design
        self.modules = elaborate(design, rtl)
        self.top = self.modules[design.name]
        self.nodes, self.edges, self.ready = {}, set(), set()
        self.drivers = {}   # bit -> (node, pin) of what is drawn, or the cell of a gate
        self.sinks = []     # (node, pin, bits)
        self.enables = defaultdict(set)  # bar -> bits
        self.cones, self.merged = {False: {}, True: {}}, {}
        self.names = {}     # bit -> its name in the top; a register's before others
        for name, net in self.top["netnames"].items():
            for bit in net["bits"]:
                if not net["hide_name"] and (bit not in self.names or name.endswith("_q")):
                    self.names[bit] = plain(name)
        for name, cell in self.top["cells"].items():
            self.add_cell(plain(name), cell)
        self.add_ports()
        self.enabling = set().union(*self.enables.values())
        self.connect()
        self.merge_bars()

    def add_cell(self, name, cell):
        kind, pins = cell["type"], cell["connections"]
        if is_register(kind):
            node = self.add_register(pins)
        elif kind in self.modules:
            node = self.add_instance(name, kind)
        else:
            node = None
        for pin, bits in pins.items():
            if cell["port_directions"][pin] == "output":
                self.drivers.update({bit: (node, pin) if node else cell for bit in bits})
            elif node and pin not in LEFT_OUT:
                self.sinks.append((node, pin, bits))

    def add_instance(self, name, kind):
        node = self.nodes.setdefault(name, Node("bar" if source_name(kind) == "mx_stage" else "box"))
        node.module = source_name(kind)
        node.count += 1
        node.inside |= {source_name(cell["type"]) for cell in self.modules[kind]["cells"].values()
                        if cell["type"] in self.modules} - {node.module}
        node.holds = self.holds_registers(kind)
        return name

    def holds_registers(self, kind):
        cells = self.modules[kind]["cells"].values()
        return any(is_register(cell["type"]) or cell["type"] in self.modules and self.holds_registers(cell["type"])
                   for cell in cells)

    def add_register(self, pins):
        """Its bar: one for all that load together."""
        enable = set(pins.get("EN", ()))
        register = self.names[pins["Q"][0]].split(".")[-1]
        by = sorted(self.names.get(bit, str(bit)).split(".")[-1] for bit in enable) or [register]
        name = "loads by " + " ".join(by)
        self.nodes.setdefault(name, Node("bar")).names.add(register)
        self.enables[name] |= enable
        return name

    def add_ports(self):
        for name, port in self.top["ports"].items():
            if name in LEFT_OUT:
                continue
            side = name if "_ready_" in name else "trace" if name.startswith("trace") else port["direction"]
            node = self.nodes.setdefault(side, Node("port"))
            node.names.add(name)
            if port["direction"] == "input":
                self.drivers.update({bit: (side, name) for bit in port["bits"]})
            else:
                self.sinks.append((side, name, port["bits"]))

    def cone(self, bit, control=False):
        """What drives a bit through gates alone: (node, pin) each. With control also what only selects, or enables."""
        cones = self.cones[control]
        if bit not in cones:
            cones[bit] = frozenset()
            driver = self.drivers.get(bit)
            if isinstance(driver, tuple):
                cones[bit] = frozenset([driver])
            elif driver and (control or bit not in self.enabling):
                cones[bit] = frozenset().union(
                    *(self.cone(b, control) for pin, bits in driver["connections"].items()
                      if driver["port_directions"][pin] == "input" and (control or pin != "S") for b in bits))
        return cones[bit]

    def connect(self):
        for node, pin, bits in self.sinks:
            for source, source_pin in frozenset().union(*(self.cone(bit) for bit in bits)):
                if "ready" in pin or "ready" in source_pin:
                    self.ready.add((source, node))
                elif source_pin != "load_o":
                    self.edges.add((source, node))

    def merge_bars(self):
        """A bar that loads by an mx_stage becomes one with it; of the others those that the same ready input moves, and
        those whose registers have a first word in common (trace_valid_q, trace_first_q)."""
        controls = {name: set(bits) for name, bits in self.enables.items()}
        for node, pin, bits in self.sinks:
            if node in controls and pin == "D":
                controls[node] |= set(bits)
        common = {}
        for name, bits in controls.items():
            moves = frozenset().union(*(self.cone(bit, control=True) for bit in bits))
            stages = {node for node, pin in moves if pin == "load_o"}
            if len(stages) == 1:
                self.merge(name, stages.pop())
                continue
            words = {register.split("_")[0] for register in self.nodes[name].names}
            if ("out_ready_i",) * 2 in moves:
                words.add("out_ready_i")
                self.ready.add(("out_ready_i", name))
            for word in sorted(words):
                into, own = self.place(common.setdefault(word, name)), self.place(name)
                if into != own:
                    self.merge(own, into)
        for name in self.enables:  # bits have other numbers in another yosys
            if name in self.nodes:
                final = ", ".join(sorted(self.nodes[name].names))
                self.nodes[final] = Node("bar")
                self.merge(name, final)

    def place(self, name):
        while name in self.merged:
            name = self.merged[name]
        return name

    def merge(self, name, into):
        self.nodes[into].names |= self.nodes.pop(name).names
        self.merged[name] = into
        for edges in (self.edges, self.ready):
            moved = {(self.place(a), self.place(b)) for a, b in edges}
            edges.clear()
            edges |= {(a, b) for a, b in moved if a != b}


def label(node, name, design):
    if node.kind == "box":
        lines = [f"<B>{node.module}</B>"] + ([f"× {design.counts[node.count]}"] if node.count > 1 else [])
        return "<BR/>".join(lines + [f'<FONT POINT-SIZE="9">{module}</FONT>' for module in sorted(node.inside)])
    title = [f"<B>{node.module} {name}</B>"] if node.module else []
    return "<BR/>".join(title + textwrap.wrap(", ".join(sorted(node.names)), WRAP))


def dot(graph):
    look = {"box": 'shape=box, style="filled,rounded", fillcolor="#eef3fb", color="#33558b"',
            "state": 'shape=box, style="filled,rounded", fillcolor="#c3d4f0", color="#33558b"',
            "bar": 'shape=box, style=filled, fillcolor="#33558b", fontcolor=white, color="#33558b"',
            "port": "shape=plaintext"}
    text = [f"digraph {graph.design.name} {{", "bgcolor=white; nodesep=0.25; ranksep=0.3;",
            f"node [{FONT}, fontsize=11];", 'edge [color="#444444", arrowsize=0.7];']
    # dot draws upward what closes a circle: registers without a stage, which are read back, come last.
    for name, node in sorted(graph.nodes.items(), key=lambda item: (", " in item[0], item[0])):
        style = look["state" if node.holds and node.kind == "box" else node.kind]
        text.append(f'"{name}" [label=<{label(node, name, graph.design)}>, {style}];')
    text.append('{rank=min; "input"; "in_ready_o"} {rank=max; "output"; "out_ready_i"}')
    for a, b in sorted(graph.edges, key=lambda edge: (", " in edge[0], edge)):
        text.append(f'"{a}" -> "{b}";')
    for a, b in sorted(graph.ready):
        text.append(f'"{a}" -> "{b}" [style=dashed, color="#b05020", constraint=false];')
    return "\n".join(text + ["}", ""])


def shown(svg):
    """The graph that a picture shows, wherever its nodes lie: (title, texts, dashed)."""
    space = "{http://www.w3.org/2000/svg}"
    return {(group.findtext(space + "title"), tuple(text.text for text in group.iter(space + "text")),
             any("stroke-dasharray" in path.attrib for path in group.iter(space + "path")))
            for group in ElementTree.fromstring(svg).iter(space + "g") if group.get("class") in ("node", "edge")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--png", type=Path, metavar="DIR")
    parser.add_argument("--rtl", type=Path, metavar="DIR", default=HERE / "rtl", help="where the sources are")
    options = parser.parse_args()
    differ = False
    for design in DESIGNS:
        graph = Graph(design, options.rtl)
        kind = "png" if options.png else "svg"
        picture = subprocess.run(["dot", "-T" + kind], input=dot(graph).encode(), stdout=subprocess.PIPE,
                                 check=True).stdout
        path = (options.png or HERE) / f"{design.name}.{kind}"
        if not options.check:
            path.write_bytes(picture)
            print(path)
            continue
        committed, fresh = shown(path.read_bytes()), shown(picture)
        print(f"{path.name}: {len(graph.nodes)} boxes and {len(graph.edges) + len(graph.ready)} arrows in the sources")
        for which, items in ("is not in the sources", committed - fresh), ("is not in the picture", fresh - committed):
            for title, texts, _ in sorted(items):
                print(f"  {which}: {title} {' '.join(texts)}")
        differ = differ or committed != fresh
    if differ:
        sys.exit("rtl_models/diagram.py draws the pictures anew")


if __name__ == "__main__":
    main()
