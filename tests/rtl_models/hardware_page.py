#!/usr/bin/env python3
"""What rtl_models/README.md and rtl_models/mxref.core say can be used: the core file lists the files of the .f lists,
each of its lint targets passes Verilator, and so does each SystemVerilog example of the page. Controls: a file that
is missing in the core, a file that it has besides, a wrong port in an example.

  hardware_page.py SOURCE_DIR WORK_DIR
"""
import copy
import re
import subprocess
import sys
from pathlib import Path

import yaml

SOURCE, WORK = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
HARDWARE = SOURCE / "rtl_models"
# What each top is made of.
LISTS = {"mx_mac_array": ["rtl/mx_mac_array.f"], "mx_quantize": ["rtl/mx_quantize.f"],
         "mx_dequantize": ["rtl/mx_quantize.f"], "e8m0_scaling_unit": ["rtl/e8m0_scaling_unit.f"],
         "mx_accelerator": ["rtl/mx_mac_array.f", "accelerator/mx_accelerator.f"]}


class Wrong(Exception):
    pass


def listed(lists):
    return {str(Path(name).parent / file) for name in lists for file in (HARDWARE / name).read_text().split()}


def lint(top, files):
    run = subprocess.run(["verilator", "--lint-only", "-Wall", "--top-module", top, *map(str, files)],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if run.returncode:
        raise Wrong(f"{top}: Verilator says\n{run.stdout}")


def files_of(core, target):
    return [file for name in core["targets"][target]["filesets"] for file in core["filesets"][name]["files"]]


def check_target(core, name):
    target = core["targets"][name]
    sources = [file for file in files_of(core, name) if file.endswith(".sv")]
    for file in files_of(core, name):
        if not (HARDWARE / file).is_file():
            raise Wrong(f"{name}: {file} is not there")
    if len(set(sources)) != len(sources):
        raise Wrong(f"{name}: a file is there twice")
    packages = [file.endswith("_pkg.sv") for file in sources]
    top = target.get("toplevel")
    wanted = listed(LISTS[top] if top else sum(LISTS.values(), []))
    if set(sources) != wanted:
        raise Wrong(f"{name}: differs from the .f lists in {sorted(set(sources) ^ wanted)}")
    if not packages[0]:
        raise Wrong(f"{name}: packages come first")
    for parameter in target.get("parameters", []):
        text = "".join((HARDWARE / file).read_text() for file in sources if Path(file).stem == top)
        if not re.search(rf"parameter [^;)]*\b{parameter.split('=')[0]}\b", text):
            raise Wrong(f"{name}: {top} has no parameter {parameter}")
    if top and target["flow"] == "lint":
        lint(top, [HARDWARE / file for file in files_of(core, name)])
    print(f"{name}: {len(sources)} files as the .f lists have them")


def check_example(core, text):
    top = re.findall(r"^module (\w+)", text, re.M)[-1]
    path = WORK / f"{top}.sv"
    path.write_text(text)
    files = [HARDWARE / file for file in files_of(core, "default")]
    waivers = [HARDWARE / file for file in core["filesets"]["waivers"]["files"]]
    lint(top, ["-Wno-PINCONNECTEMPTY", *waivers, *files, path])  # an example names the pins that it leaves open
    print(f"example {top}: no warning")


def refused(what, check):
    try:
        check()
    except Wrong as error:
        print(f"control: {what}: {str(error).splitlines()[0]}")
        return
    sys.exit(f"control: {what} was not seen")


def main():
    WORK.mkdir(parents=True, exist_ok=True)
    core = yaml.safe_load((HARDWARE / "mxref.core").read_text())
    if "CAPI=2" not in core:
        raise Wrong("mxref.core: no CAPI=2")
    for name in core["targets"]:
        check_target(core, name)
    linted = {target["toplevel"] for target in core["targets"].values() if target.get("flow") == "lint"}
    if linted != set(LISTS):
        raise Wrong(f"no lint target of {set(LISTS) - linted}")
    page = (HARDWARE / "README.md").read_text()
    examples = re.findall(r"^```systemverilog\n(.*?)^```", page, re.M | re.S)
    used = {top for top in LISTS for text in examples if re.search(rf"^  {top} ", text, re.M)}
    if used != set(LISTS):
        raise Wrong(f"README.md: no example of {set(LISTS) - used}")
    for text in examples:
        check_example(core, text)

    missing, besides = copy.deepcopy(core), copy.deepcopy(core)
    missing["filesets"]["array"]["files"].pop()
    besides["filesets"]["array"]["files"].append("rtl/mx_mac_array_checks.sv")
    refused("a file less", lambda: check_target(missing, "lint_array"))
    refused("a file more", lambda: check_target(besides, "lint_array"))
    refused("a wrong port", lambda: check_example(core, examples[0].replace(".in_valid_i", ".valid_i")))


if __name__ == "__main__":
    try:
        main()
    except Wrong as error:
        sys.exit(str(error))
