"""Trains the quickstart with the embedded sampler and with vLLM, and compares. See check.sh."""

import json
import math
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

from safetensors.torch import load_file, save_file

ROOT, WORK = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
STEPS, PORT = int(sys.argv[3]), int(sys.argv[4])
URL = f"http://127.0.0.1:{PORT}"
TIED = ROOT / "examples/quickstart/model"
UNTIED = WORK / "untied"

# steps whose sampling is disturbed, in the policy's count: 2 is what is sampled with after two steps
KILLED, RENAMED, REPLACED = 2, 4, STEPS - 1

# both sides compute in F32; sums in another order differ in the last digits
CLOSE = 1e-4


class Server:
    """vLLM, started as docs/rollout-servers.md says."""

    def __init__(self, model):
        self.model = model
        self.starts = 0
        self.start()

    def start(self):
        self.starts += 1
        with open(self.log(), "wb") as log:
            self.process = subprocess.Popen(
                # `vllm serve` of the package for CPUs does not start: it asks for the version of a package of another name
                [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", self.model]
                + ["--enable-scale-out", "--logprobs-mode", "processed_logprobs", "--dtype", "float32"]
                + ["--no-enable-chunked-prefill", "--enforce-eager", "--host", "127.0.0.1", "--port", str(PORT)],
                env={
                    **os.environ,
                    "VLLM_SERVER_DEV_MODE": "1",
                    "VLLM_CPU_KVCACHE_SPACE": "1",
                    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
                    "OMP_NUM_THREADS": "1",
                },
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def log(self):
        return WORK / f"vllm-{self.model.name}-{self.starts}.log"

    def await_healthy(self):
        for _ in range(900):
            try:
                ask("/health")
                return
            except OSError:
                if self.process.poll() is not None:
                    sys.exit(f"vLLM ended; its output is in {self.log()}")
                time.sleep(1)
        sys.exit("vLLM is not healthy after 15 min")

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def ask(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=600) as reply:
        text = reply.read()
    return json.loads(text) if text else {}


def job(name, model, rollout):
    text = (ROOT / "examples/quickstart/rlvrjob.yaml").read_text()
    text = text.replace("  name: quickstart", f"  name: {name}")
    text = text.replace("bundled://quickstart/model", f"file://{model}")
    text = re.sub(r"steps: \d+", f"steps: {STEPS}", text)
    text = re.sub(r"  evaluation:\n.*?\n  trainer:", "  trainer:", text, flags=re.DOTALL)
    text = text.replace("  rollout:", "  rollout:" + rollout)
    file = WORK / f"{name}.yaml"
    file.write_text(text)
    return file


def start(name, model, engine=""):
    log = open(WORK / f"{name}.log", "wb")
    return subprocess.Popen(
        [ROOT / "rlvr", "run", job(name, model, engine), "--work", WORK / name], stdout=log, stderr=subprocess.STDOUT
    )


def metrics(name):
    return [json.loads(line) for line in (WORK / name / "metrics.jsonl").read_text().splitlines()]


def output(name):
    files = [WORK / f"{name}.log", *sorted((WORK / name / "logs").glob("*"))]
    return "".join(file.read_text(errors="replace") for file in files)


def untie():
    """The same model with a head of its own: vLLM on CPUs does not renew one that it has made of the embeddings."""
    shutil.copytree(TIED, UNTIED)
    config = json.loads((TIED / "config.json").read_text())
    (UNTIED / "config.json").write_text(json.dumps({**config, "tie_word_embeddings": False}))
    tensors = load_file(TIED / "model.safetensors")
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].clone()
    save_file(tensors, UNTIED / "model.safetensors", metadata={"format": "pt"})


def await_version(step, run):
    """Waits until the server samples with the weights after so many steps."""
    while True:
        try:
            version = ask("/weight_info")["weight_version"]
        except OSError:
            version = "none"
        if version.startswith(f"step-{step}-"):
            return version
        if run.poll() is not None:
            sys.exit(f"the run ended before the server had the weights of step {step}")
        time.sleep(0.05)


def replace_weights(name):
    """What another program does that gives the server the weights it has started with."""
    ask("/pause?mode=keep", {})
    ask("/collective_rpc", {"method": "reload_weights", "kwargs": {"weights_path": str(UNTIED)}})
    if name:
        ask("/update_weight_version", {"new_version": name})
    ask("/resume", {})


failures = []


def check(passed, what):
    print(("ok    " if passed else "WRONG ") + what, flush=True)
    if not passed:
        failures.append(what)


def rewards(run):
    return [step["reward"] for step in run]


def curve(run):
    return " ".join(f"{reward:.3f}" for reward in rewards(run))


VLLM = f"\n    engine: Vllm\n    servers: {{urls: ['{URL}']}}"
REFUSAL = "spec.rollout.engine: Vllm: answers are not from the weights after step "

untie()
server = Server(UNTIED)
try:
    if start("embedded", UNTIED).wait() != 0:
        sys.exit(f"the run with the embedded sampler failed: {WORK}/embedded.log")
    server.await_healthy()
    run = start("vllm", UNTIED, VLLM)
    await_version(KILLED, run)
    server.kill()
    server.start()
    await_version(KILLED, run)
    await_version(RENAMED, run)
    replace_weights("another-run")
    await_version(RENAMED, run)
    await_version(REPLACED, run)
    replace_weights("")
    replaced = run.wait()
finally:
    server.kill()
server = Server(TIED)
try:
    server.await_healthy()
    tied = start("tied", TIED, VLLM).wait()
finally:
    server.kill()

embedded, served, log = metrics("embedded"), metrics("vllm"), output("vllm")
differences = [step["sampling/logprob_diff_mean"] for step in served]
print("reward, embedded:", curve(embedded))
print("reward, vLLM:    ", curve(served))
print("logprob_diff_mean:", " ".join(f"{difference:.1e}" for difference in differences))
check(max(differences) < CLOSE, f"log-probabilities are the trainer's: largest mean difference {max(differences):.1e} nats")
check("rollout server left out" in log and f"is used again, with weights step-{KILLED}-" in log,
      "the killed server got the weights before it was used")
check("another-run" in log and f"is used again, with weights step-{RENAMED}-" in log,
      "answers of another run's weights were not taken")
check(replaced != 0 and REFUSAL + str(REPLACED) in log and len(served) == REPLACED,
      "other weights under the right name end the job before anything is learned from them")
check(tied != 0 and REFUSAL + "1" in output("tied") and len(metrics("tied")) == 1,
      "so does the old head of tied embeddings, at the first update")
count = len(served) * 16 * 8
mean, other = (sum(rewards(each[: len(served)])) / len(served) for each in (served, embedded))
error = math.sqrt((mean * (1 - mean) + other * (1 - other)) / count) * 2  # answers to one prompt are not independent
check(abs(mean - other) < 3 * error, f"mean reward {mean:.3f}, embedded {other:.3f}, standard error {error:.3f}")
sys.exit(1 if failures else 0)
