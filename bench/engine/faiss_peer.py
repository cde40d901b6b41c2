"""faiss beside the others, one thread: python faiss_peer.py FOLDER SIZE QUERIES RECALL EF,EF prints a line of JSON as compare.mjs wants it."""
import json
import os
import sys
import time

import faiss
import numpy as np

DIMENSIONS = 384
HELD_OUT = 1000
TOP_K = 10
ROUNDS = 3


def main(folder, size, count, wanted, efs):
    faiss.omp_set_num_threads(1)
    vectors = read(folder, size + HELD_OUT)
    queries, rows = vectors[:count], vectors[HELD_OUT : HELD_OUT + size]
    exact = faiss.IndexFlatIP(DIMENSIONS)
    exact.add(rows)
    _, truth = exact.search(queries, TOP_K)
    index = faiss.IndexHNSWSQ(DIMENSIONS, faiss.ScalarQuantizer.QT_8bit, 16, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = 128
    start = time.process_time()
    index.train(rows)
    index.add(rows)
    build_ms = (time.process_time() - start) * 1000
    recall = 0.0
    for ef in efs:
        index.hnsw.efSearch = ef
        found = search(index, queries)
        recall = float(np.mean([len(set(f) & set(t)) / TOP_K for f, t in zip(found, truth)]))
        if recall >= wanted:
            break
    rounds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        search(index, queries)
        rounds.append((time.process_time() - start) * 1000 / count)
    print(json.dumps([{"name": "faiss HNSW-SQ8", "ef": ef, "recall": recall, "queryMs": sorted(rounds)[1], "buildMs": build_ms}]))


def search(index, queries):
    """One query a call, as a server would; the call itself costs about five microseconds."""
    return [index.search(query[None, :], TOP_K)[1][0] for query in queries]


def read(folder, count):
    parts = []
    have = 0
    while have < count:
        part = np.fromfile(os.path.join(folder, f"{len(parts)}.f32"), dtype=np.float32).reshape(-1, DIMENSIONS)
        parts.append(part)
        have += len(part)
    return np.concatenate(parts)[:count]


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), [int(ef) for ef in sys.argv[5].split(",")])
