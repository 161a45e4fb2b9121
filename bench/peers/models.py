"""models.py FOLDER: writes models of random weights that both sides load, and the tokenizer and problems of the GRPO benchmark."""

import json
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

SHAPES = {
    "8m": dict(
        vocab_size=4096,
        hidden_size=256,
        intermediate_size=1024,
        num_hidden_layers=6,
        num_attention_heads=8,
        num_key_value_heads=4,
        head_dim=64,
        max_position_embeddings=1024,
    ),
    "135m": dict(
        vocab_size=49_152,
        hidden_size=576,
        intermediate_size=1536,
        num_hidden_layers=30,
        num_attention_heads=9,
        num_key_value_heads=3,
        head_dim=64,
        max_position_embeddings=8192,
    ),
    "head": dict(
        vocab_size=151_936,
        hidden_size=512,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=8,
        num_key_value_heads=8,
        head_dim=64,
        max_position_embeddings=1024,
    ),
}
PROMPT_TOKENS, PROBLEMS = 16, 256


def word(token):
    """Half of all words end in a, half in b, which is what the reward asks for."""
    return f"w{token}{'ab'[token % 2]}"


def write_tokenizer(folder, vocabulary):
    words = {word(token): token for token in range(vocabulary)}
    # the end has an id that the model cannot draw, so no answer ends early
    words["</s>"] = vocabulary
    tokenizer = Tokenizer(models.WordLevel(words, unk_token=word(0)))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>", pad_token=word(0)).save_pretrained(folder)


def write_problems(file, vocabulary):
    with open(file, "w", encoding="utf-8") as out:
        for problem in range(PROBLEMS):
            tokens = [(problem * 7919 + i * 1049) % vocabulary for i in range(PROMPT_TOKENS)]
            out.write(json.dumps({"prompt": " ".join(map(word, tokens)), "answer": "a"}) + "\n")


def main(out):
    for name, shape in SHAPES.items():
        torch.manual_seed(0)
        config = LlamaConfig(
            **shape,
            tie_word_embeddings=True,
            rms_norm_eps=1e-5,
            rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
            bos_token_id=None,
            # a padding token would get an embedding of zeros, whose gradients explode in the norms
            pad_token_id=None,
            eos_token_id=shape["vocab_size"],
        )
        LlamaForCausalLM(config).save_pretrained(out / name)
        write_tokenizer(out / name, shape["vocab_size"])
        write_problems(out / name / "problems.jsonl", shape["vocab_size"])


main(Path(sys.argv[1]))
