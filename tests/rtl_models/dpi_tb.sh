#!/bin/bash
# The SystemVerilog scoreboard over the definition by DPI-C, around the RTL in Verilator: no tile of random seeds
# differs, and each of the RTL's planted faults that such tiles can show is caught.
#   dpi_tb.sh SOURCE_DIR WORK_DIR DPI_LIBRARY RTL_SOURCES…
set -euo pipefail
source=$1 work=$2 library=$3
shift 3
rm -rf "$work"
mkdir -p "$work"
cd "$work"
verilator --binary --timing -Wall -j 2 --top-module mx_dpi_tb --Mdir verilated -o bench \
  -LDFLAGS "$library -Wl,-rpath,$(dirname "$library")" "$@" \
  "$source"/rtl_models/dpi/{mxref_dpi_pkg,mx_scoreboard,mx_dpi_tb}.sv > verilator.log 2>&1 || { cat verilator.log; exit 1; }

for seed in 1 2 3; do
  verilated/bench +tiles=400 "+verilator+seed+$seed" > bench.log 2>&1 || { cat bench.log; exit 1; }
  grep '^PASS [1-9][0-9]* compared' bench.log || { cat bench.log; exit 1; }
done

# "    Fault{"NAME", …": a fault's number is its place. Those below show in any such run; of the others some need
# operands that are rarer.
mapfile -t faults < <(sed -n 's|^ *Fault{"\([a-z0-9_]*\)".*|\1|p' "$source/rtl_models/rtl/faults.h")
always=(decode_subnormal sign_both_negative sum_last_lane scale_code_zero nan_payload tie_away acc_not_restarted
  valid_withdrawn format_kept columns_swapped row_repeated)
caught=()
for number in $(seq ${#faults[@]}); do
  # $fatal aborts: the shell's word about it goes where nobody reads it.
  if { verilated/bench +tiles=400 "+fault=$number" +verilator+seed+1 > bench.log 2>&1; } 2> /dev/null; then
    echo "${faults[number - 1]}: not seen by these tiles"
  else
    grep -q 'expected\|comes\|came out\|takes no beat\|nobody' bench.log || { cat bench.log; exit 1; }
    caught+=("${faults[number - 1]}")
    echo "${faults[number - 1]}: caught: $(grep -m 1 'expected\|Error' bench.log)"
  fi
done
echo "${#caught[@]} of ${#faults[@]} planted faults caught"
for name in "${always[@]}"; do
  [[ " ${caught[*]} " == *" $name "* ]] || { echo "$name was not caught"; exit 1; }
done
