#!/bin/sh
# Builds explorer.js from src/, whole or not at all; "lint" checks the source instead. Needs Node, and takes exactly
# these four tools from npm.
set -eu
cd "$(dirname "$0")"
if [ "${1:-}" = lint ]; then
  npx --yes --package @biomejs/biome@2.6.8 biome ci src
  exec npx --yes --package typescript@7.0.2 tsc
fi
trap 'rm -f src/conv.wasm' EXIT
npx --yes --package assemblyscript@0.28.20 asc src/conv.ts -O3 --enable simd --runtime stub --importMemory --noAssert -o src/conv.wasm
npx --yes esbuild@0.28.2 src/main.ts --bundle --minify --charset=utf8 --loader:.wasm=binary --loader:.css=text \
  --format=iife --global-name=fslvizExplorer --target=es2022 --outfile="${1:-explorer.js}" --log-level=warning
