#!/bin/sh
# Builds explorer.js from src/, whole or not at all; needs Node, and takes exactly these two tools from npm.
set -eu
cd "$(dirname "$0")/src"
trap 'rm -f conv.wasm' EXIT
npx --yes --package assemblyscript@0.28.20 asc conv.ts -O3 --enable simd --runtime stub --importMemory --noAssert -o conv.wasm
npx --yes esbuild@0.28.2 main.js --bundle --minify --charset=utf8 --loader:.wasm=binary --loader:.css=text \
  --format=iife --global-name=fslvizExplorer --target=es2022 --outfile="${1:-../explorer.js}" --log-level=warning
