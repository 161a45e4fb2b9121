"""The trainer's own math in Python: the archive that it writes, driven as ForwardPass.java drives it."""

import functools
import json
import warnings
from pathlib import Path

import torch
from safetensors.torch import load_file

EMBEDDING, FINAL_NORM, LAYERS = "model.embed_tokens.weight", "model.norm.weight", "model.layers"


class ScriptedDecoder:
    def __init__(self, archive, folder, precision, device="cpu"):
        self.config = json.loads((Path(folder) / "config.json").read_text())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # TorchScript is old, not gone
            self.script = torch.jit.load(archive)
        # interpreted as written, as the trainer does: the profiling executor would change results after the first calls
        torch._C._set_graph_executor_optimize(False)
        self.type = torch.bfloat16 if precision == "BF16" else torch.float32
        self.device = device
        parts = load_file(Path(folder) / "model.safetensors")
        self.names = self._layout(parts)
        self.masters = [torch.cat([parts[name].float() for name in names]).to(device) for names in self.names]
        self.sums = [torch.zeros_like(master) for master in self.masters]
        self.working = [self._working(i) for i in range(len(self.masters))]
        self.tied = self.config.get("tie_word_embeddings", False)
        self.head = 0 if self.tied else len(self.masters) - 1
        self._set_head()

    def _layout(self, parts):
        """Names of the parts of each tensor, in the order of WeightLayout.java."""
        names = [[EMBEDDING], [FINAL_NORM]]
        for layer in range(self.config["num_hidden_layers"]):
            prefix = f"{LAYERS}.{layer}"
            attention, mlp = f"{prefix}.self_attn", f"{prefix}.mlp"
            names += [
                [f"{prefix}.input_layernorm.weight"],
                [f"{attention}.{name}_proj.weight" for name in "qkv"],
                [f"{attention}.o_proj.weight"],
                [f"{prefix}.post_attention_layernorm.weight"],
                [f"{mlp}.gate_proj.weight", f"{mlp}.up_proj.weight"],
                [f"{mlp}.down_proj.weight"],
            ]
            if f"{attention}.q_norm.weight" in parts:
                names += [[f"{attention}.q_norm.weight"], [f"{attention}.k_norm.weight"]]
            if f"{attention}.q_proj.bias" in parts:
                names += [[f"{attention}.{name}_proj.bias" for name in "qkv"]]
        self.width = (len(names) - 2) // self.config["num_hidden_layers"]
        return names if self.config.get("tie_word_embeddings", False) else [*names, ["lm_head.weight"]]

    def _working(self, i):
        """Projections and their biases take part in matrix products in their type; norms and the embedding stay in F32."""
        norm = "norm" in self.names[i][0]
        return self.masters[i] if norm or i == 0 else self.masters[i].to(self.type)

    def _set_head(self):
        self.head_weight = self.masters[0].to(self.type) if self.tied else self.working[self.head]

    def refresh(self):
        """Takes over what an optimizer changed in the master weights."""
        for working, master in zip(self.working, self.masters):
            if working is not master:
                working.copy_(master)
        self._set_head()

    @functools.cache
    def rotary(self, length):
        rope = self.config.get("rope_parameters") or self.config.get("rope_scaling") or {}
        if rope.get("rope_type", "default") != "default":
            raise ValueError(f"rope_type {rope['rope_type']} is the trainer's, not this program's; choose another model")
        theta = self.config.get("rope_theta") or self.config["rope_parameters"]["rope_theta"]
        width = self.config.get("head_dim") or self.config["hidden_size"] // self.config["num_attention_heads"]
        half = width // 2
        frequencies = (1.0 / theta ** (2.0 * torch.arange(half, dtype=torch.float64) / width)).float()
        angles = torch.arange(length, dtype=torch.float32).unsqueeze(1) * frequencies
        return angles.double().cos().float().to(self.device), angles.double().sin().float().to(self.device)

    def layer(self, tensors, layer):
        first = 2 + layer * self.width
        return tensors[first : first + self.width]

    @torch.no_grad()
    def forward_and_backward(self, ids, keep_every=1):
        """Adds to the sums the gradients of the mean loss of the kept tokens among ids [rows, length], all but the first of each row."""
        rows, length = ids.shape
        layers = self.config["num_hidden_layers"]
        cos, sin = self.rotary(length)
        flat, script = ids.flatten().to(self.device), self.script
        positions = torch.arange(rows * length).view(rows, length)[:, :-1].flatten().to(self.device)
        targets = ids[:, 1:].flatten().to(self.device)
        kept = torch.arange(0, len(targets), keep_every, device=self.device)

        x, remembered = script.embed(self.masters[0], flat), []
        for l in range(layers):
            attention = script.attention(x, self.layer(self.working, l), cos, sin, [], rows, length)
            middle = attention[0] if l < layers - 1 else script.take(attention[0], positions)
            mlp = script.mlp(middle, self.layer(self.working, l))
            remembered.append((x, middle, attention[1:], mlp[1:]))
            x = mlp[0]

        x, ids_kept = script.take(x, kept), targets[kept]
        norm, head = self.working[1], self.head_weight
        log_probabilities, z = script.head(x, norm, head, ids_kept, 1.0)
        loss = -log_probabilities.mean()
        upstream = torch.full_like(log_probabilities, -1.0 / len(kept))
        gradient = script.head_backward(
            upstream, z, x, norm, head, ids_kept, 1.0, self.sums[1], self.sums[self.head]
        )
        for l in reversed(range(layers)):
            x, middle, attention, mlp = remembered.pop()
            working, sums = self.layer(self.working, l), self.layer(self.sums, l)
            if l == layers - 1:
                middle, mlp = script.take(middle, kept), [script.take(part, kept) for part in mlp]
            gradient = script.mlp_backward(gradient, middle, mlp, working, sums)
            if l == layers - 1:
                gradient = script.spread(gradient, positions[kept], rows * length)
            gradient = script.attention_backward(gradient, x, attention, working, sums, cos, sin, [])
        script.embed_backward(self.sums[0], flat, gradient)
        return loss

    def gradients(self):
        """By the names that checkpoints use."""
        split = {}
        for names, total in zip(self.names, self.sums):
            shapes = self._rows(names, total)
            split.update(zip(names, total.split(shapes)))
        return split

    def _rows(self, names, total):
        if len(names) == 1:
            return [total.shape[0]]
        if len(names) == 2:
            return [total.shape[0] // 2] * 2
        heads, kv = self.config["num_attention_heads"], self.config["num_key_value_heads"]
        unit = total.shape[0] // (heads + 2 * kv)
        return [heads * unit, kv * unit, kv * unit]
