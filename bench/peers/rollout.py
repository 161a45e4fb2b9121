"""Sampled answers of full length by transformers' generate, as TRL calls it."""

import side
import torch
from transformers import AutoModelForCausalLM


def start():
    options = side.options()
    dtype = torch.bfloat16 if options.precision == "BF16" else torch.float32
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=dtype, attn_implementation="sdpa").eval()
    prompts = side.token_ids(options.rows // side.GROUP, side.PROMPT_TOKENS, model.config.vocab_size)
    prompts = prompts.repeat_interleave(side.GROUP, 0)
    mask = torch.ones_like(prompts)
    # the end token of the models made here is outside of the vocabulary, so no answer ends early
    settings = {"do_sample": True, "temperature": 1.0, "top_k": 0, "top_p": 1.0, "max_new_tokens": options.length}

    def rollout():
        with torch.inference_mode():
            sequences = model.generate(prompts, attention_mask=mask, pad_token_id=0, **settings)
        return (sequences.shape[1] - prompts.shape[1]) * sequences.shape[0]

    return rollout


side.serve(start)
