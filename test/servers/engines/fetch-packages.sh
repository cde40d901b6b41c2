#!/usr/bin/env bash
# Installs the packages that run models in process into .engines/ and prints their folder: node-llama-cpp, onnxruntime-node and
# onnxruntime-web. Lean: without the optional packages for GPUs and other platforms (85 MB instead of 745), and without install
# scripts, which would fetch CUDA.
source "$(dirname "$0")/common.sh"
need node npm
platform="$(node -p '(process.platform === "darwin" ? "mac" : process.platform) + "-" + (process.platform === "darwin" && process.arch === "arm64" ? "arm64-metal" : process.arch)')"
once packages-1

mkdir packages
cd packages
echo '{ "private": true, "license": "UNLICENSED" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --omit=optional \
  node-llama-cpp@3.22.1 "@node-llama-cpp/$platform@3.22.1" onnxruntime-node@1.30.0 onnxruntime-web@1.30.0 >&2
cd ..
finish packages
