#!/bin/bash
# Installs the component `emu` to a prefix of its own, moves that, and builds and runs a program in C and one in C++
# against it, found by CMake and by pkg-config. A version that is not there must not be found.
#   installed.sh SOURCE_DIR BUILD_DIR WORK_DIR VERSION CC CXX
set -euo pipefail
source=$1 build=$2 work=$3 version=$4 cc=$5 cxx=$6
rm -rf "$work"
mkdir -p "$work"
cd "$work"
cmake --install "$build" --component emu --prefix "$work/first" > install.log
mv first prefix
headers=prefix/include/mxref
(cd "$headers" && find emu -name '*.h' | sort | sed 's|.*|#include "&"|') > all_headers.h
[ "$(wc -l < all_headers.h)" -gt 20 ] || { echo "too few headers"; cat all_headers.h; exit 1; }

# run PROGRAM: it must run, with the installed library.
run() {
  local libraries_of_it
  libraries_of_it=$(ldd "$1")
  [[ $libraries_of_it == *"$work/prefix/"*libmxref_emu.so* ]] ||
    { echo "$1 runs another library: $libraries_of_it"; exit 1; }
  "$1"
}

configure() {
  cmake -S "$source/tests/packages/consumer" -B consumer -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" \
    -DCMAKE_C_COMPILER="$cc" -DCMAKE_CXX_COMPILER="$cxx" -DC_SOURCE="$source/tests/emu/capi_program.c" \
    -DCMAKE_CXX_FLAGS="-I$work" -DWANTED="$1" > configure.log 2>&1
}
! configure 99.0 || { echo "find_package(mxref 99.0) succeeded"; exit 1; }
grep -q 'version: '"$version" configure.log || { cat configure.log; exit 1; }
configure "$version" || { cat configure.log; exit 1; }
cmake --build consumer > build.log 2>&1 || { cat build.log; exit 1; }
run consumer/consumer_c
run consumer/consumer_cxx

export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$(find prefix -name mxref.pc)")
pkg-config --exact-version="$version" mxref
! pkg-config --atleast-version=99 mxref || { echo "pkg-config has mxref 99"; exit 1; }
read -ra flags <<< "$(pkg-config --cflags mxref)"
read -ra libraries <<< "$(pkg-config --libs mxref) -Wl,-rpath,$work/$(dirname "$PKG_CONFIG_PATH")"
"$cc" -std=c11 "${flags[@]}" "$source/tests/emu/capi_program.c" -o by_pkg_config_c "${libraries[@]}"
"$cxx" -std=c++20 -I. "${flags[@]}" "$source/tests/packages/consumer/consumer.cc" -o by_pkg_config_cxx "${libraries[@]}"
run ./by_pkg_config_c
run ./by_pkg_config_cxx
