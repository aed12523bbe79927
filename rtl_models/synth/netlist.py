"""A mapped netlist: read from yosys' JSON, written as Verilog that every tool reads: one-bit nets,
cells with named pins, no expression, no concatenation, no escaped name."""

import json
import re
from dataclasses import dataclass

from errors import bad_input


@dataclass
class Instance:
    name: str
    cell: str
    pins: dict  # pin → net, a number, or a constant "0", "1", "x"


class Netlist:
    """Net n is yosys' bit n; it is called n<n> in the Verilog."""

    def __init__(self, path, top, library):
        with open(path, encoding="utf-8") as file:
            module = json.load(file)["modules"][top]
        self.ports = {name: (port["direction"], port["bits"])
                      for name, port in module["ports"].items()}
        self.instances = []
        self.driver = {}  # net → (instance, output pin's name)
        self.loads = {}   # net → [(instance, pin's name)]
        for number, cell in enumerate(module["cells"].values()):
            if cell["type"] not in library.cells:
                raise bad_input(f"{top} has a cell {cell['type']}, which {library.name} has not")
            pins = {pin: bits[0] for pin, bits in cell["connections"].items()}
            instance = Instance(f"g{number}", cell["type"], pins)
            self.instances.append(instance)
            for pin, net in pins.items():
                if isinstance(net, int):
                    if cell["port_directions"][pin] == "output":
                        self.driver[net] = (instance, pin)
                    else:
                        self.loads.setdefault(net, []).append((instance, pin))
        self.names, ranks = {}, {}
        for name, net in module["netnames"].items():
            for i, bit in enumerate(net["bits"]):
                # A register's name before another one of the source, that before a made one.
                rank = (re.search(r"_q(\[|$)", name) is not None, not net["hide_name"])
                if bit not in ranks or rank > ranks[bit]:
                    ranks[bit] = rank
                    self.names[bit] = f"{name}[{i}]" if len(net["bits"]) > 1 else name

    def inputs(self):
        return [b for d, bits in self.ports.values() if d == "input" for b in bits]

    def outputs(self):
        """The nets at outputs that a cell drives, each once."""
        bits = [b for d, bs in self.ports.values() if d == "output" for b in bs]
        return [b for b in dict.fromkeys(bits) if b in self.driver]

    def used_inputs(self):
        return [b for b in self.inputs() if b in self.loads]

    def verilog(self, name, settings=None):
        """settings: instance's name → its parameters"""
        settings = settings or {}
        ins, outs = self.inputs(), self.outputs()
        text = [f"module {name} ({', '.join(f'n{b}' for b in ins + outs)});"]
        text += [f"  input n{b};" for b in ins] + [f"  output n{b};" for b in outs]
        text += [f"  wire n{b};" for b in self.driver if b not in set(outs)]
        for i in self.instances:
            pins = ", ".join(f".{p}({_net(b)})" for p, b in i.pins.items())
            text.append(f"  {i.cell} {settings.get(i.name, '')}{i.name} ({pins});")
        return "\n".join(text + ["endmodule", ""])

    def wrapper(self, module, netlist, parameters):
        """`module` with the parameters and ports that the RTL's has, the netlist `netlist` in it."""
        ins, outs = self.inputs(), self.outputs()
        text = [f"module {module} #("]
        text.append(",\n".join(f"  parameter {p} = 0" for p in parameters))
        text.append(") (")
        text.append(",\n".join(f"  {d} wire [{len(bits) - 1}:0] {name}"
                               for name, (d, bits) in self.ports.items()))
        text.append(");")
        where = {b: f"{name}[{i}]" for name, (d, bits) in self.ports.items() if d == "input"
                 for i, b in enumerate(bits)}
        text += [f"  wire n{b};" for b in outs]
        for name, (direction, bits) in self.ports.items():
            if direction == "output":
                of = [where.get(b) or _net(b) for b in reversed(bits)]
                text.append(f"  assign {name} = {{{', '.join(of)}}};")
        connections = [f".n{b}({where[b]})" for b in ins] + [f".n{b}(n{b})" for b in outs]
        text += [f"  {netlist} u_netlist (", "    " + ",\n    ".join(connections), "  );",
                 "endmodule", ""]
        return "\n".join(text)


def _net(bit):
    return f"n{bit}" if isinstance(bit, int) else f"1'b{bit}"
