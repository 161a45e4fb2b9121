"""A training step: forward, cross entropy of all tokens, backward, clipping, AdamW. Variants: eager, compile, plain, plain-compile."""

import side
import torch
from plain import PlainLlama
from transformers import AutoModelForCausalLM


def start():
    options = side.options()
    if options.variant.startswith("plain"):
        model = PlainLlama(options.model, options.length)
        vocabulary = model.embedding.shape[0]
        loss_of = model
    else:
        model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32, attn_implementation="sdpa")
        model.config.use_cache = False
        model.train()
        vocabulary = model.config.vocab_size

        def loss_of(ids):
            return model(input_ids=ids, labels=ids).loss

    if options.variant.endswith("compile"):
        loss_of = torch.compile(loss_of)
    ids = side.token_ids(options.rows, options.length, vocabulary)
    optimizer = side.optimizer(model)

    def step():
        with side.autocast(options.precision):
            loss = loss_of(ids)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), side.CLIP)
        optimizer.step()
        optimizer.zero_grad()
        return loss

    return step


side.serve(start)
