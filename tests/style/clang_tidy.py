"""Static analysis of the sources of emu and rtl_models, each by the command that compiles it in BUILD_FOLDER, alone
where the build takes several files as one.

    clang_tidy.py RUN_CLANG_TIDY SOURCE_FOLDER BUILD_FOLDER [--without PATH …] [--list]

Ends with 1 where clang-tidy finds something, or where no command compiles a source that is not under one of the PATHs.
--list: only says what is analyzed.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys

# The analyzer leaves a function after a sixth of its usual number of states, which halves the time. The compiler that
# the tree is built with may know warnings that clang-tidy's does not.
ARGUMENTS = ["-Wno-unknown-warning-option", "-Xclang", "-analyzer-config", "-Xclang", "max-nodes=40000"]
FOLDERS = ("emu", "rtl_models")


def alone(entry):
    """Of a file that includes others to be compiled as one, an entry for each of these."""
    joint = pathlib.Path(entry["file"])
    if not re.fullmatch(r"unity_\d+_cxx\.cxx", joint.name):
        return [entry]
    files = re.findall(r'^#include "(.*)"$', joint.read_text(), re.M)
    return [{**entry, "file": f, "command": entry["command"].replace(str(joint), f)} for f in files]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("run_clang_tidy")
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--without", nargs="+", default=[])
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    without = [options.source / path for path in options.without]
    sources = {str(f) for folder in FOLDERS for f in (options.source / folder).rglob("*.cc")
               if not any(f.is_relative_to(path) for path in without)}
    joint = json.loads((options.build / "compile_commands.json").read_text())
    entries = [e for j in joint for e in alone(j) if e["file"] in sources]
    if missing := sources - {e["file"] for e in entries}:
        sys.exit("clang_tidy.py: no command compiles " + ", ".join(sorted(missing)))
    if options.list:
        return print(*sorted(sources), sep="\n")
    folder = options.build / "tests/style/alone"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "compile_commands.json").write_text(json.dumps(entries, indent=1))
    arguments = [f"-extra-arg={a}" for a in ARGUMENTS]
    sys.exit(subprocess.run([options.run_clang_tidy, "-quiet", "-p", folder, *arguments]).returncode)


if __name__ == "__main__":
    main()
