"""Entropies of all tokens, then the loss of the fifth with the highest and its gradients, of a model that is nearly all head.

Variants: full (logits of all tokens at once), chunked (256 tokens at a time, a pass for the entropies and one with recomputation for the
gradients, on all tokens) and kept (our way: entropies in chunks without a graph, gradients of the kept fifth alone)."""

import side
import torch
import torch.nn.functional as F
from torch.utils.checkpoint import checkpoint
from transformers import AutoModelForCausalLM

CHUNK = 256
KEPT = 0.2


def log_probabilities(hidden, head, targets):
    return -F.cross_entropy(F.linear(hidden, head).float(), targets, reduction="none")


def entropies_of(logits):
    z = torch.log_softmax(logits.float(), 1)
    return -(z.exp() * z).sum(1)


@torch.no_grad()
def entropies_in_chunks(hidden, head):
    return torch.cat([entropies_of(F.linear(part, head)) for part in hidden.split(CHUNK)])


def forking(entropies):
    """Positions of the fifth with the highest entropy."""
    return entropies.topk(-int(-KEPT * len(entropies) // 1)).indices.sort().values


def full(hidden, head, targets):
    logits = F.linear(hidden, head).float()
    with torch.no_grad():
        entropies = torch.cat([entropies_of(part) for part in logits.split(CHUNK)])
    kept = forking(entropies)
    mask = torch.zeros(len(targets)).index_fill(0, kept, 1.0)
    chosen = -F.cross_entropy(logits, targets, reduction="none")
    return -(chosen * mask).sum() / mask.sum()


def chunked(hidden, head, targets):
    kept = forking(entropies_in_chunks(hidden, head))
    mask = torch.zeros(len(targets)).index_fill(0, kept, 1.0)
    parts = zip(hidden.split(CHUNK), targets.split(CHUNK))
    chosen = torch.cat([checkpoint(log_probabilities, h, head, t, use_reentrant=False) for h, t in parts])
    return -(chosen * mask).sum() / mask.sum()


def kept_only(hidden, head, targets):
    kept = forking(entropies_in_chunks(hidden, head))
    parts = zip(hidden[kept].split(CHUNK), targets[kept].split(CHUNK))
    chosen = torch.cat([checkpoint(log_probabilities, h, head, t, use_reentrant=False) for h, t in parts])
    return -chosen.mean()


def start():
    options = side.options()
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32, attn_implementation="sdpa")
    model.config.use_cache = False
    ids = side.token_ids(options.rows, options.length, model.config.vocab_size)
    targets = ids[:, 1:].flatten()
    loss_of = {"full": full, "chunked": chunked, "kept": kept_only}[options.variant]

    def round():
        with side.autocast(options.precision):
            hidden = model.model(input_ids=ids).last_hidden_state[:, :-1].flatten(0, 1)
            loss = loss_of(hidden, model.lm_head.weight, targets)
        loss.backward()
        return loss

    return round


side.serve(start, memory_of_round=True)
