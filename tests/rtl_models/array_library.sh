#!/usr/bin/env bash
# `mxref array`: an array of parameters of its own agrees with the definition, in lock-step and as an engine; one with a
# module of one's own does not, and is told from it at once.
#   array_library.sh MXREF SOURCE_DIR WORK_DIR
set -euo pipefail
mxref=$1 source=$2 work=$3
rm -rf "$work"
mkdir -p "$work"
cd "$work"

fail() { echo "array_library.sh: $*" >&2; exit 1; }
# expect RC TEXT COMMAND...: its exit status, and a text in what it prints.
expect() {
  local rc=$1 text=$2 status=0
  shift 2
  "$@" > said 2>&1 || status=$?
  [ "$status" = "$rc" ] || { cat said; fail "$* ended with $status, expected $rc"; }
  grep -qF -- "$text" said || { cat said; fail "$* did not say '$text'"; }
}

aligned='{"kind":"aligned","terms":16,"group":4,"fraction_bits":9,"e_zero":-130,"output":"rne"}'
"$mxref" array --out right --rows 1 --cols 2 --format mxfp4,mxfp6_e2m3 --datapath "$aligned"
expect 0 " 0 mismatches, 0 assertions failed" "$mxref" cosim --array right/array.so --blocks 20000
expect 0 " results compared, 0 mismatches" \
  "$mxref" crosscheck --impl plugin:right/array.so --format mxfp4 --format-b mxfp6_e2m3 --datapath "$aligned"
expect 2 "has no mxint8 on that side" "$mxref" cosim --array right/array.so --format mxint8
expect 2 "--array has its own rows" "$mxref" cosim --array right/array.so --rows 2

# Steps of several blocks, chopped to 13 bits, subnormals flushed to zero.
several='{"kind":"aligned","terms":64,"group":16,"fraction_bits":35,"e_zero":-139,"output":"rz13","ftz":true}'
"$mxref" array --out several --rows 1 --cols 1 --format mxfp8_e5m2 --datapath "$several"
expect 0 " 0 mismatches, 0 assertions failed" "$mxref" cosim --array several/array.so --blocks 20000

example=$source/rtl_models/array/example/fp32_accumulate.sv
"$mxref" array --out different --rows 1 --cols 1 --format mxfp8_e4m3 --rtl "$example"
expect 1 "expected 0x" "$mxref" cosim --array different/array.so --blocks 20000
[ -s mxref-cosim.fst ] || fail "no waves"
expect 1 "repeat: mxref crosscheck" \
  "$mxref" crosscheck --impl plugin:different/array.so --format mxfp8_e4m3 --datapath fused

expect 2 "no format of b meets mxfp4" "$mxref" array --out none --format mxfp4 --format-b nvfp4
expect 2 "12 terms: the RTL takes what divides 32" "$mxref" array --out none --format mxfp4 --datapath "${aligned/16/12}"
expect 3 "is no file" "$mxref" array --out none --format mxfp4 --rtl none.sv
mkdir other
echo 'module mx_pe; endmodule' | tee mx_pe.sv 'mx;pe.sv' > other/mx_pe.sv
expect 2 "make takes no path with spaces or ';'" "$mxref" array --out 'none;b' --format mxfp4
expect 2 "make takes no path with spaces or ';'" "$mxref" array --out none --format mxfp4 --rtl 'mx;pe.sv'
expect 2 "/mx_pe.sv' has the same name" "$mxref" array --out none --format mxfp4 --rtl mx_pe.sv --rtl other/mx_pe.sv
if [ -e none ] || [ -e 'none;b' ]; then fail "a folder was made for an array that is refused"; fi
mkdir none
touch none/array.so
expect 3 "the array was not built" "$mxref" array --out none --format mxfp4 --rtl mx_pe.sv
[ ! -e none/array.so ] || fail "a library of before is left where the array was not built"
expect 3 "is no array" "$mxref" cosim --array "$(dirname "$mxref")/../lib/libmxref_emu.so"
expect 3 "cannot be loaded" "$mxref" cosim --array said
