"""The trainer's training step on a GPU, in its own process, beside eager transformers: tokens/s, MFU, memory.

Both sides do the same step (forward, cross entropy of all tokens, backward, clipping, fused AdamW) on the same weights and tokens, one after
the other, so that each has the GPU to itself; their losses must agree. Memory is, of ours, what the card has less while it runs, CUDA's own
included; of theirs, what PyTorch's allocator has taken; with --device cpu, the peak of each process. MFU is the step's matrix-product
operations per second (attention counted causally) divided by what one large matrix product reaches on the same device, or by --peak-tflops."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import side
import torch
from transformers import AutoModelForCausalLM

TOLERANCE = {"F32": 1e-3, "BF16": 1e-2}
WARM_UP = 2


class Ours:
    """TrainingSide.java; it answers each line with one of JSON."""

    name = "ours"

    def __init__(self, chosen, folder):
        self.device = torch.device(chosen.device)
        self.before = used_memory(self.device)
        self.process = subprocess.Popen(
            [chosen.run, "training", "--model", folder, "--precision", chosen.precision, "--threads", str(os.cpu_count())]
            + ["--rows", str(chosen.rows), "--length", str(chosen.length)]
            + (["--gpu"] if self.device.type == "cuda" else []),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer()

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit("bench/gpu: our side ended; what it said is above (docs/gpu.md says what a GPU needs)")
        return json.loads(line)

    def step(self):
        self.process.stdin.write("round\n")
        self.process.stdin.flush()
        self.last = self._answer()
        return self.last["seconds"], self.last["check"]

    def memory(self):
        return used_memory(self.device) - self.before if self.device.type == "cuda" else self.last["bytes"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Eager:
    name = "eager transformers"

    def __init__(self, chosen, folder):
        self.device, self.precision = torch.device(chosen.device), chosen.precision
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa")
        self.model.to(self.device).train()
        self.model.config.use_cache = False
        self.optimizer = side.optimizer(self.model)
        self.ids = side.token_ids(chosen.rows, chosen.length, self.model.config.vocab_size).to(self.device)

    def step(self):
        seconds, loss = timed(self.device, self._step)
        return seconds, loss.item()

    def _step(self):
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.precision == "BF16"):
            loss = self.model(input_ids=self.ids, labels=self.ids).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), side.CLIP)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return loss

    def memory(self):
        return torch.cuda.max_memory_reserved(self.device) if self.device.type == "cuda" else side.memory("VmHWM")

    def close(self):
        pass


def used_memory(device):
    """Of the whole card, in bytes."""
    if device.type != "cuda":
        return 0
    free, total = torch.cuda.mem_get_info(device)
    return total - free


def synchronize(device):
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def timed(device, work):
    synchronize(device)
    start = time.perf_counter()
    result = work()
    synchronize(device)
    return time.perf_counter() - start, result


def matmul_rate(device, precision):
    """Operations per second of a large square matrix product."""
    width = 8192 if device.type == "cuda" else 1024
    kind = torch.bfloat16 if precision == "BF16" else torch.float32
    a, b = (torch.randn(width, width, device=device, dtype=kind) for _ in range(2))
    times = [timed(device, lambda: a @ b)[0] for _ in range(8)]
    return 2 * width**3 / statistics.median(times[2:])


def operations(config, rows, length):
    """Of the matrix products of a forward and a backward pass."""
    heads, kv = config["num_attention_heads"], config["num_key_value_heads"]
    hidden, width, mlp = config["hidden_size"], config["head_dim"], config["intermediate_size"]
    layer = hidden * width * (2 * heads + 2 * kv) + 3 * hidden * mlp
    weights = config["num_hidden_layers"] * layer + hidden * config["vocab_size"]
    attention = config["num_hidden_layers"] * heads * width * length
    return 3 * rows * length * (2 * weights + 2 * attention)


def measure(contestant, chosen, folder):
    contestant = contestant(chosen, folder)
    steps = [contestant.step() for _ in range(WARM_UP + chosen.rounds)]
    memory = contestant.memory()
    contestant.close()
    seconds = statistics.median([seconds for seconds, _ in steps[WARM_UP:]])
    return {"side": contestant.name, "seconds": seconds, "bytes": memory, "losses": [loss for _, loss in steps]}


def options():
    parser = argparse.ArgumentParser(prog="bench/gpu", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--device", default="cuda", help="cuda (default), or cpu to try it where there is no GPU")
    parser.add_argument("--model", help="model folder (default: random weights in the shape of SmolLM2-135M)")
    parser.add_argument("--precision", choices=["F32", "BF16"], default="BF16")
    parser.add_argument("--rows", type=int, default=16)
    parser.add_argument("--length", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--peak-tflops", type=float, help="what MFU is relative to (default: a measured matrix product)")
    parser.add_argument("--output", help="file that gets the results as JSON")
    parser.add_argument("--run", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--models", required=True, help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    chosen = options()
    device = torch.device(chosen.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        sys.exit("bench/gpu: PyTorch finds no CUDA device here; on a machine without a GPU, --device cpu runs the same program")
    folder = chosen.model or str(Path(chosen.models) / "135m")
    config = json.loads((Path(folder) / "config.json").read_text())
    results = [measure(contestant, chosen, folder) for contestant in (Ours, Eager)]

    peak = chosen.peak_tflops * 1e12 if chosen.peak_tflops else matmul_rate(device, chosen.precision)
    work, tokens = operations(config, chosen.rows, chosen.length), chosen.rows * chosen.length
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    print(f"{name}, {chosen.precision}, batch {chosen.rows} x {chosen.length}, matrix product {peak / 1e12:.2f} TFLOP/s")
    for result in results:
        result["tokens_per_second"], result["mfu"] = tokens / result["seconds"], work / result["seconds"] / peak
        print(
            f"{result['side']:20} {result['tokens_per_second']:12,.0f} tokens/s   MFU {result['mfu']:5.1%}"
            f"   {result['bytes'] / 1e9:6.2f} GB   loss {result['losses'][-1]:.4f}"
        )
    if chosen.output:
        Path(chosen.output).write_text(json.dumps({"device": name, "options": vars(chosen), "results": results}, indent=2))
    first, last = (result["losses"][-1] for result in results)
    if not abs(first - last) <= TOLERANCE[chosen.precision] * abs(last):
        sys.exit("the two sides do not have the same loss, so their times cannot be compared")


main()
