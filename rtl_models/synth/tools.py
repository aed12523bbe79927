"""Outside programs, and the folders in which their runs lie."""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess

from errors import AreaError, bad_input, wrong_use


# The Debian packages of those that have another name.
PACKAGES = {"sta": "opensta", "vvp": "iverilog"}


def not_installed(program):
    return bad_input(f"{program} is not installed: apt-get install {PACKAGES.get(program, program)}")


def version(program):
    """What `program` says of itself, in a line; an error where it is not installed."""
    flag = {"yosys": "-V", "sta": "-version", "iverilog": "-V", "vvp": "-V"}.get(program, "--version")
    try:
        done = subprocess.run([program, flag], capture_output=True, text=True, check=False, timeout=60)
    except FileNotFoundError:
        raise not_installed(program) from None
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return next((line for line in lines if not line.startswith("Unable")), "unknown")


def run(command, folder, log, timeout, marks=("ERROR", "Error", "error")):
    """Runs it in `folder`; all that it prints lies in the file `log` there, and is returned."""
    path = pathlib.Path(folder) / log
    name = os.path.basename(command[0])
    with open(path, "w", encoding="utf-8") as out:
        try:
            code = subprocess.run(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT, check=False,
                                  stdin=subprocess.DEVNULL, timeout=timeout).returncode
        except FileNotFoundError:
            raise not_installed(name) from None
        except subprocess.TimeoutExpired:
            raise bad_input(f"{name} took more than {timeout} s (--timeout): {path}") from None
    text = path.read_text(encoding="utf-8", errors="replace")
    said = [line for line in text.splitlines() if line.startswith(marks) or ": error: " in line]
    if code != 0 or said:
        reason = said[0] if said else (text.strip().splitlines() or ["no word"])[-1]
        raise bad_input(f"{name} failed: {reason.strip()}: {path}")
    return text


def ask_mxref(mxref, arguments, timeout):
    """The program of the project; its own words where it refuses."""
    try:
        done = subprocess.run([mxref, *arguments], capture_output=True, text=True, check=False,
                              timeout=timeout)
    except FileNotFoundError:
        raise bad_input(f"no program {mxref}: build it, and give its path by --mxref") from None
    except subprocess.TimeoutExpired:
        raise bad_input(f"mxref {arguments[0]} took more than {timeout} s (--timeout)") from None
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "no word").splitlines()[-1]
        said = said.removeprefix(f"mxref {arguments[0]}: ")
        raise (wrong_use if done.returncode == 2 else bad_input)(said)
    return done.stdout


def sha256_of(*parts):
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode()
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


def check_writable(path):
    """Before the work, whether write_whole will do."""
    if pathlib.Path(path).is_dir():
        raise bad_input(f"{path} is a folder: give a file")
    folder = pathlib.Path(path).parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise bad_input(f"{path}: {folder} is no folder to write in")


def write_whole(path, text):
    """Beside its place first."""
    part = pathlib.Path(f"{path}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise bad_input(f"{path}: {error.strerror}") from None


class Results:
    """A folder with a folder for each finished run, named after what the run depends on."""

    def __init__(self, folder, fresh):
        self.folder = pathlib.Path(folder)
        self.fresh = fresh
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise bad_input(f"{folder}: {error.strerror}") from None

    def get(self, depends_on, make):
        """(folder, record) of the run that depends_on, a JSON value, describes. make(folder) runs it in
        an empty folder and returns the record; only a whole run gets its name."""
        key = sha256_of(json.dumps(depends_on, sort_keys=True))[:32]
        whole = self.folder / key
        if self.fresh and whole.exists():
            shutil.rmtree(whole)
        if not whole.exists():
            part = self.folder / f"{key}.{os.getpid()}"
            part.mkdir()
            try:
                record = make(part)
            except AreaError as error:  # its logs stay, in a folder that the next failure replaces
                failed = self.folder / "failed"
                shutil.rmtree(failed, ignore_errors=True)
                part.rename(failed)
                raise AreaError(error.exit_code, str(error).replace(str(part), str(failed))) from None
            except BaseException:
                shutil.rmtree(part)
                raise
            (part / "depends_on.json").write_text(json.dumps(depends_on, indent=1, sort_keys=True))
            (part / "record.json").write_text(json.dumps(record, indent=1))
            try:
                part.rename(whole)
            except OSError:  # another process was quicker
                shutil.rmtree(part)
        return whole, json.loads((whole / "record.json").read_text())
