"""What the Python sides share: the protocol (see ChildSide.java), options, token ids, the plain model."""

import argparse
import json
import os
import sys
import time

import torch

GROUP, PROMPT_TOKENS = 8, 16
LEARNING_RATE, WEIGHT_DECAY, CLIP = 1e-4, 0.01, 1.0


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--variant", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--precision", required=True, choices=["F32", "BF16"])
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--length", type=int, default=0)
    parser.add_argument("--problems")
    parser.add_argument("--folder")
    parser.add_argument("--steps", type=int, default=0)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(0)
    return chosen


def token_ids(rows, count, vocabulary):
    """As SideOptions.ids makes them up: [rows, count]."""
    row, column = torch.arange(rows).unsqueeze(1), torch.arange(count).unsqueeze(0)
    return (row * 7919 + column * 104_729 + row * column * 31) % vocabulary


def autocast(precision):
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "BF16")


def memory(field):
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(field + ":"))


def optimizer(model):
    """AdamW in its fastest form, which does not decay norms and biases: as the trainer's."""
    groups = [
        {"params": [p for p in model.parameters() if p.dim() > 1], "weight_decay": WEIGHT_DECAY},
        {"params": [p for p in model.parameters() if p.dim() <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=LEARNING_RATE, betas=(0.9, 0.999), eps=1e-8, fused=True)


def serve(start, memory_of_round=False):
    """start() returns what does a round's work and returns its check."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print must not get between the answers
    work = start()
    print(json.dumps({"ready": True}), file=answers)
    before = None if memory_of_round else 0
    for _ in sys.stdin:
        if before is None:  # before the first round, not before each: an allocator may keep what a round has freed
            with open("/proc/self/clear_refs", "w", encoding="ascii") as refs:
                refs.write("5")
            before = memory("VmRSS")
        cpu, wall = time.process_time(), time.perf_counter()
        check = float(work())
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        answer = {"seconds": wall, "cpu_seconds": cpu, "check": check, "bytes": memory("VmHWM") - before}
        print(json.dumps(answer), file=answers)
