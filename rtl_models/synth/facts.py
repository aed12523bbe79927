"""Formats and datapaths: their names and parameters from the program `mxref`, their numbers in the RTL
from the generated package."""

import difflib
import json
import pathlib
import re
import tempfile

from errors import bad_input, wrong_use
from tools import ask_mxref

KINDS = ("fused", "blockwise", "sequential", "exact", "aligned")


def unknown(what, name, names):
    """As the program says it."""
    near = difflib.get_close_matches(name, names, 1)
    return f"unknown {what} '{name}'; " + (f"did you mean '{near[0]}'?; " if near else "") + f"valid: {', '.join(names)}"


class Facts:
    def __init__(self, rtl, mxref, timeout):
        self.mxref, self.timeout = mxref, timeout
        try:
            package = (pathlib.Path(rtl) / "mx_pkg.sv").read_text()
        except OSError as error:
            raise bad_input(f"{rtl}/mx_pkg.sv: {error.strerror}") from None
        # "//   ROW  NAME (element)", and "localparam int NAME = NUMBER;"
        self.rows = {name: int(row) for row, name in
                     re.findall(r"^ *// +(\d+) +([a-z0-9_]+) \(", package, re.M)}
        self.constants = {name: int(number) for name, number in
                          re.findall(r"localparam int (\w+) = (\d+);", package)}
        self.blocks = {r["format"]: r["block"] for r in self._table(["formats"])}
        self.presets = {r["datapath"]: r for r in self._table(["formats", "--datapaths"])}
        if set(self.rows) - set(self.blocks):
            raise bad_input(f"mx_pkg.sv and {mxref} know different formats")

    def _table(self, arguments):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "table.json"
            ask_mxref(self.mxref, [*arguments, "--json", str(path)], self.timeout)
            return json.loads(path.read_text())["results"]

    def formats(self, text):
        """Names, separated by commas, in the order of the table; `all` are all."""
        names = list(self.rows) if text == "all" else text.split(",")
        for name in names:
            if name not in self.rows:
                raise wrong_use(unknown("format", name, list(self.rows)))
        return sorted(set(names), key=self.rows.get)

    def say_blocks(self, names):
        return f"{', '.join(names)} (blocks of {', '.join(map(str, sorted({self.blocks[n] for n in names})))})"

    def mask(self, names):
        return sum(1 << self.rows[name] for name in names)

    def datapath(self, text, format_a, format_b):
        """A preset's name or a description in JSON → {kind, ftz, and of `aligned` its parameters};
        the program refuses what is none, or does not take the formats."""
        with tempfile.TemporaryDirectory() as folder:
            ask_mxref(self.mxref, ["vectors", "--format", format_a, "--format-b", format_b, "--datapath",
                                   text, "--kind", "random", "--count", "1", "--out", folder],
                      self.timeout)
        row = json.loads(text) if text.startswith("{") else self.presets[text]
        kind = row.get("kind") or ("aligned" if "terms" in row else text)
        if kind not in KINDS:
            raise bad_input(f"the datapath {kind} has no RTL")
        keys = ("terms", "group", "fraction_bits", "e_zero", "output") if kind == "aligned" else ()
        default = {"group": 1, "output": "rz"}
        return {"kind": kind, "ftz": bool(row.get("ftz", False)),
                **{k: row.get(k, default.get(k)) for k in keys}}

    def parameters(self, datapath):
        """The RTL's parameters of a datapath."""
        made = {"DATAPATH": self.constants[datapath["kind"].capitalize()], "FTZ": int(datapath["ftz"])}
        if datapath["kind"] == "aligned":
            made |= {"TERMS": datapath["terms"], "GROUP": datapath["group"],
                     "FRACTION_BITS": datapath["fraction_bits"], "E_ZERO": datapath["e_zero"],
                     "ROUNDING": self.constants[datapath["output"].capitalize()]}
        return made

    def step_lanes(self, datapath, lanes):
        """Products of a cycle in an element of `lanes` lanes (as mx_width_pkg has it)."""
        if datapath["kind"] == "sequential":
            return 1
        if datapath["kind"] == "aligned" and datapath["terms"] < lanes:
            return datapath["terms"]
        return lanes
