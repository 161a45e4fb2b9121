"""Writes the example's problems, the same bytes on every run: sums and differences of two numbers from 11 to 99.

problems.py FOLDER

No pair of numbers of test.jsonl occurs in train.jsonl, in either order or with the other sign.
"""

import json
import random
import sys
from pathlib import Path

TRAIN, TEST = 2000, 200


def problem(a, b, draw):
    if draw.random() < 0.5:
        return f"What is {a} + {b}?", a + b
    high, low = max(a, b), min(a, b)
    return f"What is {high} - {low}?", high - low


def write(file, pairs, draw):
    rows = [problem(*(pair if draw.random() < 0.5 else pair[::-1]), draw) for pair in pairs]
    file.write_text("".join(json.dumps({"prompt": p, "answer": str(a)}) + "\n" for p, a in rows), encoding="utf-8")


def main(folder):
    draw = random.Random(0)
    pairs = [(a, b) for a in range(11, 100) for b in range(a, 100)]
    draw.shuffle(pairs)
    write(folder / "train.jsonl", pairs[TEST : TEST + TRAIN], draw)
    write(folder / "test.jsonl", pairs[:TEST], draw)


if len(sys.argv) != 2:
    sys.exit(__doc__)
main(Path(sys.argv[1]))
