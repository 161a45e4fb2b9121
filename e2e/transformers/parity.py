"""Compares an exported model folder in Hugging Face transformers with the trainer's own figures.

parity.py answer MODEL PROMPTS.jsonl COUNT OUT.jsonl   writes prompts with responses that transformers samples
parity.py compare MODEL ANSWERS.jsonl SCORES.jsonl     compares log-probabilities and entropies, both in nats, F32
"""

import json
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

TOLERANCE = 1e-4
LONGEST_RESPONSE = 96


def load(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return tokenizer, model.eval()


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def answer(folder, prompts, count, out):
    tokenizer, model = load(folder)
    torch.manual_seed(0)
    with open(out, "w", encoding="utf-8") as file:
        for row in lines(prompts)[:count]:
            prompt = tokenizer(row["prompt"], return_tensors="pt")["input_ids"]
            sequence = model.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),
                do_sample=True,
                temperature=1.0,
                top_k=0,
                top_p=1.0,
                max_new_tokens=LONGEST_RESPONSE,
            )
            ids = sequence[0, prompt.shape[1] :].tolist()
            response = tokenizer.decode(ids, skip_special_tokens=True)
            line = {"prompt": row["prompt"], "response": response, "token_ids": ids}
            file.write(json.dumps(line) + "\n")


@torch.no_grad()
def figures(tokenizer, model, prompt, response):
    """Log-probability and entropy of each response token, [tokens] each."""
    ids = tokenizer(prompt)["input_ids"]
    logits = model(torch.tensor([ids + response])).logits[0, len(ids) - 1 : -1].float()
    z = torch.log_softmax(logits, dim=-1)
    chosen = z.gather(1, torch.tensor(response).unsqueeze(1)).squeeze(1)
    return chosen, -(z.exp() * z).sum(dim=-1)


def compare(folder, answers, scores):
    tokenizer, model = load(folder)
    asked, scored = lines(answers), lines(scores)
    if len(asked) != len(scored):
        sys.exit(f"{len(asked)} answers, but {len(scored)} scores")
    tokens, worst_logprob, worst_entropy, entropy_sum = 0, 0.0, 0.0, 0.0
    for number, (row, score) in enumerate(zip(asked, scored), start=1):
        if row["token_ids"] != score["token_ids"]:
            sys.exit(f"answer {number}: the trainer scored other tokens than it was given")
        logprobs, entropies = figures(tokenizer, model, row["prompt"], row["token_ids"])
        worst_logprob = max(worst_logprob, (logprobs - torch.tensor(score["logprobs"])).abs().max().item())
        worst_entropy = max(worst_entropy, (entropies - torch.tensor(score["entropies"])).abs().max().item())
        entropy_sum += entropies.sum().item()
        tokens += len(row["token_ids"])
    print(f"{len(asked)} answers, {tokens} tokens, mean entropy {entropy_sum / tokens:.4f} nats")
    print(f"largest difference: log-probability {worst_logprob:.2e}, entropy {worst_entropy:.2e} (allowed {TOLERANCE:.0e})")
    # a difference that is not a number must fail, too
    if not (worst_logprob <= TOLERANCE and worst_entropy <= TOLERANCE):
        sys.exit("the trainer and transformers disagree")


def main(arguments):
    match arguments:
        case ["answer", folder, prompts, count, out]:
            answer(folder, prompts, int(count), out)
        case ["compare", folder, answers, scores]:
            compare(folder, answers, scores)
        case _:
            sys.exit(__doc__)


main(sys.argv[1:])
