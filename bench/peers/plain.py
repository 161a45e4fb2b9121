"""A Llama with torch alone and nothing that this comparison does not need: the peer that a good engineer would write."""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn


class Layer(nn.Module):
    def __init__(self, config, weights, prefix):
        super().__init__()
        self.heads, self.kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
        self.width, self.epsilon = config["head_dim"], config["rms_norm_eps"]

        def weight(name):
            return nn.Parameter(weights[f"{prefix}.{name}.weight"].clone())

        self.input_norm, self.after_norm = weight("input_layernorm"), weight("post_attention_layernorm")
        self.q, self.k, self.v, self.o = (weight(f"self_attn.{name}_proj") for name in "qkvo")
        self.gate, self.up, self.down = (weight(f"mlp.{name}_proj") for name in ["gate", "up", "down"])

    def rotated(self, x, cos, sin):
        a, b = x.chunk(2, -1)
        return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)

    def forward(self, x, cos, sin):
        batch, length, hidden = x.shape
        h = F.rms_norm(x, (hidden,), self.input_norm, self.epsilon)
        q = F.linear(h, self.q).view(batch, length, self.heads, self.width).transpose(1, 2)
        k = F.linear(h, self.k).view(batch, length, self.kv_heads, self.width).transpose(1, 2)
        v = F.linear(h, self.v).view(batch, length, self.kv_heads, self.width).transpose(1, 2)
        cos, sin = cos.to(q.dtype), sin.to(q.dtype)
        q, k = self.rotated(q, cos, sin), self.rotated(k, cos, sin)
        repeats = self.heads // self.kv_heads
        k, v = k.repeat_interleave(repeats, 1), v.repeat_interleave(repeats, 1)
        o = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + F.linear(o.transpose(1, 2).reshape(batch, length, -1), self.o)
        h = F.rms_norm(x, (hidden,), self.after_norm, self.epsilon)
        return x + F.linear(F.silu(F.linear(h, self.gate)) * F.linear(h, self.up), self.down)


class PlainLlama(nn.Module):
    def __init__(self, folder, length):
        super().__init__()
        config = json.loads((Path(folder) / "config.json").read_text())
        weights = load_file(Path(folder) / "model.safetensors")
        self.embedding = nn.Parameter(weights["model.embed_tokens.weight"].clone())
        self.norm, self.epsilon = nn.Parameter(weights["model.norm.weight"].clone()), config["rms_norm_eps"]
        self.layers = nn.ModuleList(
            Layer(config, weights, f"model.layers.{i}") for i in range(config["num_hidden_layers"])
        )
        half = config["head_dim"] // 2
        theta = config["rope_parameters"]["rope_theta"]
        angles = torch.arange(length).unsqueeze(1) * theta ** (-torch.arange(half) / half)
        self.register_buffer("cos", angles.cos().float())
        self.register_buffer("sin", angles.sin().float())

    def forward(self, ids):
        """Mean cross entropy of the next token, over all of ids [batch, length] that have one."""
        x = F.embedding(ids, self.embedding)
        for layer in self.layers:
            x = layer(x, self.cos[: ids.shape[1]], self.sin[: ids.shape[1]])
        x = F.rms_norm(x[:, :-1], (x.shape[-1],), self.norm, self.epsilon)
        logits = F.linear(x, self.embedding).flatten(0, 1).float()
        return F.cross_entropy(logits, ids[:, 1:].flatten())
