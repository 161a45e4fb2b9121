"""Runs the archive that the trainer writes in Python.

compare.py make FAMILY OUT-FOLDER              writes a small model of random weights: llama, qwen2 or qwen3
compare.py compare MODEL PRECISION EXPORT      runs the exported archive on it and compares with what Java exported beside it
"""

import json
import sys
from pathlib import Path

import side
import torch
from safetensors.torch import load_file
from scripted import ScriptedDecoder
from transformers import AutoConfig, AutoModelForCausalLM, logging

# Of the difference's norm to the gradient's: the two libtorch versions order sums differently, and attention is written in another way. In
# BF16 the gradients of these models lie 3 to 6 % from those in F32, on either side.
TOLERANCE = {"F32": 1e-4, "BF16": 1e-1}


def make(family, out):
    torch.manual_seed(0)
    config = AutoConfig.for_model(
        family,
        vocab_size=211,
        hidden_size=48,
        intermediate_size=80,
        num_hidden_layers=3,
        num_attention_heads=6,
        num_key_value_heads=2,
        head_dim=8 if family == "qwen2" else 16,
        max_position_embeddings=256,
        rope_parameters={"rope_type": "default", "rope_theta": 500000.0},
        tie_word_embeddings=family == "qwen2",
        bos_token_id=None,
        eos_token_id=1,
        pad_token_id=None,
    )
    model = AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            # norms and biases, too, so that leaving one out would be seen
            parameter.copy_(torch.randn_like(parameter) * 0.2 + (1.0 if parameter.dim() == 1 else 0.0))
    model.save_pretrained(out)


def compare(model, precision, export):
    torch.set_num_threads(1)
    expected = json.loads((Path(export) / "step.json").read_text())
    gradients = load_file(Path(export) / "gradients.safetensors")
    decoder = ScriptedDecoder(str(Path(export) / "decoder.pt"), model, precision)
    ids = side.token_ids(expected["rows"], expected["length"], decoder.config["vocab_size"])
    loss = decoder.forward_and_backward(ids, expected["keep_every"]).item()
    worst = max(
        ((gradient - gradients[name]).norm() / gradients[name].norm().clamp_min(1e-12)).item()
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


def main(arguments):
    logging.disable_progress_bar()
    match arguments:
        case ["make", family, out]:
            make(family, out)
        case ["compare", model, precision, export]:
            compare(model, precision, export)
        case _:
            sys.exit(__doc__)


main(sys.argv[1:])
