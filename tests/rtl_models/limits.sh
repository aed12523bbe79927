#!/usr/bin/env bash
# The accelerator elaborates with ROWS, COLS and DEPTH that its memory map has room for, the array with parameters of
# ARITHMETIC §4 and formats that meet, quantizer and dequantizer with a format, the scaling unit with sums whose exponents
# fit, and none with others.
#   limits.sh SOURCE…
set -euo pipefail
# elaborates TOP "NAME VALUE…" SOURCE…
elaborates() {
  local top=$1 words=($2) i changes=""
  shift 2
  for ((i = 0; i < ${#words[@]}; i += 2)); do changes+=" -chparam ${words[i]} ${words[i + 1]}"; done
  yosys -q -p "read_verilog -sv $*; hierarchy -check -top $top $changes" >/dev/null 2>error
}
must() {
  local top=$1 parameters=$2
  elaborates "$@" || { echo "$top does not elaborate with $parameters: $(cat error)"; exit 1; }
}
must_not() {
  local top=$1 parameters=$2
  ! elaborates "$@" || { echo "$top elaborates with $parameters"; exit 1; }
  grep -q 'fatal' error || { echo "$top fails with $parameters for another reason: $(cat error)"; exit 1; }
}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
small="A_FORMATS 7'b1 B_FORMATS 7'b1"  # quick
for shape in "1 1 1" "2 2 64" "32 2 1" "2 32 1"; do
  read -r rows cols depth <<<"$shape"
  must mx_accelerator "$small ROWS $rows COLS $cols DEPTH $depth" "$@"
done
for shape in "0 2 2" "33 2 2" "2 0 2" "2 33 2" "2 2 0" "2 2 65"; do
  read -r rows cols depth <<<"$shape"
  must_not mx_accelerator "$small ROWS $rows COLS $cols DEPTH $depth" "$@"
done
array="$small ROWS 1 COLS 1 DATAPATH"
for parameters in 0 3 "4 TERMS 8 GROUP 4" "4 TERMS 64 GROUP 16 FRACTION_BITS 44 E_ZERO 1024 ROUNDING 2" \
  "0 A_FORMATS 7'b1000000 B_FORMATS 7'b1000000" "0 A_FORMATS 7'b0000001 B_FORMATS 7'b1000001"; do
  must mx_mac_array "$array $parameters" "$@"
done
for parameters in 5 "4 TERMS 24" "4 TERMS 48" "4 TERMS 2048" "4 FRACTION_BITS 45" "4 E_ZERO 1025" "4 ROUNDING 3" \
  "0 A_FORMATS 7'b0000001 B_FORMATS 7'b1000000" "0 A_FORMATS 7'b1000001 B_FORMATS 7'b0000001"; do
  must_not mx_mac_array "$array $parameters" "$@"
done
for unit in mx_quantize mx_dequantize; do
  must $unit "" "$@"
  must_not $unit "FORMATS 7'b0" "$@"
done
for parameters in "SUM_BITS 2" "SUM_BITS 128" "ROUNDING 0"; do must e8m0_scaling_unit "$parameters" "$@"; done
for parameters in "SUM_BITS 1" "SUM_BITS 129" "ROUNDING 3"; do must_not e8m0_scaling_unit "$parameters" "$@"; done
