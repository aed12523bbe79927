"""Fault campaign: mutants of every module by the hundred, made by yosys (netlist.py), each in the bench of its unit
until it is killed. What survives a short run goes through a long one; what survives that is compared with the right
design by proof (prove.py); what is not proven the same needs a reason in survivors.py.

    mutants.py SOURCE_FOLDER BUILD_FOLDER [--design NAME …] [--per-module N] [--seed S] [--blocks N]
               [--proof-seconds T] [--control]

BUILD_FOLDER/tests/mutants/record.json and record.txt say what became of each. A run that was stopped goes on where it
was.
Ends with 1 where a module of the sources stands in no design, where the unmutated netlist fails, where a killed mutant
is proven the same, where one survives without a reason or a reason without its mutant, or where of the mutants that
are not proven to change nothing fewer than 98 % of all designs or 90 % of one are killed. --control: a moment of it, on
two designs: the unmutated netlist must pass, and mutants must not.
"""

import argparse
import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import time
from concurrent import futures

import netlist
import prove
import survivors

SEED, PER_MODULE = 1, 8  # of the drawing that survivors.py knows
# Block products of the array; what the bench of another unit does meanwhile, `mxref cosim --blocks` knows.
SHORT_BLOCKS = 20_000  # these kill nine in ten
CONTROL_BLOCKS = 2_000
CONTROL_LEAST_KILLED = {"fused": 0.75, "scaling": 0.9}  # of designs that are quickly built
LEAST_KILLED = 0.98
LEAST_KILLED_OF_DESIGN = 0.9
VERDICTS = ("killed", "same", "argued", "survived")


def arguments():
    parser = argparse.ArgumentParser(description="Fault campaign on every module.")
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--design", nargs="+", choices=netlist.DESIGNS, default=list(netlist.DESIGNS))
    parser.add_argument("--per-module", type=int, default=PER_MODULE, help=f"mutants of each module ({PER_MODULE})")
    parser.add_argument("--seed", type=int, default=SEED, help=f"of the drawing and of the bench ({SEED})")
    parser.add_argument("--blocks", type=int, default=1_000_000, help="block products of a long run (1000000)")
    parser.add_argument("--proof-seconds", type=int, default=60,
                        help="of CPU time for ABC in one module, five times as many for yosys; 0: no proofs (60)")
    parser.add_argument("--control", action="store_true")
    return parser.parse_args()


def write_if_new(path, text):
    """Leaves the file's time where nothing changes, so that nothing is built anew."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


class Campaign:
    """The mutants of one design."""

    def __init__(self, options, design):
        self.options, self.design = options, design
        self.folder = options.build.resolve() / "tests/mutants" / design
        self.folder.mkdir(parents=True, exist_ok=True)
        self.kept = self.folder / "runs.jsonl"
        self.program = options.build.resolve() / "bin" / f"mutants_{design}"
        begin = time.monotonic()
        scratch = self.folder / "scratch"
        scratch.mkdir(exist_ok=True)
        modules = netlist.make_design(options.source.resolve(), netlist.DESIGNS[design], scratch)
        self.mutants = netlist.list_mutants(modules, options.per_module, options.seed, scratch)
        netlist.write_netlist(netlist.DESIGNS[design].top, self.mutants, scratch)
        for name in ("design.il", "mutants.v"):
            write_if_new(self.folder / name, (scratch / name).read_text())
        self.proofs = prove.Proofs(netlist.DESIGNS[design].top, self.folder, options.proof_seconds)
        made = time.monotonic()
        subprocess.run(["cmake", "--build", options.build, "--target", self.program.name], check=True,
                       stdout=subprocess.DEVNULL)
        # A result holds for this bench and netlist, a proof, or that there is none, for this netlist and way to prove.
        self.digests = {"run": netlist.digest(self.program),
                        "proof": netlist.digest(self.folder / "mutants.v", pathlib.Path(prove.__file__))}
        self.seconds = {"netlist": round(made - begin), "build": round(time.monotonic() - made)}
        print(f"{design}: {len(self.mutants)} mutants of {len(modules)} modules, seed {options.seed}; netlist "
              f"{self.seconds['netlist']} s, build {self.seconds['build']} s", flush=True)

    def known(self):
        """What earlier runs found: by kind of result and mutant."""
        found = {}
        if self.kept.exists():
            for line in self.kept.read_text().splitlines():
                row = json.loads(line)
                if row["digest"] == self.digests[row["key"].split()[0]]:
                    found[row["key"]] = row["value"]
        return found

    def keep(self, key, value):
        with self.kept.open("a") as file:
            file.write(json.dumps({"digest": self.digests[key.split()[0]], "key": key, "value": value}) + "\n")

    def run(self, numbers, blocks):
        """Mutant → what the bench says."""
        key = f"run seed {self.options.seed} blocks {blocks} mutant "
        known = self.known()
        rows = {number: known[key + str(number)] for number in numbers if key + str(number) in known}
        missing = [number for number in numbers if number not in rows]
        with futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for number, row in zip(missing, pool.map(lambda number: self.run_one(number, blocks), missing)):
                rows[number] = row
                self.keep(key + str(number), row)
                if len(rows) % 50 == 0:
                    print(f"  {len(rows)} of {len(numbers)}", flush=True)
        return rows

    def run_one(self, number, blocks):
        words = [self.program, str(blocks), str(self.options.seed), str(number)]
        program = subprocess.run(words, stdout=subprocess.PIPE, text=True)
        if program.returncode != 0:
            sys.exit(f"mutants.py: {self.program.name} ended with {program.returncode}")
        row = json.loads(program.stdout)
        del row["number"]
        return row

    def proof(self, question, ask):
        """What `ask` finds out, or found out when the question was asked before."""
        key = f"proof {self.options.proof_seconds} s {question}"
        known = self.known()
        if key not in known:
            known[key] = ask()
            self.keep(key, known[key])
        return known[key]

    def judge(self):
        """Fills in each mutant's verdict, and what it rests on. Words of what must not be."""
        begin = time.monotonic()
        blocks = self.options.blocks
        right = self.run([0], blocks)[0]
        if right["killed"]:
            return [f"{self.design}: the netlist without a mutant fails: {right['by']}"]
        left = self.mutants
        for enough in (min(SHORT_BLOCKS, blocks), blocks):
            rows = self.run([m["number"] for m in left], enough)
            for mutant in left:
                mutant.update(rows[mutant["number"]])
                mutant["verdict"] = "killed" if mutant["killed"] else "survived"
            left = [m for m in left if not m["killed"]]
        for mutant in left:
            mutant["proven_in"] = self.proof(f"mutant {mutant['number']}", lambda m=mutant: self.proofs.proven_in(m)) \
                if self.options.proof_seconds else []
            mutant["reason"] = survivors.reason(self.design, name(mutant))
            mutant["verdict"] = "same" if mutant["proven_in"] else "argued" if mutant["reason"] else "survived"
            print(f"  {name(mutant)}: {mutant['verdict']} {', '.join(mutant['proven_in'])}", flush=True)
        self.seconds["judge"] = round(time.monotonic() - begin)
        return self.proves_what_was_killed()

    def proves_what_was_killed(self):
        """The control of the proofs: wherever a mutant is proven the same, one of the same module that was killed."""
        killed = {m["module"]: m for m in self.mutants if m["verdict"] == "killed"}
        places = {(m["module"], level) for m in self.mutants if m["verdict"] == "same" for level in m["proven_in"]}
        wrong = []
        for mutant, level in ((killed[module], level) for module, level in sorted(places) if module in killed):
            question = f"control in {level} mutant {mutant['number']}"
            if self.proof(question, lambda m=mutant, where=level: self.proofs.is_same(m, where)):
                wrong.append(f"{self.design}: proven the same in {level}, but killed: {name(mutant)}")
        return wrong

    def record(self):
        modules = {}
        for mutant in self.mutants:
            modules.setdefault(mutant["module"], collections.Counter())[mutant["verdict"]] += 1
        return {"design": self.design, "seconds": self.seconds, "modules": modules, "mutants": self.mutants}


def name(mutant):
    """What yosys did, without the numbers that it gives to cells and to mutants."""
    cell = re.sub(r"(\.sv:\d+|\$proc(?:mux|dff)|\$auto\$\w+\.cc:\d+:\w+)\$\d+", r"\1", mutant["cell"])
    control = f" by [{mutant['ctrlbit']}]" if mutant["ctrlbit"] else ""
    wire = f" ({mutant['wire']}[{mutant['wirebit']}])" if mutant["wire"] else ""
    return f"{mutant['mode']} {mutant['module']} {cell} {mutant['port']}[{mutant['portbit']}]{control}{wire}"


def totals(mutants):
    return collections.Counter(m["verdict"] for m in mutants)


def share_killed(mutants):
    """Of those not proven to change nothing."""
    return totals(mutants)["killed"] / (len(mutants) - totals(mutants)["same"])


def table(records):
    row = "{:16} {:24} {:>8}" + " {:>8}" * len(VERDICTS)
    lines = [row.format("design", "module", "mutants", *VERDICTS)]
    for record in records:
        for module, counts in [*sorted(record["modules"].items()), ("all", totals(record["mutants"]))]:
            lines.append(row.format(record["design"], module, sum(counts.values()), *(counts[v] for v in VERDICTS)))
        lines[-1] += f"  {share_killed(record['mutants']):.1%} of those not proven the same are killed"
    for record in records:
        lines += [f"{m['verdict']}: {record['design']} {name(m)}" + (f": {m['reason']}" if m["reason"] else "")
                  for m in record["mutants"] if m["verdict"] in ("argued", "survived")]
    return "\n".join(lines)


def forgotten_modules(options):
    """Words of the modules of the sources that stand in no design. What watches a design is no part of it."""
    source = options.source.resolve()
    texts = [file.read_text() for folder in ("rtl", "accelerator")
             for file in (source / "rtl_models" / folder).glob("*.sv")]
    modules = {name for text in texts for name in re.findall(r"^module (\w+)", text, re.MULTILINE)}
    seen = set().union(*(netlist.instantiated(source, design) for design in netlist.DESIGNS.values()))
    forgotten = sorted(name for name in modules - seen if not name.endswith(("_checks", "_corners")))
    return ["no design of netlist.py has " + ", ".join(forgotten)] if forgotten else []


def control(options):
    """Words of what must not be."""
    if wrong := forgotten_modules(options):
        return wrong
    for design, least in CONTROL_LEAST_KILLED.items():
        campaign = Campaign(options, design)
        few = [m["number"] for m in campaign.mutants[::16]]
        rows = campaign.run([0, *few], CONTROL_BLOCKS)
        killed = sum(row["killed"] for row in rows.values())
        print(f"control: {design}: {killed} of {len(few)} mutants are killed in {CONTROL_BLOCKS} block products")
        if rows[0]["killed"]:
            wrong.append(f"{design}: the netlist without a mutant fails: {rows[0]['by']}")
        if killed < least * len(few):
            wrong.append(f"{design}: fewer than {least:.0%} of the mutants are killed")
    return wrong


def campaigns(options):
    """Words of what must not be."""
    if wrong := forgotten_modules(options):
        return wrong
    commit = subprocess.run(["git", "-C", options.source, "rev-parse", "HEAD"], stdout=subprocess.PIPE, text=True)
    folder = options.build / "tests/mutants"
    records = []
    for design in options.design:
        campaign = Campaign(options, design)
        if wrong := campaign.judge():
            return wrong
        records.append(campaign.record())
        (folder / "record.txt").write_text(table(records) + "\n")
        (folder / "record.json").write_text(json.dumps({
            "commit": commit.stdout.strip(), "yosys": netlist.version(), "seed": options.seed, "blocks": options.blocks,
            "per_module": options.per_module, "designs": records}, indent=1) + "\n")
    print(table(records))
    mutants = [m for record in records for m in record["mutants"]]
    total, share = totals(mutants), share_killed(mutants)
    print(f"{len(mutants)} results compared: {total['killed']} mutants killed, {total['same']} proven to change "
          f"nothing, {total['argued']} argued to, {total['survived']} survived; killed are "
          f"{total['killed'] / len(mutants):.1%}, and {share:.1%} of those not proven")
    whole = set(options.design) == set(netlist.DESIGNS)
    wrong = [f"fewer than {LEAST_KILLED:.0%} are killed"] if whole and share < LEAST_KILLED else []
    wrong += [f"{r['design']}: fewer than {LEAST_KILLED_OF_DESIGN:.0%} are killed" for r in records
              if share_killed(r["mutants"]) < LEAST_KILLED_OF_DESIGN]
    wrong += [f"{total['survived']} survive without a reason"] if total["survived"] else []
    if (options.seed, options.per_module) == (SEED, PER_MODULE):
        seen = {(r["design"], name(m)) for r in records for m in r["mutants"] if m["verdict"] == "argued"}
        wrong += [f"survivors.py: {s.design} {s.mutant} is killed, proven, or not drawn" for s in survivors.SURVIVORS
                  if s.design in options.design and (s.design, s.mutant) not in seen]
    return wrong


def main():
    options = arguments()
    if wrong := control(options) if options.control else campaigns(options):
        sys.exit("mutants.py: " + "; ".join(wrong))


if __name__ == "__main__":
    main()
