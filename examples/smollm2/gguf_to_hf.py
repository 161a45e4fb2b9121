"""Turns a GGUF file of a Llama model with a byte-level BPE tokenizer, as SmolLM2 is, into a Hugging Face folder in F32.

gguf_to_hf.py MODEL.gguf FOLDER
"""

import json
import sys
from pathlib import Path

import numpy as np
from gguf import GGUFReader, dequantize
from safetensors.numpy import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

CONTROL_TOKEN = 3  # of tokenizer.ggml.token_type

LAYER_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
OTHER_NAMES = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}


def hugging_face_name(name):
    stem = name.removesuffix(".weight")
    if stem in OTHER_NAMES:
        return OTHER_NAMES[stem] + ".weight"
    _, layer, part = stem.split(".")
    return f"model.layers.{layer}.{LAYER_NAMES[part]}.weight"


def halves(weight, heads):
    """Rows of a query or key projection: GGUF keeps the two numbers that are rotated together side by side, Hugging Face half a head apart."""
    rows, columns = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def weights(reader, heads, kv_heads):
    tensors = {}
    for tensor in reader.tensors:
        weight = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        weight = weight.reshape(tuple(reversed(tensor.shape.tolist())))
        if ".attn_q." in tensor.name:
            weight = halves(weight, heads)
        if ".attn_k." in tensor.name:
            weight = halves(weight, kv_heads)
        tensors[hugging_face_name(tensor.name)] = np.ascontiguousarray(weight)
    return tensors


def config(field, tied):
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": len(field("tokenizer.ggml.tokens")),
        "hidden_size": field("llama.embedding_length"),
        "intermediate_size": field("llama.feed_forward_length"),
        "num_hidden_layers": field("llama.block_count"),
        "num_attention_heads": field("llama.attention.head_count"),
        "num_key_value_heads": field("llama.attention.head_count_kv"),
        "head_dim": field("llama.rope.dimension_count"),
        "hidden_act": "silu",
        # kept there in F32
        "rms_norm_eps": float(f"{field('llama.attention.layer_norm_rms_epsilon'):.6g}"),
        "rope_theta": float(field("llama.rope.freq_base")),
        "max_position_embeddings": field("llama.context_length"),
        "tie_word_embeddings": tied,
        "attention_bias": False,
        "mlp_bias": False,
        "bos_token_id": field("tokenizer.ggml.bos_token_id"),
        "eos_token_id": field("tokenizer.ggml.eos_token_id"),
        "pad_token_id": field("tokenizer.ggml.padding_token_id"),
        "dtype": "float32",
    }


def tokenizer(field):
    """Digits one by one, the rest as GPT-2 does: what llama.cpp calls the pre-tokenizer smollm."""
    if (kind := (field("tokenizer.ggml.model"), field("tokenizer.ggml.pre"))) != ("gpt2", "smollm"):
        sys.exit(f"the tokenizer is {kind}; only ('gpt2', 'smollm') is known")
    tokens = field("tokenizer.ggml.tokens")
    merges = [tuple(merge.split(" ")) for merge in field("tokenizer.ggml.merges")]
    made = Tokenizer(models.BPE(vocab={token: id for id, token in enumerate(tokens)}, merges=merges))
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    made.decoder = decoders.ByteLevel()
    kinds = field("tokenizer.ggml.token_type")
    made.add_special_tokens([AddedToken(t, special=True) for t, k in zip(tokens, kinds) if k == CONTROL_TOKEN])
    return made


def tokenizer_config(field):
    tokens = field("tokenizer.ggml.tokens")

    def token(role):
        return tokens[field(f"tokenizer.ggml.{role}_token_id")]

    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": token("bos"),
        "eos_token": token("eos"),
        "unk_token": token("unknown"),
        "pad_token": token("padding"),
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
        "model_max_length": field("llama.context_length"),
    }


def write_json(file, value):
    file.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def convert(source, folder):
    reader = GGUFReader(source)

    def field(name):
        return reader.fields[name].contents()

    if field("general.architecture") != "llama":
        sys.exit(f"{source} holds a model of the architecture {field('general.architecture')}; only llama is known")
    folder.mkdir(parents=True)
    tensors = weights(reader, field("llama.attention.head_count"), field("llama.attention.head_count_kv"))
    file = folder / "model.safetensors"
    save_file(tensors, file, metadata={"format": "pt"})
    file.chmod(folder.stat().st_mode & 0o666)  # as readable as the folder: save_file lets only its owner read
    shape = config(field, tied="lm_head.weight" not in tensors)
    write_json(folder / "config.json", shape)
    write_json(folder / "generation_config.json", {k: v for k, v in shape.items() if k.endswith("_token_id")})
    tokenizer(field).save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json", tokenizer_config(field))
    (folder / "chat_template.jinja").write_text(field("tokenizer.chat_template"), encoding="utf-8")


if len(sys.argv) != 3:
    sys.exit(__doc__)
convert(sys.argv[1], Path(sys.argv[2]))
