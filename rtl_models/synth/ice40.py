"""A module in an iCE40 FPGA by yosys and nextpnr: LUTs of the module alone, and its clock between
registers at all inputs and outputs."""

import json
import re

from errors import bad_input
from seconds import cpu_seconds
from synthesis import TOP, read_modules, run_yosys
from tools import run

DEVICES = {"hx8k": "ct256", "up5k": "sg48"}  # and a package
SEED = 1


def _frame(ports):
    """A module of three pins around `block`: its inputs are a shift register, its outputs are
    registered and folded by fours, so that nothing but the block lies between two registers."""
    inputs = [(name, len(p["bits"])) for name, p in ports.items()
              if p["direction"] == "input" and name != "clk_i"]
    outputs = [(name, len(p["bits"])) for name, p in ports.items() if p["direction"] == "output"]
    ins, outs = sum(n for _, n in inputs), sum(n for _, n in outputs)
    text = ["module frame (input clk_i, input d_i, output reg q_o);",
            f"  reg [{ins}:0] in_q;", f"  reg [{outs - 1}:0] level0;", f"  wire [{outs - 1}:0] outs;",
            "  always @(posedge clk_i) begin", "    in_q <= {in_q, d_i};", "    level0 <= outs;"]
    registers, level = [], 0
    while outs > 1:
        fewer = (outs + 3) // 4
        registers.append(f"  reg [{fewer - 1}:0] level{level + 1};")
        text += [f"    level{level + 1}[{i}] <= ^level{level}[{min(4 * i + 3, outs - 1)}:{4 * i}];"
                 for i in range(fewer)]
        outs, level = fewer, level + 1
    text += [f"    q_o <= level{level}[0];", "  end"]
    text[1:1] = registers
    connections = [".clk_i(clk_i)"] if "clk_i" in ports else []
    for vector, side in (("in_q", inputs), ("outs", outputs)):
        low = 0
        for name, bits in side:
            connections.append(f".{name}({vector}[{low + bits - 1}:{low}])")
            low += bits
    return "\n".join([*text, f"  {TOP} u_block ({', '.join(connections)});", "endmodule", ""])


def _count(module):
    kinds = [cell["type"] for cell in module["cells"].values()]
    return {"luts": kinds.count("SB_LUT4"), "carries": kinds.count("SB_CARRY"),
            "registers": sum(k.startswith("SB_DFF") for k in kinds)}


def implement(folder, files, top, settings, device, timeout):
    begin = cpu_seconds()
    (folder / "block.ys").write_text(
        read_modules(files, top, settings) +
        f"synth_ice40 -top {TOP}\nwrite_json block.json\n"
        "write_verilog -noattr block.v\n")
    run_yosys("block.ys", folder, "block.log", top, settings, timeout)
    block = json.loads((folder / "block.json").read_text())["modules"][TOP]
    (folder / "frame.v").write_text(_frame(block["ports"]))
    (folder / "frame.ys").write_text(
        "read_verilog -lib +/ice40/cells_sim.v\nread_verilog block.v frame.v\n"
        "synth_ice40 -top frame -json frame.json\n")
    run(["yosys", "-s", "frame.ys"], folder, "frame.log", timeout, marks=("ERROR",))
    said = run(["nextpnr-ice40", f"--{device}", "--package", DEVICES[device], "--json", "frame.json",
                "--seed", str(SEED), "--freq", "100", "--timing-allow-fail"], folder, "nextpnr.log",
               timeout, marks=("ERROR",))
    clocks = re.findall(r"Max frequency for clock '[^']*': ([\d.]+) MHz", said)
    if not clocks:
        raise bad_input(f"nextpnr-ice40 gives no clock: {folder}/nextpnr.log")
    return {"device": device, **_count(block), "mhz": float(clocks[-1]),
            "seconds": round(cpu_seconds() - begin, 1)}
