#!/bin/bash
# compare.sh SAME_BITS_OF_ONE_BUILD SAME_BITS_OF_ANOTHER WORK_DIR: both print the same digests, and not where a bit of one
# result is planted.
set -euo pipefail
one=$1 other=$2 work=$3
[ -x "$one" ] || { echo "skipped: $one is not built; ./check builds both"; exit 0; }
"$one" --short > "$work/one.txt"
"$other" --short > "$work/other.txt"
cmp "$work/one.txt" "$work/other.txt"
grep -h '^skipped: ' "$work/one.txt" || true
echo "$(grep -c results "$work/one.txt") digests are equal"
! "$one" --short --plant > "$work/planted.txt" || { echo "control: the planted bit is not seen"; exit 1; }
[ "$(diff "$work/one.txt" "$work/planted.txt" | grep -c '^[<>].*results')" = 2 ] ||
  { echo "control: the planted bit changes no digest, or more than one"; exit 1; }
echo "control: one planted bit changes one digest"
