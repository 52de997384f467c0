#!/bin/sh
# Builds explorer.js, lab.js (the lab's worker) and door.js from src/, whole or not at all; "lint" checks the source instead
# (floors.mjs: who may import whom), "format" writes it in its format, and "test" runs the tests of its parts that need no
# page.
# Needs Node, and takes exactly these four tools from npm.
set -eu
cd "$(dirname "$0")"
if [ "${1:-}" = format ]; then
  exec npx --yes --package @biomejs/biome@2.6.8 biome check --write src tests floors.mjs
fi
if [ "${1:-}" = lint ]; then
  node floors.mjs
  npx --yes --package @biomejs/biome@2.6.8 biome ci src tests floors.mjs
  exec npx --yes --package typescript@7.0.2 tsc
fi
made='src/embedding/conv.wasm src/training/kernel.wasm src/training/relaxed.wasm src/common/style.min.css src/figures/door.min.css'
trap 'rm -f $made' EXIT
assemble() {
  npx --yes --package assemblyscript@0.28.20 asc "$@" -O3 --enable simd --runtime stub --importMemory --noAssert
}
bundle() {
  npx --yes esbuild@0.28.2 "$@" --bundle --minify --charset=utf8 --loader:.wasm=binary --loader:.css=text \
    --format=iife --target=es2022 --log-level=warning
}
assemble src/embedding/conv.ts -o src/embedding/conv.wasm
assemble src/training/kernel.ts -o src/training/kernel.wasm
assemble src/training/kernel.ts --enable relaxed-simd -o src/training/relaxed.wasm
if [ "${1:-}" = test ]; then
  built=$(mktemp -d)
  trap 'rm -rf $made "$built"' EXIT
  npx --yes esbuild@0.28.2 tests/*.test.ts --bundle --platform=node --target=node20 --loader:.wasm=binary \
    --outdir="$built" --log-level=warning
  node --test "$built"/*.js
  exit
fi
npx --yes esbuild@0.28.2 src/common/style.css src/figures/door.css --minify --outdir=src --outbase=src \
  --out-extension:.css=.min.css --log-level=warning
bundle src/main.ts --global-name=fslvizExplorer --outfile="${1:-.}/explorer.js"
bundle src/training/worker.ts --outfile="${1:-.}/lab.js"
bundle src/figures/door.ts --global-name=fslvizDoor --outfile="${1:-.}/door.js"
