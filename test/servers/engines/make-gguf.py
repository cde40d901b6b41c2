"""Writes the GGUF file of a BERT sentence embedder (MiniLM): make-gguf.py FOLDER FILE [--rank]

FOLDER holds config.json, vocab.txt and model.safetensors. With --rank the file has a classification head of seeded random
numbers on top: a server treats it as a reranker, and its scores mean nothing.
"""

import json
import struct
import sys
from pathlib import Path

import gguf
import numpy as np

SPECIAL = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}

TENSORS = {
    "embeddings.word_embeddings": "token_embd",
    "embeddings.position_embeddings": "position_embd",
    "embeddings.token_type_embeddings": "token_types",
    "embeddings.LayerNorm": "token_embd_norm",
}

LAYER_TENSORS = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}


def main(folder: Path, file: Path, rank: bool) -> None:
    config = json.loads((folder / "config.json").read_text())
    writer = gguf.GGUFWriter(file, "bert")
    write_shape(writer, config, rank)
    write_vocabulary(writer, (folder / "vocab.txt").read_text(encoding="utf-8").splitlines())
    for name, tensor in read_safetensors(folder / "model.safetensors"):
        target = target_name(name)
        if target is not None:
            writer.add_tensor(target, stored(target, tensor))
    if rank:
        write_rank_head(writer, config["hidden_size"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_shape(writer: gguf.GGUFWriter, config: dict, rank: bool) -> None:
    writer.add_name("all-MiniLM-L6-v2")
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.RANK if rank else gguf.PoolingType.MEAN)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)


def write_vocabulary(writer: gguf.GGUFWriter, vocabulary: list) -> None:
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("jina-v2-en")
    writer.add_token_type_count(2)
    writer.add_token_list([written(token) for token in vocabulary])
    writer.add_token_types([kind(token) for token in vocabulary])
    writer.add_bos_token_id(vocabulary.index("[CLS]"))
    writer.add_eos_token_id(vocabulary.index("[SEP]"))
    writer.add_sep_token_id(vocabulary.index("[SEP]"))
    writer.add_unk_token_id(vocabulary.index("[UNK]"))
    writer.add_pad_token_id(vocabulary.index("[PAD]"))
    writer.add_mask_token_id(vocabulary.index("[MASK]"))


def written(token: str) -> str:
    """WordPiece marks the inner parts of a word with ##; GGUF marks the beginning of one."""
    if token in SPECIAL:
        return token
    return token[2:] if token.startswith("##") else "\u2581" + token


def kind(token: str) -> int:
    if token == "[UNK]":
        return gguf.TokenType.UNKNOWN
    return gguf.TokenType.CONTROL if token in SPECIAL else gguf.TokenType.NORMAL


def target_name(name: str):
    """The tensor's name in GGUF, or None for one that is not used."""
    base, _, leaf = name.rpartition(".")
    if base in TENSORS:
        return f"{TENSORS[base]}.{leaf}"
    if base.startswith("encoder.layer."):
        layer, _, rest = base.removeprefix("encoder.layer.").partition(".")
        return f"blk.{layer}.{LAYER_TENSORS[rest]}.{leaf}"
    return None


def stored(target: str, tensor: np.ndarray) -> np.ndarray:
    """Matrices take half the room; what is added or multiplied element by element stays exact."""
    exact = tensor.ndim < 2 or target.startswith(("position_embd", "token_types"))
    return tensor.astype(np.float32 if exact else np.float16)


def read_safetensors(file: Path):
    """The tensors of a safetensors file: eight bytes of length, a JSON header, then the numbers."""
    data = file.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] != "F32":
            continue
        start, end = entry["data_offsets"]
        numbers = np.frombuffer(data[8 + length + start : 8 + length + end], dtype=np.float32)
        yield name, numbers.reshape(entry["shape"])


def write_rank_head(writer: gguf.GGUFWriter, size: int) -> None:
    random = np.random.default_rng(42)
    writer.add_tensor("cls.weight", random.normal(0, 0.05, (size, size)).astype(np.float16))
    writer.add_tensor("cls.bias", np.zeros(size, dtype=np.float32))
    writer.add_tensor("cls.output.weight", random.normal(0, 0.05, (1, size)).astype(np.float16))
    writer.add_tensor("cls.output.bias", np.zeros(1, dtype=np.float32))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), "--rank" in sys.argv[3:])
