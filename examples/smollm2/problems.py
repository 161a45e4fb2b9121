"""Writes the example's problems, the same bytes on every run: sums and differences of two numbers from 2 to 20.

problems.py FOLDER

No pair of numbers of test.jsonl occurs in train.jsonl, in either order or with the other sign.
"""

import json
import random
import sys
from pathlib import Path

TEST_PAIRS = 40


def problems(low, high):
    yield f"What is {low} + {high}?", low + high
    yield f"What is {high} + {low}?", low + high
    yield f"What is {high} - {low}?", high - low


def write(file, pairs, draw):
    rows = [row for pair in pairs for row in problems(*pair)]
    draw.shuffle(rows)
    file.write_text("".join(json.dumps({"prompt": p, "answer": str(a)}) + "\n" for p, a in rows), encoding="utf-8")


def main(folder):
    draw = random.Random(0)
    pairs = [(low, high) for low in range(2, 21) for high in range(low + 1, 21)]
    draw.shuffle(pairs)
    write(folder / "train.jsonl", pairs[TEST_PAIRS:], draw)
    write(folder / "test.jsonl", pairs[:TEST_PAIRS], draw)


if len(sys.argv) != 2:
    sys.exit(__doc__)
main(Path(sys.argv[1]))
