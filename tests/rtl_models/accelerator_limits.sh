#!/usr/bin/env bash
# The accelerator elaborates with ROWS, COLS and DEPTH that its memory map has room for, and with no others.
#   accelerator_limits.sh SOURCE…
set -euo pipefail
# elaborates ROWS COLS DEPTH SOURCE…: for one small format, which is enough and quick
elaborates() {
  local rows=$1 cols=$2 depth=$3
  shift 3
  yosys -q -p "read_verilog -sv $*; hierarchy -check -top mx_accelerator -chparam ROWS $rows -chparam COLS $cols \
    -chparam DEPTH $depth -chparam A_FORMATS 7'b1 -chparam B_FORMATS 7'b1" >/dev/null 2>error || return 1
}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for shape in "1 1 1" "2 2 64" "32 2 1" "2 32 1"; do
  elaborates $shape "$@" || { echo "ROWS COLS DEPTH $shape does not elaborate: $(cat error)"; exit 1; }
done
for shape in "0 2 2" "33 2 2" "2 0 2" "2 33 2" "2 2 0" "2 2 65"; do
  ! elaborates $shape "$@" || { echo "ROWS COLS DEPTH $shape elaborates"; exit 1; }
  grep -q 'fatal' error || { echo "ROWS COLS DEPTH $shape fails for another reason: $(cat error)"; exit 1; }
done
