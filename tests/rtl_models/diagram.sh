#!/usr/bin/env bash
# The block diagrams show what is in the sources; those of a design with one register passed by do not.
#   diagram.sh SOURCE_DIR WORK_DIR
set -euo pipefail
source=$1 work=$2
rm -rf "$work"
mkdir -p "$work"
"$source/rtl_models/diagram.py" --check
cp -r "$source/rtl_models/rtl" "$work/rtl"
sed -i 's/\.sum_i  *(sum_q)/.sum_i (sum)/' "$work/rtl/mx_pe_block.sv"
! "$source/rtl_models/diagram.py" --check --rtl "$work/rtl" > "$work/said" 2>&1 || { echo "a changed design has the same picture"; exit 1; }
grep 'is not in the picture: .*u_block_sum->.*u_term' "$work/said" || { cat "$work/said"; exit 1; }
