package dev.rlvr.trainer;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.rlvr.crds.Durations;
import dev.rlvr.crds.RLVRJobSpec;
import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.trainer.checkpoint.CheckpointManifest;
import dev.rlvr.trainer.checkpoint.CheckpointWriter;
import dev.rlvr.trainer.checkpoint.Checkpoints;
import dev.rlvr.trainer.checkpoint.HostMemory;
import dev.rlvr.trainer.checkpoint.RankFiles;
import dev.rlvr.trainer.collectives.Collectives;
import dev.rlvr.trainer.collectives.Gloo;
import dev.rlvr.trainer.collectives.Meeting;
import dev.rlvr.trainer.data.Problem;
import dev.rlvr.trainer.data.ProblemStream;
import dev.rlvr.trainer.launch.World;
import dev.rlvr.trainer.model.Decoder;
import dev.rlvr.trainer.model.TensorFiles;
import dev.rlvr.trainer.model.UnitTensors;
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
import dev.rlvr.trainer.rollout.AnswerSource;
import dev.rlvr.trainer.rollout.LengthHistory;
import dev.rlvr.trainer.rollout.RolloutPipeline;
import dev.rlvr.trainer.rollout.Rollouts;
import dev.rlvr.trainer.rollout.Sampler;
import dev.rlvr.trainer.rollout.SharedAnswers;
import dev.rlvr.trainer.rollout.TextCodec;
import dev.rlvr.trainer.rollout.server.Patience;
import dev.rlvr.trainer.rollout.server.Protocol;
import dev.rlvr.trainer.rollout.server.Role;
import dev.rlvr.trainer.rollout.server.RolloutServers;
import dev.rlvr.trainer.sharding.Groups;
import dev.rlvr.trainer.sharding.ShardedState;
import dev.rlvr.trainer.torch.Torch;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One attempt at a job: puts the trainer together from its inputs and the newest checkpoint, and runs it. */
final class TrainerRun {
    private static final Logger LOG = LoggerFactory.getLogger(TrainerRun.class);

    /** In place of a step, where there is no checkpoint. */
    private static final long NONE = -1;

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
        Duration patience = Durations.parse(spec.lifecycle().stallDeadline());
        Optional<Meeting> meeting = Meeting.of(environment, patience);
        try (NDManager owner = Torch.start(threads(), device());
                Collectives group = meeting.isPresent() ? meet(meeting.get(), owner) : Collectives.alone();
                Groups groups = Groups.of(group, spec.trainer())) {
            RankFiles ranks = new RankFiles(group.rank(), group.size(), patience, group::barrier);
            run(owner, groups, ranks);
        }
    }

    /** A rank sees the GPU that its launcher gave it alone; one without a launcher takes the first. */
    private Device device() {
        return onGpu() ? Device.gpu(0) : Device.cpu();
    }

    private boolean onGpu() {
        return spec.trainer().gpusPerReplica() > 0;
    }

    private Collectives meet(Meeting meeting, NDManager owner) throws InterruptedException {
        Gloo control = Gloo.open(meeting, owner);
        return onGpu() ? Gpus.of(environment).together(control, meeting.timeout(), owner) : control;
    }

    private void run(NDManager owner, Groups groups, RankFiles ranks) throws IOException, InterruptedException {
        Collectives group = groups.all();
        Checkpoints checkpoints = new Checkpoints(
                work.resolve("checkpoints"),
                spec.checkpoint().keep(),
                inputs.model().description());
        Optional<Checkpoints.Saved> newest = newest(checkpoints, group);
        String digest = digest();
        newest.ifPresent(saved -> requireSameJob(saved, digest));
        CheckpointManifest from = newest.map(Checkpoints.Saved::manifest)
                .orElse(new CheckpointManifest(0, 0, 0, 0, digest, "", Map.of()));
        try (Report report = report(from, group);
                TextCodec codec = TextCodec.open(inputs.model().tokenizerFile())) {
            report.phase(Phase.LOADING);
            if (group.rank() == 0) {
                LOG.info(inputs.memory().summary());
                LOG.info(
                        "{} attempt {}: {} from step {} of {}",
                        name(),
                        attempt(),
                        newest.isPresent() ? "going on" : "starting",
                        from.step(),
                        spec.algorithm().steps());
            }
            ShardedState state = ShardedState.zeros(owner, inputs.model().config(), spec.trainer(), groups);
            Weights weights = weights(state, newest);
            // what is sampled ahead must not come between the calls of the loop
            SharedAnswers shared = new SharedAnswers(
                    spec.rollout().maxStaleness() > 0
                            ? group.among("rollouts-ahead", group.rank(), group.size())
                            : group,
                    switch (spec.rollout().engine()) {
                        case Embedded -> SharedAnswers.Unit.ANSWER;
                        case Sglang, Vllm -> SharedAnswers.Unit.PROMPT;
                    },
                    clock);
            try (Decoder decoder =
                            new Decoder(owner, weights, MemoryPlan.precision(spec), longest(), groups.sharing());
                    AdamW optimizer = optimizer(owner, state, newest);
                    PolicyLoss loss = new PolicyLoss(spec.algorithm().clip());
                    CheckpointWriter writer = new CheckpointWriter(
                            checkpoints, new HostMemory(), ranks, saved -> published(report, saved));
                    VerifierPool verifiers = verifiers();
                    AnswerSource answers = answers(decoder, state, owner, group);
                    RolloutPipeline rollouts = new RolloutPipeline(
                            new Rollouts(spec, problems(), codec, answers, verifiers, shared, clock),
                            answers,
                            spec.rollout().maxStaleness())) {
                Trainer.Parts parts = new Trainer.Parts(
                        owner,
                        inputs,
                        codec,
                        optimizer,
                        answers,
                        rollouts,
                        new PolicyUpdate(
                                decoder,
                                state,
                                optimizer,
                                loss,
                                group,
                                spec,
                                inputs.memory().recomputation()),
                        new Evaluator(
                                answers,
                                codec,
                                verifiers,
                                shared,
                                spec.rollout().maxResponseTokens(),
                                spec.algorithm().seed()),
                        writer,
                        report,
                        group,
                        state,
                        ranks,
                        work,
                        digest);
                new Trainer(parts, from, lengths(newest), stop::requested, clock).run();
                // nobody leaves while another still needs an answer
                group.barrier();
            }
        }
    }

    private ProblemStream problems() {
        return new ProblemStream(inputs.problems(), spec.data().shuffleSeed());
    }

    /** The newest checkpoint that is whole: the first rank says which are there, and each checks a share of the files. */
    private static Optional<Checkpoints.Saved> newest(Checkpoints checkpoints, Collectives group) throws IOException {
        Iterator<Checkpoints.Saved> candidates =
                group.rank() == 0 ? checkpoints.complete().iterator() : Collections.emptyIterator();
        while (true) {
            long step = group.first(
                    candidates.hasNext() ? candidates.next().manifest().step() : NONE);
            if (step == NONE) {
                return Optional.empty();
            }
            Checkpoints.Saved saved = checkpoints.found(Math.toIntExact(step));
            if (!group.any(!checkpoints.whole(saved, group.rank(), group.size()))) {
                return Optional.of(saved);
            }
        }
    }

    private Report report(CheckpointManifest from, Collectives group) throws IOException {
        if (group.rank() > 0) {
            return SilentReport.INSTANCE;
        }
        int steps = spec.algorithm().steps();
        StepLog log = new StepLog(name(), attempt(), steps);
        return new RunReport(work, from.step(), steps, log, sinks(), clock);
    }

    private AnswerSource answers(Decoder decoder, ShardedState state, NDManager owner, Collectives group) {
        return switch (spec.rollout().engine()) {
            case Embedded -> new Sampler(decoder, owner, inputs.memory().rows(), stop::requested);
            case Sglang -> servers(Protocol.SGLANG, state, owner, group);
            case Vllm -> servers(Protocol.VLLM, state, owner, group);
        };
    }

    private AnswerSource servers(Protocol protocol, ShardedState state, NDManager owner, Collectives group) {
        return new RolloutServers(
                protocol,
                servers(),
                Set.copyOf(inputs.model().config().endTokens()),
                work.resolve("rollout-weights"),
                HexFormat.of().toHexDigits((int) group.first(new SecureRandom().nextInt())),
                folder -> export(folder, state.stream(owner), group),
                Role.of(group.rank(), group.size()),
                Patience.of(Durations.parse(spec.lifecycle().startDeadline())),
                stop::requested);
    }

    /** Where servers listen: whoever started the trainer says it of those that belong to the job. */
    private List<URI> servers() {
        List<String> urls = spec.rollout().serverUrls();
        if (urls.isEmpty()) {
            urls = Optional.ofNullable(environment.get("RLVR_SERVERS")).map(all -> List.of(all.split(","))).stream()
                    .flatMap(List::stream)
                    .toList();
        }
        if (urls.isEmpty()) {
            throw new InputException("RLVR_SERVERS: is not set; whoever starts the trainer starts the servers of"
                    + " spec.rollout.servers, too, and says there where they listen");
        }
        return urls.stream().map(URI::create).toList();
    }

    /** All ranks give their parts of the weights; the first writes. */
    private void export(Path folder, Iterator<UnitTensors> units, Collectives group) throws IOException {
        if (group.rank() == 0) {
            inputs.model().export(folder, units);
        } else {
            units.forEachRemaining(_ -> {});
        }
    }

    private void published(Report report, Checkpoints.Saved saved) {
        report.checkpoint(new RLVRJobStatus.Checkpoint(
                saved.manifest().step(),
                work.relativize(saved.folder()).toString(),
                saved.manifest().savedAt()));
    }

    private Weights weights(ShardedState state, Optional<Checkpoints.Saved> newest) throws IOException {
        Optional<Checkpoints.Saved> source = newest.or(inputs::resume);
        return source.isEmpty()
                ? Weights.load(state.weights(), inputs.model())
                : Weights.of(state.weights().read(TensorFiles.open(source.get().files("model")), ""));
    }

    private AdamW optimizer(NDManager owner, ShardedState state, Optional<Checkpoints.Saved> newest)
            throws IOException {
        AdamW optimizer = AdamW.start(
                owner,
                state.owned(),
                spec.algorithm().optimizer(),
                state.zerosLikeOwned(owner),
                state.zerosLikeOwned(owner));
        return newest.isEmpty()
                ? optimizer
                : optimizer.resume(
                        TensorFiles.open(newest.get().files("optimizer")),
                        newest.get().manifest().optimizerSteps());
    }

    /** A checkpoint of a version that did not measure lengths has none. */
    private LengthHistory lengths(Optional<Checkpoints.Saved> newest) throws IOException {
        int problems =
                1 + inputs.problems().stream().mapToInt(Problem::index).max().orElseThrow();
        Optional<Path> file = newest.filter(saved -> saved.manifest().files().containsKey(LengthHistory.FILE))
                .map(saved -> saved.file(LengthHistory.FILE));
        return file.isPresent() ? LengthHistory.read(file.get(), problems) : LengthHistory.none(problems);
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
        return World.of(spec.trainer(), environment)
                .threads(spec.trainer(), environment, Runtime.getRuntime().availableProcessors());
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
                    .writeValueAsString(List.of(
                            spec.model(),
                            spec.data(),
                            spec.reward(),
                            spec.algorithm(),
                            spec.rollout().withoutServers()));
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(state.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash);
        } catch (IOException | NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
