"""A cell library in Liberty form: areas, pins, energies of a transition, and models of its cells for
a simulator. As much of the form as combinational cells and plain registers use, which a mapped netlist
of this flow is made of. Here times are in ns, loads in pF, energies in pJ, leakage in nW, whatever
units the file has."""

import bisect
import math
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
        if not math.isfinite(value := float(value)):
            raise bad_input(f"Liberty: {self.kind} {' '.join(self.arguments)}: {name} {value} is no number")
        return value


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
    except RecursionError:
        raise bad_input("Liberty: groups are nested too deeply: those of a library lie in a few levels") from None


@dataclass
class Units:
    """What a file's numbers are multiplied with."""

    ns: float
    pf: float
    nw: float

    @classmethod
    def of(cls, root):
        """Energies are in units of voltage² times capacitance."""
        if root.attributes.get("voltage_unit", "1V") != "1V":
            raise bad_input(f"Liberty: voltage_unit {root.attributes['voltage_unit']} is not 1V")
        amount, farad = root.attributes.get("capacitive_load_unit", ["1", "pf"])
        return cls(_scale(root.attributes.get("time_unit", "1ns"), "s", 1e-9),
                   _scale(amount + farad.lower(), "f", 1e-12),
                   _scale(root.attributes.get("leakage_power_unit", "1nW"), "W", 1e-9))


def _scale(text, unit, of):
    """How many `of` (seconds, farads, watts) a "10ps" is."""
    found = re.fullmatch(rf"([\d.]+)([munpf]?){unit}", text)
    if not found:
        raise bad_input(f"Liberty: {text!r} is no unit in {unit}")
    return float(found[1]) * 10.0 ** {"": 0, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15}[found[2]] / of


def _numbers(words):
    return [float(x) for x in " ".join(words).replace(",", " ").split()]


class Table:
    """Energy in pJ over input transition in ns and load in pF, of both, one or neither; linear between its
    points and beyond them."""

    def __init__(self, group, template, units):
        names = [name for i in (1, 2) if template and (name := template.attributes.get(f"variable_{i}"))]
        scales = [units.pf if "capacitance" in name else units.ns for name in names]
        indices = [group.attributes.get(f"index_{i + 1}") or template.attributes[f"index_{i + 1}"]
                   for i in range(len(names))]
        self.axes = [[x * scale for x in _numbers(index)] for index, scale in zip(indices, scales)]
        self.load_first = bool(names) and "capacitance" in names[0]
        values = [x * units.pf for x in _numbers(group.attributes["values"])]
        columns = len(self.axes[-1]) if self.axes else 1
        self.rows = [values[i:i + columns] for i in range(0, len(values), columns)]

    @staticmethod
    def _between(axis, x):
        if len(axis) == 1:
            return 0, 0.0
        i = min(max(bisect.bisect_right(axis, x) - 1, 0), len(axis) - 2)
        return i, (x - axis[i]) / (axis[i + 1] - axis[i])

    def at(self, transition, load):
        at = (load, transition) if self.load_first else (transition, load)
        if not self.axes:
            return self.rows[0][0]
        of_rows = [self._along(row, self.axes[-1], at[len(self.axes) - 1]) for row in self.rows]
        return of_rows[0] if len(self.axes) == 1 else self._along(of_rows, self.axes[0], at[0])

    @classmethod
    def _along(cls, values, axis, x):
        i, part = cls._between(axis, x)
        return values[i] + (values[i + 1] - values[i]) * part if part else values[i]


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
    register: Group  # its `ff`, else None

    def inputs(self):
        return [p for p in self.pins.values() if p.direction == "input"]

    def outputs(self):
        return [p for p in self.pins.values() if p.direction == "output"]

    def is_buffer(self):
        ins, outs = self.inputs(), self.outputs()
        return not self.register and len(ins) == len(outs) == 1 and (outs[0].function or "").strip("() ") == ins[0].name


class Library:
    def __init__(self, text):
        root = parse(text)
        if not isinstance(root, Group) or root.kind != "library":
            raise bad_input("Liberty: the file is no library")
        self.name = root.arguments[0]
        self.volt = root.number("nom_voltage")
        if self.volt <= 0:
            raise bad_input(f"Liberty: nom_voltage {self.volt:g} is not above 0")
        units = Units.of(root)
        templates = {g.arguments[0]: g for g in root.all("power_lut_template")}
        self.cells = {g.arguments[0]: self._cell(g, templates, units) for g in root.all("cell")}
        # What drives each input: the second smallest buffer.
        buffers = sorted((c for c in self.cells.values() if c.is_buffer()), key=lambda c: (c.area_um2, c.name))
        if not buffers:
            raise bad_input(f"Liberty: {self.name} has no buffer")
        self.driver = buffers[:2][-1].name

    @staticmethod
    def _cell(group, templates, units):
        pins = {}
        for pin in group.all("pin"):
            energies = []
            for power in pin.all("internal_power"):
                tables = [Table(t, templates.get(t.arguments[0]), units)
                          for kind in ("rise_power", "fall_power") for t in power.all(kind)]
                if "when" in power.attributes:
                    raise bad_input(f"Liberty: cell {group.arguments[0]}, pin {pin.arguments[0]}: an internal_power "
                                    "under a condition (when) is not read")
                if len(tables) == 2:
                    energies.append((power.attributes.get("related_pin"), *tables))
            pins[pin.arguments[0]] = Pin(pin.arguments[0], pin.attributes["direction"],
                                         pin.number("capacitance", 0) * units.pf,
                                         pin.attributes.get("function"), energies)
        register = group.all("ff")
        return Cell(group.arguments[0], group.number("area"),
                    group.number("cell_leakage_power") * units.nw, pins,
                    register[0] if register else None)


def verilog_expression(function):
    """Liberty's boolean expression in Verilog: a place between two operands is an and."""
    if "'" in function:
        raise bad_input(f"Liberty: the function {function!r} has a negation behind its operand, which is not read")
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
        if cell.register:
            of = cell.register.attributes
            if of["clocked_on"] not in cell.pins or {"clear", "preset"} & set(of):
                raise bad_input(f"no model for the register {name}")
            state, inverse = cell.register.arguments
            body = [f"  reg {state};", f"  wire {inverse} = ~{state};", f"  always @(posedge {of['clocked_on']})",
                    f"    {state} <= {verilog_expression(of['next_state'])};",
                    *(f"  assign {p.name} = {verilog_expression(p.function)};" for p in outs)]
            arcs = [(of["clocked_on"], p.name) for p in outs]
        else:
            body = [f"  assign {p.name} = {verilog_expression(p.function)};" for p in outs]
            arcs = [(i.name, o.name) for o in outs for i in ins]
        delays = ", ".join(f"{i}_{o}_RISE = 1, {i}_{o}_FALL = 1" for i, o in arcs)
        paths = [f"    ({i} => {o}) = ({i}_{o}_RISE, {i}_{o}_FALL);" for i, o in arcs]
        text += [f"module {name} #(parameter {delays}) ({', '.join(ports)});", *body, "  specify", *paths,
                 "  endspecify", "endmodule"]
    return "\n".join(text) + "\n"
