#!/bin/sh
# Builds explorer.js and lab.js (the lab's worker) from src/, whole or not at all; "lint" checks the source instead,
# "format" writes it in its format, and "test" runs the tests of its parts that need no page.
# Needs Node, and takes exactly these four tools from npm.
set -eu
cd "$(dirname "$0")"
if [ "${1:-}" = format ]; then
  exec npx --yes --package @biomejs/biome@2.6.8 biome check --write src tests
fi
if [ "${1:-}" = lint ]; then
  npx --yes --package @biomejs/biome@2.6.8 biome ci src tests
  exec npx --yes --package typescript@7.0.2 tsc
fi
trap 'rm -f src/conv.wasm src/lab/kernel.wasm src/lab/relaxed.wasm' EXIT
assemble() {
  npx --yes --package assemblyscript@0.28.20 asc "$@" -O3 --enable simd --runtime stub --importMemory --noAssert
}
bundle() {
  npx --yes esbuild@0.28.2 "$@" --bundle --minify --charset=utf8 --loader:.wasm=binary --loader:.css=text \
    --format=iife --target=es2022 --log-level=warning
}
assemble src/conv.ts -o src/conv.wasm
assemble src/lab/kernel.ts -o src/lab/kernel.wasm
assemble src/lab/kernel.ts --enable relaxed-simd -o src/lab/relaxed.wasm
if [ "${1:-}" = test ]; then
  built=$(mktemp -d)
  trap 'rm -rf src/conv.wasm src/lab/kernel.wasm src/lab/relaxed.wasm "$built"' EXIT
  npx --yes esbuild@0.28.2 tests/*.test.ts --bundle --platform=node --target=node20 --loader:.wasm=binary \
    --outdir="$built" --log-level=warning
  node --test "$built"/*.js
  exit
fi
bundle src/main.ts --global-name=fslvizExplorer --outfile="${1:-.}/explorer.js"
bundle src/lab/worker.ts --outfile="${1:-.}/lab.js"
