"""Whether a mutant can be seen at all: yosys compares the module that it is in with itself, for all inputs, as gates
under ABC.

Registers are cut: what they hold is an input, what they take is an output, so that a proof holds for every run. What
differs in its own module may be the same in the module around it, whose other parts never show the difference: so on
up to the unit. The unit, where the other modules in it are cut too, is asked only of what stands in it directly. A
proof in each module around is a proof. Modules with a memory are cut wherever they stand, but for the mutant's own: its
memory's words are registers. Inputs that nobody gives (a format's number that is none) are not excluded: what differs
for these alone is not proven here.
"""

import re
import subprocess

from netlist import limited, mutate, yosys


def instances(folder):
    """Module → the modules in which it stands; the modules with a memory."""
    parents, memories, module = {}, set(), ""
    for line in (folder / "design.il").read_text().splitlines():
        if found := re.match(r"module \\(\S+)", line):
            module = found[1]
        elif found := re.match(r"  cell \\(\S+)", line):
            parents.setdefault(found[1], set()).add(module)
        elif line.startswith("  cell $mem"):
            memories.add(module)
    return parents, memories


class Proofs:
    """Of one design, whose design.il lies in the folder."""

    def __init__(self, top, folder, seconds):
        self.top, self.folder, self.seconds = top, folder, seconds
        self.parents, self.memories = instances(folder)

    def is_same(self, mutant, level):
        """Whether ABC proves that the module `level` is the same with the mutant in it or in what stands in it. What
        the source leaves undefined (a table's place behind its last row) is 0 on both sides, or else 1: either will do.
        """
        return any(self.is_same_where(mutant, level, undefined) for undefined in ("zero", "one"))

    def is_same_where(self, mutant, level, undefined):
        cut, registers = self.memories - {level}, ""
        if level == self.top:
            cut = cut | {module for module, around in self.parents.items() if self.top in around}
        if level == self.top or (mutant["module"] in self.memories and level != mutant["module"]):
            # Bits of registers that are constant, or that nothing reads, are none: a memory's unused port.
            registers = ("rename -hide w:*unused_*\n" + 3 * "opt_expr\nopt_dff\n" + "dffunmap\n"
                         "simplemap t:$dff t:$mux\nsplitnets\nopt_clean -purge\n")
        cut = sorted(cut - {mutant["module"]})
        evert = "setattr -mod -set keep_hierarchy 1 " + " ".join(cut) + "\n" if cut else ""

        def side(name, change):
            return (f"design -load base\n{change}{evert}flatten\nopt_clean\nmemory_map\n{registers}"
                    f"expose -dff {'-evert ' if evert else ''}-evert-dff {level}\nopt_clean\n"
                    f"select -assert-none {level}/t:$*dff* {level}/t:$_*DFF*\nrename {level} {name}\n"
                    f"design -stash {name}\n")
        script = (f"read_rtlil design.il\nhierarchy -top {level}\ndesign -save base\n{side('gold', '')}"
                  f"{side('gate', mutate(mutant))}design -reset\ndesign -copy-from gold gold\n"
                  # Merging leaves of the two copies what differs.
                  "design -copy-from gate gate\nmiter -equiv -flatten gold gate miter\nhierarchy -top miter\n"
                  f"opt -full\nopt_clean -purge\nsetundef -undriven -zero\ntechmap\nopt_clean\nsetundef -{undefined}\n"
                  "aigmap\nwrite_aiger miter.aig\n")
        try:
            yosys(script, self.folder, 5 * self.seconds)
        except TimeoutError:
            return False
        except RuntimeError as error:
            # The mutant has changed which names a register has: there is no pair to compare.
            if "No matching port in" in str(error) or "selection is not empty" in str(error):
                return False
            raise
        said = subprocess.run(["yosys-abc", "-q", "read_aiger miter.aig; strash; iprove"], cwd=self.folder, text=True,
                              preexec_fn=limited(self.seconds), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT).stdout
        return "UNSATISFIABLE" in said

    def proven_in(self, mutant, level=""):
        """The modules in which it is proven to change nothing; none where it may change something."""
        level = level or mutant["module"]
        if level == self.top and mutant["module"] != self.top and self.top not in self.parents[mutant["module"]]:
            return []
        if self.is_same(mutant, level):
            return [level]
        levels = []
        for parent in sorted(self.parents.get(level, ())):
            found = self.proven_in(mutant, parent)
            if not found:
                return []
            levels += found
        return levels
