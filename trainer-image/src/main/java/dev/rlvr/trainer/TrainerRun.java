package dev.rlvr.trainer;

import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.rlvr.crds.Durations;
import dev.rlvr.crds.RLVRJobSpec;
import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.trainer.checkpoint.CheckpointManifest;
import dev.rlvr.trainer.checkpoint.CheckpointWriter;
import dev.rlvr.trainer.checkpoint.Checkpoints;
import dev.rlvr.trainer.checkpoint.HostMemory;
import dev.rlvr.trainer.data.ProblemStream;
import dev.rlvr.trainer.model.Decoder;
import dev.rlvr.trainer.model.ModelConfig;
import dev.rlvr.trainer.model.ModelTensors;
import dev.rlvr.trainer.model.Safetensors;
import dev.rlvr.trainer.model.Weights;
import dev.rlvr.trainer.objective.PolicyLoss;
import dev.rlvr.trainer.optimizer.AdamW;
import dev.rlvr.trainer.report.KubernetesStatus;
import dev.rlvr.trainer.report.StatusFile;
import dev.rlvr.trainer.report.StatusPatch;
import dev.rlvr.trainer.report.StatusSink;
import dev.rlvr.trainer.report.StepLog;
import dev.rlvr.trainer.report.TrainerStatus.Phase;
import dev.rlvr.trainer.reward.VerifierPool;
import dev.rlvr.trainer.rollout.Rollouts;
import dev.rlvr.trainer.rollout.Sampler;
import dev.rlvr.trainer.rollout.TextCodec;
import dev.rlvr.trainer.torch.Torch;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One attempt at a job: puts the trainer together from its inputs and the newest checkpoint, and runs it. */
final class TrainerRun {
    private static final Logger LOG = LoggerFactory.getLogger(TrainerRun.class);

    private final Inputs inputs;
    private final RLVRJobSpec spec;
    private final Path work;
    private final Map<String, String> environment;
    private final StopSignal stop;
    private final InstantSource clock;

    TrainerRun(Inputs inputs, Path work, Map<String, String> environment, StopSignal stop, InstantSource clock) {
        this.inputs = inputs;
        this.spec = inputs.job().getSpec();
        this.work = work;
        this.environment = environment;
        this.stop = stop;
        this.clock = clock;
    }

    void run() throws IOException, InterruptedException {
        Checkpoints checkpoints =
                new Checkpoints(work.resolve("checkpoints"), spec.checkpoint().keep());
        Optional<Checkpoints.Saved> newest = checkpoints.newest();
        String digest = digest();
        newest.ifPresent(saved -> requireSameJob(saved, digest));
        CheckpointManifest from = newest.map(Checkpoints.Saved::manifest)
                .orElse(new CheckpointManifest(0, 0, 0, 0, digest, "", Map.of()));
        int steps = spec.algorithm().steps();
        StepLog log = new StepLog(name(), attempt(), steps);
        try (RunReport report = new RunReport(work, from.step(), steps, log, sinks(), clock);
                TextCodec codec = TextCodec.open(inputs.model().tokenizerFile());
                NDManager owner = Torch.start(threads())) {
            LOG.info(inputs.memory().summary());
            report.phase(Phase.LOADING);
            LOG.info(
                    "{} attempt {}: {} from step {} of {}",
                    name(),
                    attempt(),
                    newest.isPresent() ? "going on" : "starting",
                    from.step(),
                    steps);
            Weights weights = weights(owner, newest);
            try (Decoder decoder = new Decoder(owner, weights, MemoryPlan.precision(spec), longest());
                    AdamW optimizer = optimizer(owner, weights, newest);
                    PolicyLoss loss = new PolicyLoss(spec.algorithm().clip());
                    CheckpointWriter writer =
                            new CheckpointWriter(checkpoints, new HostMemory(), saved -> published(report, saved));
                    VerifierPool verifiers = verifiers()) {
                Sampler sampler = new Sampler(decoder, owner, inputs.memory().rows(), stop::requested);
                ProblemStream problems =
                        new ProblemStream(inputs.problems(), spec.data().shuffleSeed());
                PolicyUpdate update = new PolicyUpdate(
                        decoder,
                        ModelTensors.zeros(owner, weights.config()),
                        optimizer,
                        loss,
                        spec.algorithm(),
                        spec.rollout().temperature(),
                        spec.trainer().microBatchTokens(),
                        inputs.memory().recomputation());
                Trainer.Parts parts = new Trainer.Parts(
                        inputs,
                        decoder,
                        codec,
                        optimizer,
                        new Rollouts(spec, problems, codec, sampler, verifiers, clock),
                        update,
                        new Evaluator(
                                sampler,
                                codec,
                                verifiers,
                                spec.rollout().maxResponseTokens(),
                                spec.algorithm().seed()),
                        writer,
                        report,
                        work,
                        digest);
                new Trainer(parts, from, stop::requested, clock).run();
            }
        }
    }

    private void published(RunReport report, Checkpoints.Saved saved) {
        report.checkpoint(new RLVRJobStatus.Checkpoint(
                saved.manifest().step(),
                work.relativize(saved.folder()).toString(),
                saved.manifest().savedAt()));
    }

    private Weights weights(NDManager owner, Optional<Checkpoints.Saved> newest) throws IOException {
        Optional<Checkpoints.Saved> source = newest.or(inputs::resume);
        if (source.isEmpty()) {
            return Weights.load(owner, inputs.model());
        }
        ModelConfig config = inputs.model().config();
        return Weights.load(owner, config, Safetensors.open(source.get().file("model.safetensors")));
    }

    private AdamW optimizer(NDManager owner, Weights weights, Optional<Checkpoints.Saved> newest) throws IOException {
        if (newest.isEmpty()) {
            return AdamW.start(owner, weights, spec.algorithm().optimizer());
        }
        return AdamW.resume(
                owner,
                weights,
                spec.algorithm().optimizer(),
                newest.get().file("optimizer.safetensors"),
                newest.get().manifest().optimizerSteps());
    }

    private VerifierPool verifiers() {
        return new VerifierPool(inputs.verifier(), Durations.parse(spec.reward().timeout()), threads());
    }

    private List<StatusSink> sinks() {
        List<StatusSink> sinks = new ArrayList<>();
        sinks.add(new StatusFile(work.resolve(RunReport.STATUS)));
        if ("Kubernetes".equals(environment.get("RLVR_STATUS"))) {
            StatusPatch patch = StatusPatch.inPod(inputs.job().getMetadata(), environment);
            sinks.add(new KubernetesStatus(patch, KubernetesStatus.INTERVAL));
        }
        return sinks;
    }

    private int longest() {
        return spec.data().maxPromptTokens() + spec.rollout().maxResponseTokens();
    }

    private int threads() {
        int asked = spec.trainer().threadsPerRank();
        return asked > 0 ? asked : Runtime.getRuntime().availableProcessors();
    }

    private String name() {
        return inputs.job().getMetadata().getNamespace() + "/"
                + inputs.job().getMetadata().getName();
    }

    private int attempt() {
        return Integer.parseInt(environment.getOrDefault("RLVR_ATTEMPT", "1"));
    }

    private void requireSameJob(Checkpoints.Saved saved, String digest) {
        if (!saved.manifest().job().equals(digest)) {
            throw new InputException(
                    "--work: the checkpoints in " + saved.folder().getParent()
                            + " belong to another model, data, reward, algorithm or rollout; give another folder, or start anew without them");
        }
    }

    /** Of all that the state depends on: a checkpoint of something else must not be taken up. */
    private String digest() {
        try {
            String state = new ObjectMapper()
                    .writeValueAsString(
                            List.of(spec.model(), spec.data(), spec.reward(), spec.algorithm(), spec.rollout()));
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(state.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash);
        } catch (IOException | NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
