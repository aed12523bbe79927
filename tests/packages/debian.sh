#!/bin/bash
# Makes the Debian package and runs what it holds from a folder: the program, and its library by the program's own path.
#   debian.sh BUILD_DIR WORK_DIR VERSION
set -euo pipefail
build=$1 work=$2 version=$3
rm -rf "$work"
mkdir -p "$work"
cd "$work"
cpack --config "$build/CPackConfig.cmake" -B "$work" > cpack.log 2>&1 || { cat cpack.log; exit 1; }
package=$(ls mxref_*.deb)
[ "$(dpkg-deb -f "$package" Version)" = "$version" ]
depends=$(dpkg-deb -f "$package" Depends)
echo "$package depends on $depends"
for library in libc6 libstdc++6 libgomp1; do
  [[ $depends == *"$library "* ]] || { echo "it does not depend on $library"; exit 1; }
done
[[ $depends != *mxref* ]] || { echo "it depends on itself"; exit 1; }
dpkg-deb -x "$package" root
for name in root/usr/bin/mxref root/usr/lib/libmxref_*.so; do
  libraries=$(ldd "$name")
  [[ $libraries != *"not found"* && $libraries != *"$build/lib/"* ]] || { echo "$name: $libraries"; exit 1; }
done
root/usr/bin/mxref --version
root/usr/bin/mxref crosscheck --impl kernel --format mxfp4 --datapath fused
# The scripts and the RTL that another one runs on.
root/usr/bin/mxref area --help > area.txt
grep -q -- --liberty area.txt
[ -e root/usr/share/mxref/rtl_models/rtl/mx_pe.sv ] && [ -e root/usr/share/mxref/rtl_models/accelerator/mx_job.sv ] && [ -e root/usr/share/mxref/rtl_models/synth/fronts.json ]
root/usr/bin/mxref array --out array --rows 1 --cols 1 --format mxfp4
root/usr/bin/mxref cosim --array array/array.so --blocks 1000
# What needs torch is loaded from beside it.
if [ -e root/usr/lib/libmxref_models.so ]; then
  root/usr/bin/mxref eval --help > eval.txt
  grep -q -- --recipe eval.txt
fi
