#!/bin/sh
# run.sh BUILD TARGET SECONDS: runs a fuzz target; its corpus grows in BUILD/corpus/TARGET, an input that is a finding is
# kept in BUILD/findings/TARGET. Prints "executed N", and "finding: …" where there is one: then it ends with 1.
set -eu
build=$1 target=$2 seconds=$3
[ -x "$build/bin/fuzz_$target" ] || { echo "no $build/bin/fuzz_$target; build it by: cmake --build --preset sanitize --target fuzz_targets" >&2; exit 3; }
corpus=$build/corpus/$target seeds=$build/seeds findings=$build/findings/$target
mkdir -p "$corpus" "$findings"
# The seeds of every target are written by the first run of these sources.
if [ ! -d "$seeds" ] || [ "$build/bin/fuzz_seeds" -nt "$seeds" ]; then
  part=$(mktemp -d "$build/seeds-XXXXXX")
  "$build/bin/fuzz_seeds" "$part"
  rm -rf "$seeds"
  mv -T "$part" "$seeds" 2>/dev/null || rm -rf "$part"  # another run was first
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
set +e
UBSAN_OPTIONS=print_stacktrace=1 "$build/bin/fuzz_$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
  -max_len=16384 -use_value_profile=1 -print_final_stats=1 -dict="$(dirname "$0")/words.dict" -artifact_prefix="$findings/" \
  "$corpus" "$seeds/$target" >"$log" 2>&1
code=$?
set -e
executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
echo "executed ${executed:-0}"
if [ $code -ne 0 ]; then
  echo "finding: fuzz_$target ended with $code; $(grep -m1 -E 'SUMMARY|ERROR|runtime error' "$log" || true) $(grep -m1 'Test unit written' "$log" || true)"
  tail -n 60 "$log" >&2
  exit 1
fi
