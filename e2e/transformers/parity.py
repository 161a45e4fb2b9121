"""Compares log-probabilities and entropies of `rlvr entropy` with those of Hugging Face transformers, in F32, at two temperatures.

parity.py families WORK-FOLDER [--real MODEL]     small random models of each family, and a real model
parity.py exported MODEL PROMPTS.jsonl COUNT WORK-FOLDER     a folder that a run exported, on answers that transformers samples from it

Prints a table of the largest differences and fails where one is over 1e-4. RLVR names the launcher, THREADS the threads of both sides.
"""

import datetime
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from cases import CASES, LENGTHS, make

TOLERANCE = 1e-4
TEMPERATURES = [1.0, 0.7]
ROOT = Path(__file__).resolve().parents[2]
THREADS = os.environ.get("THREADS", str(os.cpu_count()))
LONGEST_RESPONSE = 96
COLUMNS = "{:<34}{:>6}{:>7}{:>8}{:>9}{:>6}{:>12}{:>12}"


def write_lines(file, rows):
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def read_lines(file):
    return [json.loads(line) for line in Path(file).read_text(encoding="utf-8").splitlines() if line.strip()]


def rlvr_entropy(model, rows, temperature, work):
    source, target = work / "input.jsonl", work / "output.jsonl"
    write_lines(source, rows)
    target.unlink(missing_ok=True)
    options = ["--model", model, "--input", source, "--output", target, "--temperature", temperature, "--threads", THREADS]
    done = subprocess.run([os.environ["RLVR"], "entropy", *map(str, options)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"rlvr entropy failed with {done.returncode} on {model}:\n{done.stderr}")
    return read_lines(target)


@torch.no_grad()
def expected(model, ids, temperature):
    """Log-probability and entropy of each token but the first, [tokens - 1] each; the text passes alone, so without padding."""
    logits = model(torch.tensor([ids])).logits[0, :-1].float() / temperature
    z = torch.log_softmax(logits, dim=-1)
    chosen = z.gather(1, torch.tensor(ids[1:]).unsqueeze(1)).squeeze(1)
    return chosen, -(z.exp() * z).sum(dim=-1)


def largest(wanted, given):
    """Largest difference; given has null in its first place."""
    if given[0] is not None or len(given) != len(wanted) + 1:
        sys.exit(f"{len(given)} entries, the first {given[0]}, for {len(wanted) + 1} tokens")
    differences = (wanted - torch.tensor(given[1:], dtype=torch.float32)).abs()
    return differences.max().item() if len(wanted) else 0.0


def compare(name, folder, model, rows, ids, work):
    """Prints a line per temperature; True where all is within the tolerance."""
    fine = True
    stored = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("dtype", "float32")
    for temperature in TEMPERATURES:
        scored = rlvr_entropy(folder, rows, temperature, work)
        if [row["id"] for row in scored] != [row["id"] for row in rows]:
            sys.exit(f"{name}: other lines came out than went in")
        worst_logprob = worst_entropy = 0.0
        for tokens, row in zip(ids, scored):
            if tokens != row["token_ids"]:
                sys.exit(f"{name}: {row['id']} has other tokens than in transformers: {row['token_ids']} instead of {tokens}")
            logprobs, entropies = expected(model, tokens, temperature)
            worst_logprob = max(worst_logprob, largest(logprobs, row["logprobs"]))
            worst_entropy = max(worst_entropy, largest(entropies, row["entropies"]))
        # a difference that is not a number must fail, too
        within = worst_logprob <= TOLERANCE and worst_entropy <= TOLERANCE
        fine &= within
        lengths = [len(tokens) for tokens in ids]
        short = {"float32": "F32", "float16": "F16", "bfloat16": "BF16"}[stored]
        print(
            COLUMNS.format(
                name, short, len(ids), sum(lengths), f"{min(lengths)}-{max(lengths)}", temperature,
                f"{worst_logprob:.1e}", f"{worst_entropy:.1e}",
            )
            + ("" if within else "  TOO FAR"),
            flush=True,
        )
    return fine


def load(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def families(work):
    fine = True
    for name, case in CASES.items():
        folder = make(case, work / name)
        torch.manual_seed(1)
        ids = [torch.randint(case.vocabulary, (length,)).tolist() for length in LENGTHS]
        rows = [{"id": number, "token_ids": tokens} for number, tokens in enumerate(ids)]
        model = load(folder)
        fine &= compare(name, folder, model, rows, ids, work)
        if case.rope:
            require_power(name, folder, model, ids[-1])
    return fine


def require_power(name, folder, model, ids):
    """A check that a trainer without the scaling would pass is none."""
    config = AutoConfig.from_pretrained(folder)
    config.rope_parameters = {"rope_type": "default", "rope_theta": config.rope_parameters["rope_theta"]}
    other = AutoModelForCausalLM.from_pretrained(folder, config=config, dtype=torch.float32).eval()
    difference = (expected(model, ids, 1.0)[0] - expected(other, ids, 1.0)[0]).abs().max().item()
    if difference < 100 * TOLERANCE:
        sys.exit(f"{name}: the scaling changes log-probabilities by {difference:.1e} only, which shows nothing")


def real_texts(tokenizer):
    """Chats and prose of very unequal length."""
    problems = read_lines(ROOT / "examples/quickstart/test.jsonl")[:8]
    chats = [
        tokenizer.apply_chat_template(
            [{"role": "user", "content": row["prompt"].strip()}, {"role": "assistant", "content": f"Answer: {row['answer']}"}],
            tokenize=False,
        )
        for row in problems
    ]
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    prose = [licence[:length] for length in (40, 300, 1500, 4000)]
    odd = ["def f(x):\n\treturn x ** 2  # naïve café 你好 😀\n", "12 + 345 = 357"]
    return chats + prose + odd


def real(folder, work):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    texts = real_texts(tokenizer)
    rows = [{"id": f"text-{number}", "text": text} for number, text in enumerate(texts)]
    ids = [tokenizer(text)["input_ids"] for text in texts]
    return compare("SmolLM2-135M-Instruct, tied", folder, load(folder), rows, ids, work)


def exported(folder, prompts, count, work):
    plain, auto = PreTrainedTokenizerFast.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    model = load(folder)
    torch.manual_seed(0)
    ids = []
    for number, row in enumerate(read_lines(prompts), start=1):
        prompt = plain(row["prompt"], return_tensors="pt")["input_ids"]
        if auto(row["prompt"])["input_ids"] != prompt[0].tolist():
            sys.exit(f"{prompts} line {number}: AutoTokenizer makes other tokens than tokenizer.json")
        if number <= count:
            ids.append(
                model.generate(
                    prompt,
                    attention_mask=torch.ones_like(prompt),
                    do_sample=True,
                    temperature=1.0,
                    top_k=0,
                    top_p=1.0,
                    max_new_tokens=LONGEST_RESPONSE,
                )[0].tolist()
            )
    rows = [{"id": number, "token_ids": tokens} for number, tokens in enumerate(ids, start=1)]
    return compare(folder.name, folder, model, rows, ids, work)


def heading():
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    print(f"rlvr entropy and transformers {transformers.__version__} (torch {torch.__version__}), both F32: largest differences, in nats")
    print(f"{datetime.date.today()}, {platform.machine()}, commit {commit or 'unknown'}; allowed {TOLERANCE:.0e}\n")
    print(COLUMNS.format("model", "file", "texts", "tokens", "lengths", "T", "logprob", "entropy"))


def main(arguments):
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    torch.set_num_threads(int(THREADS))
    heading()
    match arguments:
        case ["families", work]:
            fine = families(Path(work))
        case ["families", work, "--real", model]:
            fine = real(Path(model), Path(work)) & families(Path(work))
        case ["exported", model, prompts, count, work]:
            fine = exported(Path(model), prompts, int(count), Path(work))
        case _:
            sys.exit(__doc__)
    print()
    if not fine:
        sys.exit("rlvr and transformers disagree")
    print("all agree")


main(sys.argv[1:])
