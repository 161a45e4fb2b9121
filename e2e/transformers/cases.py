"""Small random models: in each something that the others have not."""

from dataclasses import dataclass, field

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM

LENGTHS = [1, 2, 3, 7, 12, 40, 41, 64, 65, 120, 200, 250]

LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}
YARN_ALL = YARN | {"mscale": 1.0, "mscale_all_dim": 0.5, "beta_fast": 16, "beta_slow": 2, "truncate": False}


@dataclass
class Case:
    family: str
    rope: dict = field(default_factory=dict)
    dtype: torch.dtype = torch.float32
    vocabulary: int = 307
    config: dict = field(default_factory=dict)
    shard: str = "5GB"
    # what becomes of the tensors before the file is written again
    rewrite: object = None


def head_only(tensors):
    tensors["lm_head.weight"] = tensors.pop("model.embed_tokens.weight")


def other_head(tensors):
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].flip(0).contiguous()


CASES = {
    "llama": Case("llama"),
    "llama, no grouping": Case("llama", config={"num_key_value_heads": 6}),
    "llama, F16 in shards": Case("llama", dtype=torch.float16, shard="40KB"),
    "llama, tied": Case("llama", config={"tie_word_embeddings": True}),
    "llama, tied, file has the head only": Case("llama", config={"tie_word_embeddings": True}, rewrite=head_only),
    "llama, tied, but another head": Case("llama", config={"tie_word_embeddings": True}, rewrite=other_head),
    "llama, linear": Case("llama", rope={"rope_type": "linear", "factor": 4.0}),
    "llama, llama3": Case("llama", rope=LLAMA3),
    "llama, yarn": Case("llama", rope=YARN),
    "qwen2, BF16": Case("qwen2", dtype=torch.bfloat16),
    "qwen2, tied": Case("qwen2", config={"tie_word_embeddings": True}),
    "qwen2, yarn": Case("qwen2", rope=YARN),
    "qwen3, BF16 in shards": Case("qwen3", dtype=torch.bfloat16, shard="40KB"),
    "qwen3, head wider than its share": Case("qwen3", config={"head_dim": 24, "tie_word_embeddings": True}),
    "qwen3, yarn, all options": Case("qwen3", rope=YARN_ALL),
}


def make(case, out):
    """Writes the model's folder, without a tokenizer."""
    torch.manual_seed(0)
    options = {
        "vocab_size": case.vocabulary,
        "hidden_size": 48,
        "intermediate_size": 80,
        "num_hidden_layers": 3,
        "num_attention_heads": 6,
        "num_key_value_heads": 2,
        "head_dim": 16 if case.family == "qwen3" else 8,
        "max_position_embeddings": 256,
        "rms_norm_eps": 1e-5,
        "rope_parameters": {"rope_type": "default", "rope_theta": 500.0} | case.rope,
        "tie_word_embeddings": False,
        "bos_token_id": None,
        "eos_token_id": None,
        "pad_token_id": None,
    }
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(case.family, **(options | case.config)))
    with torch.no_grad():
        for parameter in model.parameters():
            # norms and biases, too, so that leaving one out would be seen
            parameter.copy_(torch.randn_like(parameter) * 0.2 + (1.0 if parameter.dim() == 1 else 0.0))
    model.to(case.dtype).save_pretrained(out, max_shard_size=case.shard)
    if case.rewrite:
        tensors = load_file(out / "model.safetensors")
        case.rewrite(tensors)
        save_file(tensors, out / "model.safetensors", metadata={"format": "pt"})
    return out
