"""Compares an exported model folder in Hugging Face transformers with the trainer's own figures.

parity.py make FAMILY TOKENIZER-FOLDER OUT-FOLDER       writes a small model of random weights: llama, qwen2 or qwen3
parity.py tokenizer MODEL PROMPTS.jsonl                checks that AutoTokenizer reads prompts as tokenizer.json does
parity.py answer MODEL PROMPTS.jsonl COUNT OUT.jsonl   writes prompts with responses that transformers samples
parity.py compare MODEL ANSWERS.jsonl SCORES.jsonl     compares log-probabilities and entropies, both in nats, F32
"""

import json
import shutil
import sys
from pathlib import Path

import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

TOLERANCE = 1e-4
LONGEST_RESPONSE = 96


def load(folder):
    # tokenizer.json as it is: AutoTokenizer goes by the model's family and may build another one from the same vocabulary
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return tokenizer, model.eval()


def compare_tokenizers(folder, prompts):
    auto, plain = AutoTokenizer.from_pretrained(folder), PreTrainedTokenizerFast.from_pretrained(folder)
    for number, row in enumerate(lines(prompts), start=1):
        if auto(row["prompt"])["input_ids"] != plain(row["prompt"])["input_ids"]:
            sys.exit(f"{prompts} line {number}: AutoTokenizer makes other tokens than tokenizer.json")


def make(family, tokenizer, out):
    """Grouped queries, an untied head and, in each family, something that the others have not."""
    torch.manual_seed(0)
    config = AutoConfig.for_model(
        family,
        vocab_size=len(PreTrainedTokenizerFast.from_pretrained(tokenizer)),
        hidden_size=48,
        intermediate_size=80,
        num_hidden_layers=3,
        num_attention_heads=6,
        num_key_value_heads=2,
        head_dim=8 if family == "qwen2" else 16,
        max_position_embeddings=256,
        rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 500000.0},
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=1,
        pad_token_id=0,
    )
    model = AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            # norms and biases, too, so that leaving one out would be seen
            parameter.copy_(torch.randn_like(parameter) * 0.2 + (1.0 if parameter.dim() == 1 else 0.0))
    model.to(torch.bfloat16 if family == "qwen2" else torch.float32).save_pretrained(out)
    for name in ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]:
        shutil.copy(Path(tokenizer) / name, out)


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
    transformers.utils.logging.disable_progress_bar()
    match arguments:
        case ["make", family, tokenizer, out]:
            make(family, tokenizer, out)
        case ["tokenizer", folder, prompts]:
            compare_tokenizers(folder, prompts)
        case ["answer", folder, prompts, count, out]:
            answer(folder, prompts, int(count), out)
        case ["compare", folder, answers, scores]:
            compare(folder, answers, scores)
        case _:
            sys.exit(__doc__)


main(sys.argv[1:])
