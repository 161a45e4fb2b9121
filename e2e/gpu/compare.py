"""compare.py RUN RUN TOLERANCE: with tolerance 0 all steps and the exported weights must be the same, otherwise the first step within the tolerance.

Later steps are not compared: where rounding tips a single draw, another text is sampled, and what follows differs."""

import hashlib
import json
import sys
from pathlib import Path

# what a run was like, not what came out; moments of the host's clock
TIMES = ("timing/", "tokens_per_second", "step_time")
# measures of rounding itself
ROUNDING = ("kl", "sampling/logprob_diff_mean", "clip_ratio", "loss")


def steps(run):
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if not key.startswith(TIMES)} for line in lines]


def digest(run):
    return hashlib.sha256((run / "model" / "model.safetensors").read_bytes()).hexdigest()


def main(a, b, tolerance):
    first, second = steps(a), steps(b)
    if tolerance == 0:
        if first != second:
            sys.exit(next(f"step {x['step']}: {x} against {y}" for x, y in zip(first, second) if x != y))
        if digest(a) != digest(b):
            sys.exit("the exported weights differ")
        print(f"{len(first)} steps and weights {digest(a)[:12]}")
        return
    far = {}
    for key, value in first[0].items():
        other = second[0][key]
        if not key.startswith(ROUNDING):
            far[key] = abs(value - other) / max(abs(value), abs(other), 1e-12)
    worst = max(far, key=far.get)
    text = f"largest relative difference {far[worst]:.1e} ({worst}: {first[0][worst]:.6g}, {second[0][worst]:.6g})"
    if not far[worst] <= tolerance:
        sys.exit(text)
    print(text)


main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
