"""Whole GRPO steps by TRL: one gradient step per rollout batch, DAPO loss on the forking fifth. Adds a line to steps.jsonl after each step.

Variants: trl (as it comes) and trl-no-checkpointing (its faster setting)."""

import json
from pathlib import Path

import side
import torch
from datasets import load_dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

PROMPTS, ANSWERS, ANSWER_TOKENS = 8, 8, 128


class Steps(TrainerCallback):
    def __init__(self, file):
        self.file = file

    def on_step_end(self, args, state, control, **kwargs):
        with open(self.file, "a", encoding="utf-8") as out:
            out.write(json.dumps({"step": state.global_step}) + "\n")


def reward(completions, **kwargs):
    return [1.0 if text.endswith("a") else 0.0 for text in completions]


def main():
    options = side.options()
    folder = Path(options.folder)
    folder.mkdir(parents=True, exist_ok=True)
    config = GRPOConfig(
        output_dir=str(folder / "trl"),
        use_cpu=True,
        bf16=options.precision == "BF16",
        gradient_checkpointing=options.variant == "trl",
        per_device_train_batch_size=PROMPTS * ANSWERS,
        gradient_accumulation_steps=1,
        num_generations=ANSWERS,
        max_completion_length=ANSWER_TOKENS,
        temperature=1.0,
        loss_type="dapo",
        epsilon=0.2,
        epsilon_high=0.28,
        top_entropy_quantile=0.2,
        learning_rate=side.LEARNING_RATE,
        lr_scheduler_type="constant",
        max_steps=options.steps,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        seed=0,
    )
    trainer = GRPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32),
        processing_class=AutoTokenizer.from_pretrained(options.model),
        reward_funcs=reward,
        args=config,
        train_dataset=load_dataset("json", data_files=options.problems, split="train"),
        callbacks=[Steps(folder / "steps.jsonl")],
    )
    trainer.train()


main()
