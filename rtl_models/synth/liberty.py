"""A cell library in Liberty form: areas, pins, energies of a transition, and models of its cells for
a simulator. As much of the form as Debian's OSU 0.18 um library uses."""

import bisect
import re
from dataclasses import dataclass, field

from errors import bad_input

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[A-Za-z0-9_.+\-!&|^*\'\[\]]+|[(){}:;,]', re.S)


@dataclass
class Group:
    """kind (arguments) { attributes, groups }"""

    kind: str
    arguments: list
    attributes: dict = field(default_factory=dict)
    groups: list = field(default_factory=list)

    def all(self, kind):
        return [g for g in self.groups if g.kind == kind]

    def number(self, name, default=None):
        value = self.attributes.get(name, default)
        if value is None:
            raise bad_input(f"Liberty: {self.kind} {' '.join(self.arguments)} has no {name}")
        return float(value)


def parse(text):
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S).replace("\\\n", " ")
    tokens = _TOKEN.findall(text)
    place = 0

    def word():
        nonlocal place
        place += 1
        return tokens[place - 1].strip('"')

    def group(kind):
        nonlocal place
        arguments = []
        while (token := word()) != ")":
            if token != ",":
                arguments.append(token)
        if place < len(tokens) and tokens[place] == "{":
            place += 1
            made = Group(kind, arguments)
            statements(made)
            return made
        return arguments  # kind (arguments);

    def statements(parent):
        nonlocal place
        while (name := word()) != "}":
            token = word() if name != ";" else ";"
            if token == ":":
                parent.attributes[name] = word()
            elif token == "(":
                made = group(name)
                if isinstance(made, Group):
                    parent.groups.append(made)
                else:
                    parent.attributes[name] = made
            elif token != ";":
                raise bad_input(f"Liberty: {name} {token} is no statement")

    try:
        kind = word()
        word()
        return group(kind)
    except IndexError:
        raise bad_input("Liberty: the file ends within a group") from None


class Table:
    """Energy over input transition and, where it has two indices, load; linear between its points and
    beyond them."""

    def __init__(self, group, template):
        axes = [group.attributes.get(f"index_{i}") for i in (1, 2)]
        self.axes = [[float(x) for x in " ".join(a).replace(",", " ").split()] for a in axes if a]
        values = [float(x) for x in " ".join(group.attributes["values"]).replace(",", " ").split()]
        self.load_first = "capacitance" in template.attributes["variable_1"]
        columns = len(self.axes[-1])
        self.rows = [values[i:i + columns] for i in range(0, len(values), columns)]

    @staticmethod
    def _between(axis, x):
        i = min(max(bisect.bisect_right(axis, x) - 1, 0), len(axis) - 2)
        return i, (x - axis[i]) / (axis[i + 1] - axis[i])

    def at(self, transition, load):
        if len(self.axes) == 1:
            i, part = self._between(self.axes[0], transition)
            row = self.rows[0]
            return row[i] + (row[i + 1] - row[i]) * part
        first, second = (load, transition) if self.load_first else (transition, load)
        i, down = self._between(self.axes[0], first)
        j, right = self._between(self.axes[1], second)
        upper, lower = ([r[j] + (r[j + 1] - r[j]) * right] for r in self.rows[i:i + 2])
        return upper[0] + (lower[0] - upper[0]) * down


@dataclass
class Pin:
    name: str
    direction: str
    capacitance_pf: float
    function: str  # of an output; a register's names its state
    energies: list  # (related pin or None, table of a rise, of a fall), pJ


@dataclass
class Cell:
    name: str
    area_um2: float
    leakage_nw: float
    pins: dict
    next_state: str  # of a register, else None
    clock: str

    def inputs(self):
        return [p for p in self.pins.values() if p.direction == "input"]

    def outputs(self):
        return [p for p in self.pins.values() if p.direction == "output"]


class Library:
    def __init__(self, text):
        root = parse(text)
        if not isinstance(root, Group) or root.kind != "library":
            raise bad_input("Liberty: the file is no library")
        self.name = root.arguments[0]
        self.volt = root.number("nom_voltage")
        units = (root.attributes.get("time_unit"), root.attributes.get("leakage_power_unit"),
                 [u.lower() for u in root.attributes.get("capacitive_load_unit", [])])
        if units != ("1ns", "1nW", ["1", "pf"]):
            raise bad_input(f"Liberty: units {units} are not the ones this flow reads: 1ns, 1nW, 1pf")
        templates = {g.arguments[0]: g for g in root.all("power_lut_template")}
        self.cells = {g.arguments[0]: self._cell(g, templates) for g in root.all("cell")}

    @staticmethod
    def _cell(group, templates):
        pins = {}
        for pin in group.all("pin"):
            energies = []
            for power in pin.all("internal_power"):
                tables = [Table(t, templates[t.arguments[0]])
                          for kind in ("rise_power", "fall_power") for t in power.all(kind)]
                if len(tables) == 2 and "when" not in power.attributes:
                    energies.append((power.attributes.get("related_pin"), *tables))
            pins[pin.arguments[0]] = Pin(pin.arguments[0], pin.attributes["direction"],
                                         pin.number("capacitance", 0),
                                         pin.attributes.get("function"), energies)
        state = group.all("ff")
        return Cell(group.arguments[0], group.number("area"),
                    group.number("cell_leakage_power", 0), pins,
                    state[0].attributes["next_state"] if state else None,
                    state[0].attributes["clocked_on"] if state else None)


def verilog_expression(function):
    """Liberty's boolean expression in Verilog: a place between two operands is an and."""
    out = []
    for token in re.findall(r"\w+|[!()&|*+^]", function):
        if out and (token[0].isalnum() or token in "(!_") and (out[-1][-1].isalnum() or out[-1] == ")"):
            out.append("&")
        out.append({"!": "~", "*": "&", "+": "|"}.get(token, token))
    return " ".join(out)


def cell_models(library, names):
    """Verilog models of the cells in ps. The delay from input I to output O of a rise and of a fall
    there are the parameters I_O_RISE and I_O_FALL."""
    text = ["`timescale 1ps / 1ps"]
    for name in sorted(names):
        cell = library.cells[name]
        ins, outs = cell.inputs(), cell.outputs()
        ports = [f"input {p.name}" for p in ins] + [f"output {p.name}" for p in outs]
        if cell.next_state:
            if cell.clock not in cell.pins or len(outs) != 1:
                raise bad_input(f"no model for the register {name}")
            body = ["  reg state;", f"  always @(posedge {cell.clock})",
                    f"    state <= {verilog_expression(cell.next_state)};",
                    f"  assign {outs[0].name} = state;"]
            arcs = [(cell.clock, outs[0].name)]
        else:
            body = [f"  assign {p.name} = {verilog_expression(p.function)};" for p in outs]
            arcs = [(i.name, o.name) for o in outs for i in ins]
        delays = ", ".join(f"{i}_{o}_RISE = 1, {i}_{o}_FALL = 1" for i, o in arcs)
        paths = [f"    ({i} => {o}) = ({i}_{o}_RISE, {i}_{o}_FALL);" for i, o in arcs]
        text += [f"module {name} #(parameter {delays}) ({', '.join(ports)});", *body, "  specify", *paths,
                 "  endspecify", "endmodule"]
    return "\n".join(text) + "\n"
