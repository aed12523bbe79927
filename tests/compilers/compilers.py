"""The same bits from both compilers: builds emu by g++ and by clang++, at -O0 and at -O3, with the project's other flags,
and compares what same_bits prints of each: digests of the definition's results and of those of every instruction set
that the machine has. (All of them are compiled.) Then a model on each instruction set by PROGRAM, the mxref of another build,
with the emu of both compilers' -O3 in the place of its own: the digests of the logits are those of README.md.

    compilers.py SOURCE_FOLDER WORK_FOLDER PROGRAM [--control]

--control: instead, kernels under -ffast-math must change digests. The builds are kept: a second run builds only what
has changed.
"""

import itertools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

SOURCE, WORK, PROGRAM = (pathlib.Path(word).resolve() for word in sys.argv[1:4])
COMPILERS = (("gcc", "g++"), ("clang", "clang++"))
LEVELS = ("-O0", "-O3")


def fail(message):
    sys.exit(f"compilers.py: {message}")


def run(*words, good=(0,), **surroundings):
    done = subprocess.run([str(word) for word in words], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={**os.environ, **surroundings})
    if done.returncode not in good:
        fail(f"{' '.join(map(str, words))} ended with {done.returncode}:\n{done.stdout[-6000:]}")
    return done.stdout


def digests(folder, compilers, level, kernels, good=(0,)):
    """Builds same_bits and runs it; what it prints."""
    c, cxx = compilers
    for name in compilers:
        if not shutil.which(name):
            fail(f"{name} is missing; ./check --setup installs it")
    begin = time.monotonic()
    build = WORK / folder
    run("cmake", "-S", SOURCE, "-B", build, "-G", "Ninja", "-DMXREF_TORCH=OFF", "-DMXREF_RTL=OFF",
        "-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_CXX_FLAGS_RELEASE={level} -DNDEBUG",
        f"-DCMAKE_C_COMPILER={c}", f"-DCMAKE_CXX_COMPILER={cxx}", f"-DMXREF_KERNEL_FLAGS={kernels}")
    run("cmake", "--build", build, "--target", "same_bits")
    built = time.monotonic()
    said = run(build / "bin/same_bits", good=good)
    version = run(cxx, "--version").splitlines()[0]
    print(f"{version}, {level}, kernels {kernels}: built in {built - begin:.0f} s, ran in {time.monotonic() - built:.0f} s",
          flush=True)
    return said.splitlines()


def results_in(lines):
    return sum(int(re.search(r": (\d+) results$", line)[1]) for line in lines if line.endswith(" results"))


def differing(lines, others):
    return [f"{line}\n  {other}" for line, other in zip(lines, others) if line != other]


def control():
    right = digests("clang-O0", COMPILERS[1], "-O0", "-O0")
    wrong = digests("control", COMPILERS[1], "-O0", "-O1;-ffast-math", good=(0, 1))
    changed = {line.split()[1] for line in right if line.endswith(" results") and line not in wrong}
    if not changed:
        fail("control: -ffast-math changes no digest")
    if "definition" in changed:
        fail("control: -ffast-math of the kernels changes the definition")
    print(f"control: -ffast-math changes digests of {', '.join(sorted(changed))}")


def compare():
    all_of_them = {}
    for compilers in COMPILERS:
        for level in LEVELS:
            all_of_them[f"{compilers[1]} {level}"] = digests(f"{compilers[0]}{level}", compilers, level, level)
    (first, expected), *others = all_of_them.items()
    for line in expected:
        if line.startswith("skipped: "):
            print(line + ", so its kernels were compiled and not run")
    for name, got in others:
        different = differing(expected, got)
        if different or len(got) != len(expected):
            fail(f"{first} and {name} differ:\n" + "\n".join(different))
        print(f"{first} and {name}: {results_in(got)} results compared, the same digests")
    return sorted({line.split()[1] for line in expected if line.endswith(" results")} - {"definition"})


def whole_models(instruction_sets):
    readme = (SOURCE / "README.md").read_text()
    command = re.search(r"^\$ mxref (eval --model smollm2 --recipe) \w+ (.*)$", readme, re.M)
    digests_of_readme = re.findall(r"^\| `(\w+)` \| `([0-9a-f]{64})` \|$", readme, re.M)
    if not command or not digests_of_readme:
        fail("README.md has no digests of a model's logits")
    if " no " in run(PROGRAM, "assets").split("smollm2", 1)[1].splitlines()[0]:
        print("skipped: whole models; the asset smollm2 is not fetched")
        return
    for compiler, cxx in COMPILERS:
        libraries = WORK / f"{compiler}-O3" / "lib"
        emu = libraries / "libmxref_emu.so.0"
        for (recipe, digest), isa in itertools.product(digests_of_readme, instruction_sets):
            said = run(PROGRAM, *command[1].split(), recipe, *command[2].split(), "--isa", isa,
                       LD_LIBRARY_PATH=str(libraries), LD_DEBUG="files")
            if f"calling init: {emu}" not in said:
                fail(f"{PROGRAM} does not take {emu}")
            if f"SHA-256 of the logits {digest}" not in said:
                fail(f"{recipe} on {isa} by {emu}: README.md has {digest}, it says\n{said[-400:]}")
            print(f"SmolLM2 {recipe} on {isa} with emu by {cxx} -O3: the logits of README.md, 127 results compared")


if "--control" in sys.argv[4:]:
    control()
else:
    whole_models(compare())
