package dev.rlvr.bench;

import dev.rlvr.crds.TrainerSpec.Recomputation;
import dev.rlvr.trainer.model.ModelConfig;
import dev.rlvr.trainer.model.Precision;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** All benchmarks. */
final class Catalogue {
    private static final String PEAK = "peak of the process";
    private static final String PEAK_OF_ROUND = "peak above weights and gradients";
    private static final int BYTES_PER_PARAMETER_IN_A_CHECKPOINT = 12;

    private static final int GRPO_STEPS = 4;
    private static final int PROMPTS = 8;
    private static final int ANSWERS = 8;
    private static final int ANSWER_TOKENS = 128;

    private final Sides sides;

    Catalogue(Sides sides) {
        this.sides = sides;
    }

    List<Benchmark> all() {
        List<Benchmark> all = new ArrayList<>();
        for (Precision precision : Precision.values()) {
            all.add(training("8m", "8m", precision, 8, 10, List.of("eager", "compile", "plain", "plain-compile")));
        }
        for (Precision precision : Precision.values()) {
            // in two, since all sides at once would not fit into 24 GB
            all.add(training("135m", "135m", precision, 4, 5, List.of("eager", "compile")));
            all.add(training("135m-plain", "135m", precision, 4, 5, List.of("plain", "plain-compile")));
        }
        for (Precision precision : Precision.values()) {
            all.add(rollout(precision));
        }
        for (Precision precision : Precision.values()) {
            all.add(grpo("8m", precision, Recomputation.Always, "trl"));
            all.add(grpo("8m-keeping", precision, Recomputation.Never, "trl-no-checkpointing"));
        }
        if (sides.threads() > 1) {
            all.add(ranks());
            all.add(collective("all-reduce", CollectiveSide.What.ALL_REDUCE, CollectiveSide.What.ALL_REDUCE_C10D));
            all.add(collective(
                    "reduce-scatter", CollectiveSide.What.REDUCE_SCATTER, CollectiveSide.What.REDUCE_SCATTER_C10D));
        }
        for (Precision precision : Precision.values()) {
            all.add(head(precision));
        }
        for (CheckpointSide.What what : CheckpointSide.What.values()) {
            all.add(checkpoint(what));
        }
        return List.copyOf(all);
    }

    private static String suffix(Precision precision) {
        return precision.name().toLowerCase(Locale.ROOT);
    }

    private static double tolerance(Precision precision) {
        return switch (precision) {
            case F32 -> 1e-3;
            case BF16 -> 1e-2;
        };
    }

    private Benchmark training(
            String title, String model, Precision precision, int rows, int rounds, List<String> variants) {
        String name = "training-" + title + "-" + suffix(precision);
        int length = 256;
        String[] shape = {"--rows", Integer.toString(rows), "--length", Integer.toString(length)};
        List<Contestant> peers = new ArrayList<>();
        for (String variant : variants) {
            peers.add(sides.peer(variant, name, "training.py", variant, precision, model, shape));
        }
        return new Benchmark(
                name,
                "Training step, %s parameters, batch %d x %d, %s".formatted(model, rows, length, precision),
                (double) rows * length,
                "tokens",
                PEAK,
                tolerance(precision),
                3,
                rounds,
                sides.ours(name, TrainingSide.class, precision, model, shape),
                peers);
    }

    private Benchmark rollout(Precision precision) {
        String name = "rollout-8m-" + suffix(precision);
        int rows = PROMPTS * ANSWERS;
        String[] shape = {"--rows", Integer.toString(rows), "--length", Integer.toString(ANSWER_TOKENS)};
        return new Benchmark(
                name,
                "Rollout, sampled, 8m parameters, %d x %d new tokens, %s".formatted(rows, ANSWER_TOKENS, precision),
                (double) rows * ANSWER_TOKENS,
                "tokens",
                PEAK,
                0,
                1,
                5,
                sides.ours(name, RolloutSide.class, precision, "8m", shape),
                List.of(sides.peer("transformers.generate", name, "rollout.py", "generate", precision, "8m", shape)));
    }

    private Benchmark head(Precision precision) {
        String name = "head-152k-" + suffix(precision);
        String[] shape = {"--rows", "8", "--length", "257"};
        List<Contestant> peers = new ArrayList<>();
        for (String variant : List.of("full", "chunked", "kept")) {
            peers.add(sides.peer(variant, name, "head.py", variant, precision, "head", shape));
        }
        return new Benchmark(
                name,
                "Head and backward, vocabulary 151,936, width 512, 2,048 tokens, fifth kept, %s".formatted(precision),
                2048,
                "tokens",
                PEAK_OF_ROUND,
                tolerance(precision),
                1,
                3,
                sides.ours(name, HeadSide.class, precision, "head", shape),
                peers);
    }

    /** Both sides compute activations again in backward, or both keep them. */
    private Benchmark grpo(String title, Precision precision, Recomputation recomputation, String variant) {
        String name = "grpo-" + title + "-" + suffix(precision);
        Path folder = sides.target().resolve("runs").resolve(name);
        GrpoJob job = new GrpoJob(
                sides.model("8m"),
                folder.resolve("ours"),
                precision,
                recomputation,
                1,
                sides.threads(),
                GRPO_STEPS,
                PROMPTS,
                ANSWERS,
                ANSWER_TOKENS);
        Path out = folder.resolve(variant);
        List<String> arguments = List.of(
                "--variant", variant,
                "--model", sides.model("8m").toString(),
                "--precision", precision.name(),
                "--threads", Integer.toString(sides.threads()),
                "--problems", job.problems().toString(),
                "--steps", Integer.toString(GRPO_STEPS),
                "--folder", out.toString());
        Contestant peer = new WatchedRuns(
                variant, sides.python("grpo.py", arguments), Optional.empty(), out, "steps.jsonl", GRPO_STEPS);
        return new Benchmark(
                name,
                "GRPO step, 8m parameters, %d prompts x %d answers of %d tokens, DAPO loss on the forking fifth, activations %s, %s"
                        .formatted(
                                PROMPTS,
                                ANSWERS,
                                ANSWER_TOKENS,
                                recomputation == Recomputation.Always ? "computed again" : "kept",
                                precision),
                (double) PROMPTS * ANSWERS * ANSWER_TOKENS,
                "tokens",
                PEAK,
                Double.POSITIVE_INFINITY,
                0,
                3,
                job.contestant("ours", sides),
                List.of(peer));
    }

    /** The same job on one rank with all threads, and on as many ranks with one thread each. */
    private Benchmark ranks() {
        String name = "ranks-8m-f32";
        Path folder = sides.target().resolve("runs").resolve(name);
        return new Benchmark(
                name,
                "GRPO step as above, %d ranks of one thread against one rank of %d"
                        .formatted(sides.threads(), sides.threads()),
                (double) PROMPTS * ANSWERS * ANSWER_TOKENS,
                "tokens",
                "sum of the processes' peaks",
                Double.POSITIVE_INFINITY,
                0,
                3,
                ranks(folder.resolve("ranks"), sides.threads(), 1).contestant("ranks", sides),
                List.of(ranks(folder.resolve("threads"), 1, sides.threads()).contestant("threads", sides)));
    }

    private GrpoJob ranks(Path folder, int ranks, int threads) {
        return new GrpoJob(
                sides.model("8m"),
                folder,
                Precision.F32,
                Recomputation.Auto,
                ranks,
                threads,
                GRPO_STEPS,
                PROMPTS,
                ANSWERS,
                ANSWER_TOKENS);
    }

    /** Ours, libtorch's own over the same Gloo, and a copy in memory. */
    private Benchmark collective(String title, CollectiveSide.What ours, CollectiveSide.What own) {
        String name = "collective-" + title;
        return new Benchmark(
                name,
                "%s of %d MB of F32 between two ranks of one thread".formatted(title, CollectiveSide.BYTES / 1_000_000),
                (double) CollectiveSide.TIMES * CollectiveSide.BYTES,
                "bytes",
                PEAK,
                Double.POSITIVE_INFINITY,
                1,
                10,
                sides.ours("ours", name, CollectiveSide.class, List.of(ours.name())),
                List.of(
                        sides.ours("c10d", name, CollectiveSide.class, List.of(own.name())),
                        sides.ours("memory copy", name, CollectiveSide.class, List.of("COPY"))));
    }

    private Benchmark checkpoint(CheckpointSide.What what) {
        String name = "checkpoint-" + what.name().toLowerCase(Locale.ROOT);
        String model = "135m";
        long bytes = ModelConfig.read(sides.model(model)).parameters() * BYTES_PER_PARAMETER_IN_A_CHECKPOINT;
        Path folder = sides.target().resolve("runs").resolve(name);
        List<String> ours = List.of(
                what.name(),
                "--model",
                sides.model(model).toString(),
                "--precision",
                Precision.F32.name(),
                "--threads",
                Integer.toString(sides.threads()),
                "--folder",
                folder.resolve("ours").toString());
        List<Contestant> peers = new ArrayList<>();
        for (String access : List.of("cached", "direct")) {
            List<String> disk = List.of(
                    what == CheckpointSide.What.READ ? "read" : "write",
                    access,
                    folder.resolve(access).toString(),
                    Long.toString(bytes));
            peers.add(sides.ours("disk, " + access, name, DiskSide.class, disk));
        }
        String measured = switch (what) {
            case WRITE -> "Checkpoint until it is on the disk";
            case STALL -> "Checkpoint until training may go on, beside writing as much to the disk";
            case READ -> "Checkpoint from the disk to weights and optimizer";
        };
        return new Benchmark(
                name,
                "%s, 135m parameters, %.2f GB".formatted(measured, bytes / 1e9),
                bytes,
                "bytes",
                PEAK,
                1e-3,
                1,
                5,
                sides.ours("ours", name, CheckpointSide.class, ours),
                peers);
    }
}
