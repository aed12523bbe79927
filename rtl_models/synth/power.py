"""Energy of a netlist from the switching of a run: simulation with the delays that OpenSTA found,
transitions counted for each net, energies from the library.

This OpenSTA (2.0.17) takes no activity for a single net, and counts the energies of a rise and of a
fall for each transition; so they are summed here, and a test compares the sums with report_power under
the activity that it does take, the same for all nets."""

import re

from errors import check_failed
from liberty import cell_models
from synthesis import OUTPUT_LOAD_FF
from tools import run


# --- simulation
def delays(path):
    """OpenSTA's delays: instance's name → parameters of its model in ps. (Icarus' own reader of SDF takes
    minutes: it looks for each cell among all.)"""
    cell = re.compile(r"\(INSTANCE (\w+)\)\s*\(DELAY\s*\(ABSOLUTE(.*?)\n   \)", re.S)
    arc = re.compile(r"IOPATH (\w+) (\w+) \([-\d.]+::([-\d.]+)\) \([-\d.]+::([-\d.]+)\)")
    text, made = path.read_text(), {}
    unit = {"1ps": 1, "1ns": 1000}[re.search(r"\(TIMESCALE (\w+)\)", text)[1]]

    def ps(number):
        return max(round(float(number) * unit), 0)
    for name, arcs in cell.findall(text):
        each = {f"{i}_{o}": (ps(rise), ps(fall)) for i, o, rise, fall in arc.findall(arcs)}
        made[name] = "#(" + ", ".join(f".{k}_RISE({r}), .{k}_FALL({f})" for k, (r, f) in each.items()) + ") "
    return made


class Bench:
    """mx_area_tb around a netlist."""

    def __init__(self, folder, netlist, library, design, files, bench, synthesized, timeout):
        self.folder, self.netlist, self.library, self.timeout = folder, netlist, library, timeout
        self.transitions = read_transitions(synthesized)
        self.clock_ns = design.period_ns
        # For the simulation a tenth to spare, even in ps.
        self.period = 2 * round(design.period_ns * 550)
        whole = design.top == "mx_mac_array"
        path = f"mx_area_tb.u_array{'' if whole else '.gen_row[0].gen_col[0].u_pe'}.u_netlist"
        (folder / "cells.v").write_text(cell_models(library, {i.cell for i in netlist.instances}))
        (folder / "netlist.v").write_text(
            "`timescale 1ps / 1ps\n" +
            netlist.verilog("netlist", delays(synthesized / "delays.sdf")) +
            netlist.wrapper(design.top, "netlist", design.parameter_names))
        self.settings = [f"-DNETLIST={path}",
                         *(f"-Pmx_area_tb.{p}={v}" for p, v in design.bench_parameters.items())]
        self.sources = [*(str(f) for f in files if f.stem != design.top), str(bench), "netlist.v",
                        "cells.v"]

    def run(self, stream, name, timed):
        """Compares the stream's results; returns the clock cycles that it took. timed: cells have their
        delays, and the netlist's nets lie in stream.vcd."""
        run(["iverilog", "-g2012", *(["-gspecify"] if timed else []), "-o", f"{name}.vvp", "-s",
             "mx_area_tb", *self.settings, *self.sources], self.folder, "iverilog.log", self.timeout, marks=("error",))
        (self.folder / f"{name}.beats").write_text("\n".join(stream.beats) + "\n")
        (self.folder / f"{name}.rows").write_text("\n".join(stream.rows) + "\n")
        said = run(["vvp", f"{name}.vvp", f"+beats={name}.beats", f"+rows={name}.rows",
                    f"+beat_count={len(stream.beats)}", f"+row_count={len(stream.rows)}",
                    f"+period={self.period}", *(["+dump=stream.vcd"] if timed else [])],
                   self.folder, f"{name}.log", self.timeout, marks=("FATAL", "ERROR"))
        passed = re.search(r"^PASS (\d+) rows in (\d+) cycles", said, re.M)
        if not passed:
            reason = next((s for s in said.splitlines() if s.startswith(("row", "FAIL"))), "no result")
            raise check_failed(f"the netlist differs from the definition on {stream.source}: {reason}: "
                               f"{self.folder}/{name}.log")
        return int(passed[2])

    def check(self, stream):
        self.run(stream, "checked", timed=False)

    def energy(self, stream):
        """pJ of a product, at the highest clock."""
        cycles = self.run(stream, "stream", timed=True)
        vcd = self.folder / "stream.vcd"
        toggles, settled = count(vcd, self.period)
        vcd.unlink()
        made = energies(self.netlist, self.library, self.transitions, toggles)
        nanowatts = sum(self.library.cells[i.cell].leakage_nw for i in self.netlist.instances)
        made["leakage"] = nanowatts * self.clock_ns * cycles * 1e-6
        per_mac = {name: round(pj / stream.macs, 6) for name, pj in made.items()}
        driven = [n for n in self.netlist.driver]
        moved, needed = (sum(of.get(n, 0) for n in driven) for of in (toggles, settled))
        return {"operands": stream.source, "macs": stream.macs, "cycles": cycles,
                "rows_checked": len(stream.rows),
                "pj_per_mac": {"total": round(sum(made.values()) / stream.macs, 6), **per_mac},
                "transitions_per_mac": round(moved / stream.macs, 3),
                "glitches": round(1 - needed / moved, 4)}


def count(path, period):
    """Transitions in a VCD file of one-bit nets named n<number>, all in one scope; a change to or from
    an unknown is none. The clock's edges rise at odd multiples of half its period."""
    nets, value, settled, cycle_of = {}, {}, {}, {}
    toggles, changes = {}, {}
    cycle = 0
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("$var"):
                fields = line.split()
                nets[fields[3]] = int(fields[4][1:])
            elif line.startswith("$enddefinitions"):
                break
        toggles, changes = dict.fromkeys(nets, 0), dict.fromkeys(nets, 0)
        for line in file:
            first = line[0]
            if first in "01xz":
                mark = line[1:-1]
                now = first if first in "01" else None
                old = value.get(mark)
                if old is not None and now is not None and now != old:
                    toggles[mark] += 1
                if cycle_of.get(mark) != cycle:  # the last cycle's value is settled
                    if settled.get(mark) is not None and old is not None and old != settled[mark]:
                        changes[mark] += 1
                    settled[mark], cycle_of[mark] = old, cycle
                value[mark] = now
            elif first == "#":
                cycle = (int(line[1:]) + period // 2) // period
    for mark, old in settled.items():
        if old is not None and value[mark] is not None and value[mark] != old:
            changes[mark] += 1
    return ({nets[m]: n for m, n in toggles.items()}, {nets[m]: n for m, n in changes.items()})


# --- energy
def read_transitions(folder):
    """net → transition of its rise and fall in ns"""
    with open(folder / "transitions.txt", encoding="utf-8") as file:
        return {int(net): (float(rise), float(fall)) for net, rise, fall in map(str.split, file)}


def loads_pf(netlist, library):
    """net → capacitance of what it drives"""
    outputs = set(netlist.outputs())
    return {net: sum(library.cells[i.cell].pins[pin].capacitance_pf
                     for i, pin in netlist.loads.get(net, ()))
                 + (OUTPUT_LOAD_FF / 1000 if net in outputs else 0)
            for net in {*netlist.driver, *netlist.used_inputs()}}


def energies(netlist, library, transitions, toggles):
    """pJ of the given transitions: of nets that cells drive, of nets at inputs, inside cells."""
    half = 0.5 * library.volt ** 2
    loads = loads_pf(netlist, library)
    return {"nets": sum(half * loads[n] * toggles.get(n, 0) for n in netlist.driver),
            "inputs": sum(half * loads[n] * toggles.get(n, 0) for n in netlist.used_inputs()),
            "cells": sum(cell_energy(i, library, loads, transitions, toggles)
                         for i in netlist.instances)}


def cell_energy(instance, library, loads, transitions, toggles, sta=False):
    """pJ inside a cell, where its pins make the given transitions: half of them rises, and caused by the
    inputs as often as these move. sta: as this OpenSTA's report_power has it: a rise and a fall for
    each transition, caused by all inputs alike."""
    made = 0.0
    for pin in library.cells[instance.cell].pins.values():
        net = instance.pins.get(pin.name)
        if not pin.energies or not toggles.get(net):
            continue
        load = loads[net] if pin.direction == "output" else 0.0
        weights, parts = [], []  # of each input, energy of a rise and a fall
        for related, rise, fall in pin.energies:
            of = instance.pins.get(related, net)
            slews = transitions.get(of, (0.0, 0.0))
            weights.append(0 if sta else toggles.get(of, 0))
            parts.append(rise.at(slews[0], load) + fall.at(slews[1], load))
        if not any(weights):
            weights = [1] * len(parts)
        mean = sum(w * e for w, e in zip(weights, parts)) / sum(weights)
        made += toggles[net] * (mean if sta else mean / 2)
    return made
