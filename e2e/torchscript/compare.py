"""compare.py MODEL PRECISION EXPORT: runs the exported archive on the model here and compares with what Java exported beside it."""

import json
import sys
from pathlib import Path

import side
import torch
from safetensors.torch import load_file
from scripted import ScriptedDecoder

# relative to the largest gradient of a tensor; the two libtorch versions order sums differently
TOLERANCE = {"F32": 1e-4, "BF16": 5e-2}


def main(model, precision, export):
    torch.set_num_threads(1)
    expected = json.loads((Path(export) / "step.json").read_text())
    gradients = load_file(Path(export) / "gradients.safetensors")
    decoder = ScriptedDecoder(str(Path(export) / "decoder.pt"), model, precision)
    ids = side.token_ids(expected["rows"], expected["length"], decoder.config["vocab_size"])
    loss = decoder.forward_and_backward(ids, expected["keep_every"]).item()
    worst = max(
        ((gradient - gradients[name]).abs().max() / gradients[name].abs().max().clamp_min(1e-12)).item()
        for name, gradient in decoder.gradients().items()
    )
    difference = abs(loss - expected["loss"]) / expected["loss"]
    family = decoder.config["model_type"]
    print(f"{family} {precision}: loss {loss:.6f}, off by {difference:.1e}; {len(gradients)} gradients, off by {worst:.1e}")
    if set(gradients) != set(decoder.gradients()):
        sys.exit("Python and Java do not have the same gradients")
    # a difference that is not a number must fail, too
    if not (worst <= TOLERANCE[precision] and difference <= TOLERANCE[precision]):
        sys.exit(f"allowed is {TOLERANCE[precision]:.0e}")


main(*sys.argv[1:])
