#!/bin/bash
# Golden vectors of every format with itself and with the next one, every corner case and pairs of codes among them,
# against the RTL, by the SystemVerilog bench in Verilator; of two formats in Icarus too; a vector with one wrong bit, a
# file that is short or missing, and a format that does not exist must fail in both, each in its own words; an x in the
# file, and an array that does not answer, in Icarus, for Verilator has two states. Then other datapaths, in Icarus:
# every kind with subnormals flushed to zero, presets of tensor cores.
#   vectors_tb.sh MXREF SOURCE_DIR WORK_DIR RTL_SOURCES…
set -euo pipefail
mxref=$1 source=$2 work=$3
shift 3
bench=$source/rtl_models/cosim/mx_vectors_tb.sv
count=500
rm -rf "$work"
mkdir -p "$work"
cd "$work"
# Icarus 11 says of each constant select in always_comb that it watches all bits: no fault.
iverilog -g2012 -s mx_vectors_tb -o icarus "$@" "$bench" 2>&1 | grep -v 'sorry: constant selects' || true
verilator --binary --timing -Wall -j 2 --top-module mx_vectors_tb --Mdir verilated -o bench "$@" "$bench" \
  > verilator.log 2>&1 || { cat verilator.log; exit 1; }

# run SIMULATOR FILE FORMAT_A FORMAT_B: succeeds where the bench says that all vectors passed.
run() {
  local plusargs=("+vectors=$2" "+count=$count" "+format_a=$3" "+format_b=$4")
  case $1 in
    icarus) vvp icarus "${plusargs[@]}" ;;
    verilator) verilated/bench "${plusargs[@]}" ;;
  esac > bench.log 2>&1 || true
  grep -q "^PASS $count vectors" bench.log
}
# fails WORDS, then as run: succeeds where the bench fails, and for this reason.
fails() {
  local words=$1
  shift
  if run "$@" || ! grep -qF -- "$words" bench.log; then
    echo "$*: expected '$words':"
    head -5 bench.log
    return 1
  fi
}

# "//   ROW  NAME (element)" in the package
mapfile -t formats < <(sed -n 's|^ *//  *\([0-9][0-9]*\)  *\([a-z0-9_]*\) (.*|\1 \2|p' "$source/rtl_models/rtl/mx_pkg.sv")
[ "${#formats[@]}" -ge 2 ] || { echo "no formats found in mx_pkg.sv"; exit 1; }
for i in "${!formats[@]}"; do
  a=${formats[i]}
  for b in "$a" "${formats[(i + 1) % ${#formats[@]}]}"; do
    # nvfp4 meets itself alone.
    [ "$a" = "$b" ] || [[ "$a $b" != *nvfp4* ]] || continue
    simulators=(verilator)
    [[ "${a#* }" != mxfp4 && "${a#* }" != mxfp8_e5m2 ]] || simulators=(icarus verilator)
    "$mxref" vectors --format "${a#* }" --format-b "${b#* }" --kind random --count $count --seed 1 --as memh \
      --out vectors > /dev/null
    # The lowest digit of the last vector's acc_out, other than it is.
    sed '$ { s/[0-7]$/X/; s/[89a-f]$/0/; s/X$/8/ }' vectors/vectors.memh > wrong.memh
    head -n -1 vectors/vectors.memh > short.memh
    sed '$ s/.$/x/' vectors/vectors.memh > unknown.memh
    for simulator in "${simulators[@]}"; do
      run $simulator vectors/vectors.memh "${a% *}" "${b% *}" ||
        { echo "${a#* } × ${b#* } in $simulator:"; head -5 bench.log; exit 1; }
      fails "1 of $count vectors failed" "$simulator" wrong.memh "${a% *}" "${b% *}"
      fails "the file has no vector $((count - 1))," "$simulator" short.memh "${a% *}" "${b% *}"
      fails "the file has no vector 0," "$simulator" missing.memh "${a% *}" "${b% *}"
      [ "$simulator" = verilator ] || fails "1 of $count vectors failed" icarus unknown.memh "${a% *}" "${b% *}"
      fails "rows 0..$((${#formats[@]} - 1))" "$simulator" vectors/vectors.memh ${#formats[@]} "${b% *}"
      echo "${a#* } × ${b#* } in $simulator: $count vectors pass, a wrong one is caught"
    done
    # Every corner case of the arithmetic, and every pair of codes and of scales.
    for kind in directed exhaustive; do
      "$mxref" vectors --format "${a#* }" --format-b "${b#* }" --kind $kind --as memh --out $kind > /dev/null
      all=$(grep -vc '^//' $kind/vectors.memh)
      count=$all run verilator $kind/vectors.memh "${a% *}" "${b% *}" ||
        { echo "${a#* } × ${b#* }, $kind:"; head -5 bench.log; exit 1; }
      echo "${a#* } × ${b#* } in verilator: $all $kind vectors pass"
    done
  done
done

# An array that gives no result, and one whose in_ready_o nobody drives.
array=$source/rtl_models/rtl/mx_mac_array.sv
sed "s/assign out_valid_o .*/assign out_valid_o = 1'b0;/" "$array" > out_valid_o.sv
sed "s/\.ready_o(in_ready_o)/.ready_o()/" "$array" > in_ready_o.sv
for pin in out_valid_o in_ready_o; do
  iverilog -g2012 -s mx_vectors_tb -o icarus "${@/#*\/mx_mac_array.sv/$pin.sv}" "$bench" 2>&1 |
    grep -v 'sorry: constant selects' || true
  fails "vector 0: the array's $pin is not 1" icarus vectors/vectors.memh 0 0
done
echo "arrays that do not answer are given up"

# A preset's name or a description → its parameters of the RTL, as Icarus takes them.
"$mxref" formats --datapaths --json datapaths.json > /dev/null
parameters() {
  python3 - "$1" "$source/rtl_models/rtl/mx_pkg.sv" <<'END'
import json, re, sys
given, package = sys.argv[1], open(sys.argv[2]).read()
presets = {row["datapath"]: row for row in json.load(open("datapaths.json"))["results"]}
row = json.loads(given) if given.startswith("{") else presets[given]
constant = lambda name: int(re.search(rf"localparam int {name} = (\d+);", package)[1])
values = {"DATAPATH": constant("Aligned" if "terms" in row else row["kind"].capitalize()), "FTZ": int(row.get("ftz", 0))}
if "terms" in row:
    values |= {"TERMS": row["terms"], "GROUP": row["group"], "FRACTION_BITS": row["fraction_bits"],
               "E_ZERO": row["e_zero"], "ROUNDING": constant(row["output"].capitalize())}
print(*(f"-Pmx_vectors_tb.{name}={value}" for name, value in values.items()))
END
}
for datapath in '{"kind":"fused","ftz":true}' '{"kind":"blockwise","ftz":true}' '{"kind":"sequential","ftz":true}' \
    '{"kind":"exact","ftz":true}' hopper_fp8 ada_fp8 tensorcore_mxf4 tensorcore_nvfp4 \
    '{"kind":"aligned","terms":16,"group":4,"fraction_bits":9,"e_zero":-130,"output":"rne","ftz":true}'; do
  # shellcheck disable=SC2046
  iverilog -g2012 -s mx_vectors_tb -o icarus $(parameters "$datapath") "$@" "$bench" 2>&1 |
    grep -v 'sorry: constant selects' || true
  f=${formats[0]}
  case $datapath in
    *fp8) f=$(printf '%s\n' "${formats[@]}" | grep mxfp8_e4m3) ;;
    *nvfp4) f=$(printf '%s\n' "${formats[@]}" | grep nvfp4) ;;
  esac
  "$mxref" vectors --format "${f#* }" --datapath "$datapath" --kind directed --count 600 --as memh --out other > /dev/null
  all=$(grep -vc '^//' other/vectors.memh)
  count=$all run icarus other/vectors.memh "${f% *}" "${f% *}" ||
    { echo "${f#* } on $datapath:"; head -5 bench.log; exit 1; }
  sed '$ { s/[0-7]$/X/; s/[89a-f]$/0/; s/X$/8/ }' other/vectors.memh > wrong.memh
  count=$all fails "1 of $all vectors failed" icarus wrong.memh "${f% *}" "${f% *}"
  echo "${f#* } on $datapath in icarus: $all directed vectors pass, a wrong one is caught"
done
