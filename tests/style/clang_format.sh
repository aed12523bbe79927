#!/bin/sh
# clang_format.sh CLANG_FORMAT FOLDER…: every C++ source in the folders has the form of .clang-format.
set -eu
clang_format=$1
shift
sources=$(find "$@" -name '*.cc' -o -name '*.h' -o -name '*.inc')
[ -n "$sources" ] || { echo "no sources in $*"; exit 1; }
echo "$sources" | tr '\n' '\0' | xargs -0 "$clang_format" --dry-run -Werror
