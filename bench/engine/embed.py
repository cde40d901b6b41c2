"""Embeds passages with MiniLM (int8, ONNX), one thread: python embed.py MODEL TOKENIZER PASSAGES.jsonl OUT_FOLDER FIRST LAST

Writes parts of 10,000 normalised float32 vectors as OUT_FOLDER/N.f32, in the order of the passages; a part that is there is kept, so an
interrupted run goes on where it was. A passage is cut after 64 tokens.
"""
import json
import os
import sys

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

PART = 10_000
BATCH = 16


def main(model, tokenizer_file, passages_file, out, first, last):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(tokenizer_file)
    tokenizer.enable_truncation(64)
    tokenizer.no_padding()
    with open(passages_file, encoding="utf-8") as lines:
        passages = [json.loads(line) for line in lines]
    for part in range(first // PART, -(-min(last, len(passages)) // PART)):
        path = os.path.join(out, f"{part}.f32")
        if os.path.exists(path):
            continue
        vectors = embed(session, tokenizer, passages[part * PART : (part + 1) * PART])
        vectors.tofile(path + ".new")
        os.rename(path + ".new", path)
        print(f"embedded {min((part + 1) * PART, len(passages))} passages", flush=True)


def embed(session, tokenizer, texts):
    """Mean of the last hidden states over the tokens, then length 1. Texts of like length go together, so little is padded."""
    encodings = tokenizer.encode_batch(texts)
    order = sorted(range(len(texts)), key=lambda index: len(encodings[index].ids))
    vectors = np.empty((len(texts), 384), dtype=np.float32)
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        width = max(len(encodings[row].ids) for row in rows)
        ids = np.zeros((len(rows), width), dtype=np.int64)
        mask = np.zeros((len(rows), width), dtype=np.int64)
        for at, row in enumerate(rows):
            tokens = encodings[row].ids
            ids[at, : len(tokens)] = tokens
            mask[at, : len(tokens)] = 1
        hidden = session.run(None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)})[0]
        mean = (hidden * mask[:, :, None]).sum(axis=1)
        vectors[rows] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    return vectors


if __name__ == "__main__":
    main(*sys.argv[1:5], *map(int, sys.argv[5:7]))
