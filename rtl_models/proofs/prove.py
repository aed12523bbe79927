#!/usr/bin/env python3
"""Proofs of the RTL's arithmetic by yosys and its ABC, each with a control that must fail.

  prove.py                 the proofs of the normal suite
  prove.py --long          the slower ones too
  prove.py NAME…           those whose name begins so, the slower ones included
  prove.py --slice I/N     of these, part I (from 0) of N
  prove.py --planted       the designs of the controls in place of ours: each must be refuted
  prove.py --list          the names
  prove.py --json FILE     the results as a record
  prove.py --timeout S     seconds of CPU that one run may take (default 600, with --long 1800)

A proof is a module with free inputs and an output `wrong` (the files beside this one): it is proven where `wrong` is 0
for all inputs. Its control is the same proof on a mutated design, with a planted fault of faults.h (a number of
mx_pkg.sv) or with one text of a file replaced: it must give a counterexample. Exits 0 where all is proven and every
control refuted, 1 where not, 2 for a name or a slice that is none.
"""
import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
RTL = HERE.parent / "rtl"
SPECS = ["spec_pkg.sv", "elements.sv", "scales.sv", "rounding.sv", "accumulate.sv", "sums.sv", "aligned.sv"]


@dataclass
class Proof:
    name: str
    says: str
    top: str
    parameters: dict
    # A planted fault's name, or (file of rtl, text, what stands there instead).
    control: object
    method: str = "sat"  # minisat in yosys, or "abc": SAT sweeping and rewriting first (iprove)
    long: bool = False
    control_parameters: dict = field(default_factory=dict)


FORMATS = {"e2m1": 0, "e3m2": 1, "e2m3": 2, "e4m3": 3, "e5m2": 4, "int8": 5, "nvfp4": 6}


def only(format_name, prefix=""):
    """Parameters of a set of one format."""
    row = FORMATS[format_name]
    return {prefix + "FORMATS": f"7'h{1 << row:02x}", prefix + "ONLY": str(row)}


def both(format_name):
    return {**only(format_name, "A_"), **only(format_name, "B_")}


def elements():
    yield Proof("definition", "the definition used below has the printed maxima, minima and units of ARITHMETIC §1",
                "prove_definition", {}, ("../proofs/spec_pkg.sv", "{2'b0, code[0]}, 1, 1);", "{2'b0, code[0]}, 1, 2);"))
    for name in FORMATS:
        # int8 has no exponent that the planted faults could touch.
        control = (("mx_decode.sv", "+ (1+E+M)'(negative)", "") if name == "int8" else
                   "DecodeMaxAsNan" if name == "e4m3" else
                   ("mx_decode.sv", "mantissa != '0)\n", "1'b1)\n") if name == "e5m2" else "DecodeSubnormal")
        yield Proof(f"decode/{name}", f"mx_decode for {name} alone, all codes", "prove_decode", only(name), control)
    yield Proof("decode/all", "mx_decode for the full set chosen at run time, all formats and codes", "prove_decode", {},
                "DecodeSubnormal")
    for name in FORMATS:
        control = ("MultiplyMax" if name in ("e2m3", "e4m3", "int8") else
                   ("mx_product_flags.sv", "a_inf & ~b_nonzero", "1'b0") if name == "e5m2" else
                   ("mx_product_flags.sv", "a_negative ^ b_negative", "a_negative | b_negative"))
        yield Proof(f"mul/{name}", f"mx_mul from the codes of {name} and {name}, all pairs", "prove_mul", both(name),
                    control, long=name in ("e3m2", "e2m3", "nvfp4"))
    yield Proof("mul/elements", "mx_mul for the full set, any two elements", "prove_mul_elements", {}, "MultiplyMax",
                method="abc")
    yield Proof("mul/all", "mx_mul from codes for the full set, all pairs of formats and codes", "prove_mul", {},
                "MultiplyMax", method="abc", long=True)


def scales():
    yield Proof("e8m0_scale", "all pairs of codes and of formats", "prove_e8m0", {}, "ScaleCodeZero")
    yield Proof("mx_scale/all", "mx_scale (and ue4m3_scale in it) for the full set, all formats and codes", "prove_scale",
                {}, "ScaleProductSaturates")
    yield Proof("mx_scale/nvfp4", "ue4m3_scale alone: significand, exponent, NaN, all pairs of codes", "prove_scale",
                both("nvfp4"), ("ue4m3_scale.sv", "code_i   ({1'b0, b_scale_i[6:0]})", "code_i   (b_scale_i & 8'hbf)"))
    yield Proof("mx_scale/e5m2", "mx_scale of e8m0 alone", "prove_scale", both("e5m2"), "ScaleCodeZero")


# Sum, scale, sum under a scale, term: of the array's sets at 32 (nvfp4: 16) lanes; then the widths of a term alone, of
# products under a scale and of the exact sums with which the accumulation is compared.
TERMS = {"e2m1": (14, 1, 14, 13), "nvfp4": (13, 8, 13, 20), "e4m3": (42, 1, 42, 41), "all": (70, 8, 14, 69)}
SHORT_WIDTHS = [20, 25, 26, 29, 51, 69]
LONG_WIDTHS = [42, 43, 46, 65, 66, 70, 71, 74, 83, 129, 139]
TERMS |= {f"exact_{w}": (w + 1, 1, w + 1, w) for w in SHORT_WIDTHS + LONG_WIDTHS}


def rounding():
    yield Proof("leading_zeros/40", "every width from 1 to 40, all words", "prove_leading_zeros", {"WIDEST": "40"},
                ("leading_zeros.sv", "{word_i, 1'b1, ", "{word_i, 1'b0, "))
    yield Proof("leading_zeros/96", "every width from 41 to 96, all words", "prove_leading_zeros",
                {"LEAST": "41", "WIDEST": "96"}, ("leading_zeros.sv", "{word_i, 1'b1, ", "{word_i, 1'b0, "), long=True)
    for name, (total, scale, scale_sum, term) in TERMS.items():
        if scale == 1:
            yield Proof(f"fp32_term/{name}", f"exact for every sum of {total} bits and exponent", "prove_term",
                        {"SUM": total, "TERM": term},
                        ("fp32_term.sv", "ExponentWidth'(TERM_BITS - 1)", "ExponentWidth'(TERM_BITS)"),
                        long=term in LONG_WIDTHS)
        else:
            yield Proof(f"fp32_term/{name}", f"every sum of {total} bits times every significand of {scale}: the term of "
                        "the product", "prove_scaled_term",
                        {"SUM": total, "SCALE": scale, "SCALE_SUM": scale_sum, "TERM": term},
                        ("fp32_term.sv", "sum_magnitude[SCALE_SUM_BITS-2:0]", "sum_magnitude[SCALE_SUM_BITS-3:0]"),
                        method="abc")
    for number, name in enumerate(["rz", "rz13", "rne"]):
        yield Proof(f"fp32_round/{name}", "nearest, or next toward zero, by exact integers against both neighbours",
                    "prove_round", {"ROUNDING": number}, "TieAway" if name == "rne" else "RoundOverflow")
    yield Proof("fp32_round/rne_overflow", "the same; the control gives the largest finite number on overflow",
                "prove_round", {"ROUNDING": 2}, "RoundOverflow")
    for number, name in enumerate(["rz", "rz13", "rne"]):
        for term in [13, 25]:
            yield Proof(f"fp32_from_term/{name}_{term}", f"terms of {term} bits, any exponent, sticky bit: as fp32_round",
                        "prove_from_term", {"TERM": term, "ROUNDING": number},
                        "RoundSubnormal" if name == "rne" else "RoundOverflow", method="abc", long=term != 25)
    for term in [26, 29, 33, 51, 41, 69] + LONG_WIDTHS:  # 33: the dequantizer's, with a sticky bit
        yield Proof(f"fp32_from_term/rne_{term}", f"terms of {term} bits", "prove_from_term", {"TERM": term}, "TieAway",
                    method="abc", long=term not in (26, 29, 33, 51))
    yield Proof("fp32_from_term/ftz", "FTZ gives the zero of each result below 2^-126, and else the same",
                "prove_from_term", {"TERM": 25, "FTZ": 1}, ("fp32_from_term.sv", "magnitude[30:23] == '0", "places != '0"))
    for number, name in [(0, "binary32"), (1, "bfloat16"), (2, "binary16")]:
        control = [("fp32_to_16.sv", "type_i == 2'd0", "type_i == 2'd3"),
                   ("fp32_to_16.sv", "|| value_i[16]", ""), ("fp32_to_16.sv", "(rest || moved[13])", "1'b1")][number]
        yield Proof(f"fp32_to_16/{name}", "all binary32: the nearest, ties to even; NaN, sign", "prove_to_16",
                    {"TYPE": number}, control)


def accumulate():
    def near(term, above, nearest, farthest, long, subnormal=False):
        side = "above" if above else "below"
        return Proof(f"fp32_accumulate/{term}_{'subnormal_' if subnormal else ''}{side}_{nearest}-{farthest}",
                     f"terms of {term} bits{' without leading bit' if subnormal else ''}, exponent {nearest} to {farthest} "
                     f"{side} the accumulator's: the exact sum, rounded", "prove_accumulate",
                     {"TERM": term, "TERM_ABOVE": int(above), "NEAREST": nearest, "FARTHEST": farthest,
                      "SUBNORMAL_TERM": int(subnormal)}, "TieAway", method="abc", long=long)

    def far(term, above, farthest, long):
        side = "above" if above else "below"
        return Proof(f"fp32_accumulate/{term}_{side}_{farthest}_and_more",
                     f"terms of {term} bits, every exponent {farthest} and more {side}{'' if above else ', and zero'}",
                     "prove_accumulate", {"TERM": term, "TERM_ABOVE": int(above), "FARTHEST": farthest, "FAR": 1},
                     # Terms of 13 bits never lie on a middle: nothing but overflow can go wrong above.
                     "RoundOverflow" if above and term < 25 else "AlignSticky", method="abc", long=long)

    # Where the exponents differ by one at most many bits can cancel: those stand alone.
    # Of mxfp4, nvfp4, blockwise, mxfp8_e4m3, the full set on sequential and on the others.
    for term in [13, 20, 24, 41, 64, 69]:
        size = max(term, 26)
        for above, ranges in [(True, [(1, 1), (2, size)]), (False, [(0, 0), (1, 1), (2, size)])]:
            for nearest, farthest in ranges:
                yield near(term, above, nearest, farthest, long=term != 13)
            yield far(term, above, size, long=term != 13)
    for nearest, farthest in [(0, 0), (1, 1), (2, 26)]:
        yield near(24, False, nearest, farthest, long=True, subnormal=True)
    yield Proof("fp32_accumulate/24_subnormal_below_26_and_more", "terms of 24 bits without leading bit, 26 and more below",
                "prove_accumulate", {"TERM": 24, "FARTHEST": 26, "FAR": 1, "SUBNORMAL_TERM": 1}, "AlignWraps",
                method="abc", long=True)  # so far below a middle the sticky bit decides nothing
    for name in ["NanPayload", "InfChangesSign"]:
        yield Proof(f"fp32_accumulate/special_{name}", "NaN, Inf and Inf - Inf whatever the numbers are; FTZ gives the "
                    "zero of the result's sign", "prove_accumulate_special", {"TERM": 13}, name)


def sums():
    controls = {"e2m1": "SumLastLane", "e4m3": "SignBothNegative", "e5m2": "SumOneBitShort", "int8": "SumLastLane",
                "e3m2": "SumAllCancelled", "e2m3": "SumLastLane"}
    for lanes, name in [(2, "e2m1"), (4, "e2m1"), (2, "e3m2"), (2, "e2m3"), (2, "e4m3"), (2, "e5m2"), (2, "int8")]:
        yield Proof(f"mx_block_sum/{name}_{lanes}", f"the sum of {lanes} products from codes: sum, nonzero, Inf, NaN",
                    "prove_sum", {**only(name), "LANES": lanes}, controls[name], method="abc",
                    long=(lanes, name) != (2, "e2m1"))
    for name in ["all", *FORMATS]:
        formats = "7'h7f" if name == "all" else only(name)["FORMATS"]
        longest = 16 if name == "nvfp4" else 32
        for lanes in [n for n in (1, 2, 4, 8, 16, 32) if n <= longest]:
            yield Proof(f"mx_block_sum/whole_{name}_{lanes}",
                        f"the sum of {lanes} products of any elements; flags likewise", "prove_whole_sum", {"FORMATS": formats, "LANES": lanes}, "SumLastLane", method="abc",
                        long=name not in ("all", "e2m1", "nvfp4") or lanes != longest)


def aligned():
    for name, group, long in [("e2m1", 1, False), ("e4m3", 1, False), ("nvfp4", 2, True), ("e5m2", 1, True),
                              ("int8", 1, True)]:
        control = ("mx_aligned_term.sv", "8'(ScaleBits - 2)", "8'(ScaleBits - 1)") if name == "nvfp4" else \
            ("mx_aligned_term.sv", "lowest_o + mx_pkg", "scale_exponent_i + mx_pkg") if name in ("e2m1", "e4m3", "e5m2") \
            else ("mx_aligned_term.sv", "!nonzero", "1'b0")
        yield Proof(f"mx_aligned_term/{name}_{group}", f"from codes and scales, group of {group}: value, exponent, sign, "
                    "zero", "prove_aligned_term", {**only(name), "GROUP": group}, control, method="abc", long=long)
    # The full set, case by case: both formats at once do not end in hours.
    for a, row_a in FORMATS.items():
        for b, row_b in FORMATS.items():
            if (a == "nvfp4") != (b == "nvfp4"):
                continue
            yield Proof(f"mx_aligned_term/all_{a}_{b}", f"the full set where it is given {a} and {b}", "prove_aligned_term",
                        {"ONLY": str(row_a), "ONLY_B": str(row_b)}, ("mx_aligned_term.sv", "!nonzero", "1'b0"),
                        method="abc", long=True)
    for terms, fraction, rounding, long in [(1, 4, 0, False), (1, 4, 2, True), (1, 13, 1, True), (1, 25, 0, True),
                                            (2, 4, 0, True)]:
        yield Proof(f"mx_aligned_accumulate/{terms}_terms_{fraction}_{['rz', 'rz13', 'rne'][rounding]}",
                    f"{terms} terms of 6 bits, {fraction} fraction bits: every accumulator, any exponents",
                    "prove_aligned_step", {"TERMS": terms, "FRACTION": fraction, "ROUNDING": rounding},
                    ("mx_aligned_accumulate.sv", "EXPONENT'(E_ZERO + 127)", "EXPONENT'(E_ZERO + 140)"),
                    method="abc", long=long)


def all_proofs():
    for part in [elements, scales, rounding, accumulate, sums, aligned]:
        yield from part()


def fault_number(name):
    package = (RTL / "mx_pkg.sv").read_text()
    return re.search(rf"Fault{name} = (\d+);", package).group(1)


def sources():
    """Files in the order of the list, without the registers and the array."""
    names = (RTL / "mx_mac_array.f").read_text().split()
    array = re.compile(r"mx_(pe|edge|stage|result|mac)")
    return [RTL / n for n in names if not array.match(n)] + [HERE / n for n in SPECS]


def limited(command, seconds):
    """Exit status, output, CPU seconds. A run past the limit ends by SIGXCPU."""
    def limit():
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=limit)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return run.returncode, run.stdout, cpu


def with_parameters(file, module, parameters, work):
    """A copy of the file in which the module's parameters have these values; the file itself where it is not there."""
    text = file.read_text()
    start = re.search(rf"^module {module} #\(", text, re.M)
    if not parameters or not start:
        return file
    end = text.index("\n) (", start.end())
    head = text[start.end():end]
    for name, value in parameters.items():
        head, count = re.subn(rf"(parameter [^=\n]*\b{name} *= *)[^,\n]+?(,|(?= *//)|$)", rf"\g<1>{value}\g<2>", head,
                              count=1, flags=re.M)
        if count != 1:
            raise ValueError(f"{module} has no parameter {name}")
    copy = work / file.name
    copy.write_text(text[:start.end()] + head + text[end:])
    return copy


# What the design does not define may be anything: $anyseq is a free input.
COARSE = "proc; flatten; opt_expr; opt_clean -purge; opt; wreduce; opt_clean -purge; setundef -undriven -anyseq"
AIG = "alumacc; maccmap -unmap; opt -fast; techmap; opt -fast; setundef -anyseq; opt_clean -purge; aigmap; opt_clean -purge"


def run(proof, control, work, timeout):
    """'proven', 'refuted', 'timeout' or 'error'; CPU seconds; counterexample or message."""
    parameters = dict(proof.parameters)
    files = sources()
    if control:
        parameters.update(proof.control_parameters)
        if isinstance(proof.control, str):
            parameters.update({"FAULTS": "1'b1", "FAULT": fault_number(proof.control)})
        else:
            name, text, instead = proof.control
            path = (RTL / name).resolve()
            content = path.read_text()
            if text not in content:
                return "error", 0.0, f"the control's text is not in {name}"
            mutated = work / f"mutated_{path.name}"
            mutated.write_text(content.replace(text, instead))
            files = [mutated if f == path else f for f in files]
    # The parameters are written into a copy of the module: `hierarchy -chparam` of yosys 0.23 fails on some.
    files = [with_parameters(f, proof.top, parameters, work) if f.parent == HERE else f for f in files]
    script = (f"read_verilog -sv -defer {' '.join(map(str, files))}; hierarchy -check -top {proof.top}; {COARSE}; ")
    aig = work / "proof.aig"
    if proof.method == "sat":
        script += "sat -prove wrong 0 -show-inputs -show-outputs"
    else:
        script += f"{AIG}; write_aiger -symbols {aig}"
    code, output, cpu = limited(["yosys", "-p", script], timeout)
    if proof.method == "sat":
        if "SUCCESS!" in output:
            return "proven", cpu, ""
        if "proof did fail" in output or "model found: FAIL!" in output:
            shown = re.findall(r"^ +\\(\S+) +\S+ +([0-9a-f]+) +[01]+ *$", output, re.M)
            return "refuted", cpu, ", ".join(f"{n} = {v}" for n, v in shown)
    elif code == 0:
        # iprove's rewriting aborts on some graphs in ABC's own assertions; without it the same question is asked again.
        for command in ["iprove", "iprove -r"]:
            code, output, more = limited(["yosys-abc", "-c", f"read_aiger {aig}; strash; {command}"], timeout)
            cpu += more
            if re.search(r"^UNSATISFIABLE", output, re.M):
                return "proven", cpu, ""
            if re.search(r"^SATISFIABLE", output, re.M):
                return "refuted", cpu, ""
            if code != -6:
                break
    if code in (-24, -9):
        return "timeout", cpu, ""
    return "error", cpu, output.strip().splitlines()[-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--slice", metavar="I/N", default="0/1")
    parser.add_argument("--planted", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--timeout", type=int)
    options = parser.parse_args()
    timeout = options.timeout or (1800 if options.long else 600)
    for name in options.names:
        if not any(p.name.startswith(name) for p in all_proofs()):
            parser.error(f"no proof's name begins with '{name}'; there are: {', '.join(p.name for p in all_proofs())}")
    chosen = [p for p in all_proofs()
              if (any(p.name.startswith(n) for n in options.names) if options.names else options.long or not p.long)]
    match = re.fullmatch(r"(\d+)/(\d+)", options.slice)
    if not match or not int(match[1]) < int(match[2]):
        parser.error(f"--slice {options.slice}: no I/N with I from 0 below N")
    chosen = chosen[int(match[1])::int(match[2])]
    if not chosen:
        parser.error("no proof in that slice")
    if options.list:
        for p in chosen:
            print(f"{p.name:46} {'long ' if p.long else '     '}{p.says}")
        return 0
    records, good = [], True
    for proof in chosen:
        start = time.time()
        with tempfile.TemporaryDirectory() as work:
            state, cpu, word = run(proof, options.planted, Path(work), timeout)
            control, control_cpu, shown = run(proof, True, Path(work), timeout)
        good = good and state == ("refuted" if options.planted else "proven") and control == "refuted"
        print(f"{proof.name:46} {state:8} {cpu:7.1f} s   control {control:8} {control_cpu:6.1f} s  {shown[:90]}", flush=True)
        if state != "proven" and not options.planted:
            print(f"    {proof.top} {proof.parameters}: {word}\n    repeat: prove.py {proof.name}", flush=True)
        records.append({"name": proof.name, "says": proof.says, "module": proof.top,
                        "parameters": {k: str(v) for k, v in proof.parameters.items()}, "method": proof.method,
                        "long": proof.long, "state": state, "cpu_seconds": round(cpu, 2), "counterexample": word,
                        "control": proof.control if isinstance(proof.control, str) else list(proof.control),
                        "control_state": control, "control_cpu_seconds": round(control_cpu, 2),
                        "control_counterexample": shown, "seconds": round(time.time() - start, 2)})
        if options.json:
            Path(options.json).write_text(json.dumps({"proofs": records}, indent=1) + "\n")
    proven = sum(r["state"] == "proven" for r in records)
    refuted = sum(r["control_state"] == "refuted" for r in records)
    print(f"{proven} of {len(records)} proven, {refuted} of {len(records)} controls refuted: "
          f"{proven + refuted} results compared")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
