#!/usr/bin/env bash
# The installed package: cmake --install into a scratch prefix, then a project elsewhere that says find_package(cairn) builds the
# example of README.md and runs it. The README shows the very text that is built.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
build="${CAIRN_BUILD:-$root/build}"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

sed -n '/<!-- example: begin -->/,/<!-- example: end -->/p' "$root/README.md" | sed -n '/^```cpp$/,/^```$/p' | sed '1d;$d' >"$scratch/shown.cc"
if ! diff -u "$root/tests/example/embedded_example.cc" "$scratch/shown.cc"; then
  echo "README.md does not show tests/example/embedded_example.cc between its example marks" >&2
  exit 1
fi

cmake --install "$build" --prefix "$scratch/prefix" >"$scratch/install.log"
for file in bin/cairn-server bin/cairn-dump bin/cairn-restore include/cairn/engine/store.h; do
  [[ -e "$scratch/prefix/$file" ]] || { echo "not installed: $file" >&2; exit 1; }
done

mkdir "$scratch/user"
cp "$scratch/shown.cc" "$scratch/user/main.cc"
cat >"$scratch/user/CMakeLists.txt" <<'PROJECT'
cmake_minimum_required(VERSION 3.24)
project(user CXX)
find_package(cairn REQUIRED)
add_executable(user main.cc)
target_link_libraries(user cairn::cairn)
PROJECT
cmake -S "$scratch/user" -B "$scratch/user/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$scratch/prefix" \
      -DCMAKE_CXX_COMPILER="${CAIRN_CXX:-clang++}" >"$scratch/configure.log" 2>&1 || { cat "$scratch/configure.log"; exit 1; }
cmake --build "$scratch/user/build"
output="$("$scratch/user/build/user" "$scratch/data")"
echo "$output"
grep -q 'hello, 1000 visits' <<<"$output"
