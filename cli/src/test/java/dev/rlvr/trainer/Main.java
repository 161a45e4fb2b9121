package dev.rlvr.trainer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Keeps the contract of {@code docs/trainer.md} without training: it counts steps. What it does out of the ordinary stands in
 * {@code behaviour.properties} of the bundled folder:
 *
 * <ul>
 *   <li>{@code stepMillis}: how long a step takes, and {@code endlessStep}: the step that takes for ever
 *   <li>{@code crashAfterStep}, {@code crashAttempts}: fails after that step in the first so many attempts
 *   <li>{@code deaf}: does not notice that standard input closes
 *   <li>{@code stubborn}: does not stop on SIGTERM
 *   <li>{@code badInput}: what {@code --check} complains of
 * </ul>
 */
public final class Main {
    private final JsonNode spec;
    private final Path work;
    private final Properties behaviour;
    private final int attempt = Integer.parseInt(System.getenv().getOrDefault("RLVR_ATTEMPT", "1"));
    private volatile boolean stopAsked;
    private int saved;
    private String evaluations = "[]";

    private Main(JsonNode spec, Path work, Properties behaviour) {
        this.spec = spec;
        this.work = work;
        this.behaviour = behaviour;
    }

    public static void main(String[] arguments) throws Exception {
        List<String> args = List.of(arguments);
        Properties behaviour = new Properties();
        Path file = Path.of(System.getenv("RLVR_BUNDLED")).resolve("behaviour.properties");
        if (Files.exists(file)) {
            try (var in = Files.newInputStream(file)) {
                behaviour.load(in);
            }
        }
        if (args.contains("--check")) {
            if (behaviour.containsKey("badInput")) {
                System.err.println(behaviour.getProperty("badInput"));
                System.exit(2);
            }
            return;
        }
        if (!System.getenv().getOrDefault("RLVR_REPLICA", "0").equals("0")) {
            follow(Path.of(args.get(args.indexOf("--work") + 1)));
            return;
        }
        JsonNode job = new ObjectMapper(new YAMLFactory())
                .readTree(Path.of(args.get(args.indexOf("--job") + 1)).toFile());
        new Main(job.path("spec"), Path.of(args.get(args.indexOf("--work") + 1)), behaviour).run();
    }

    /** A replica that is not the first does nothing of its own until the first is done. */
    private static void follow(Path work) throws InterruptedException {
        Map<String, String> environment = new TreeMap<>(System.getenv());
        environment.keySet().retainAll(List.of("RLVR_REPLICA", "RLVR_RENDEZVOUS", "RLVR_THREADS", "OMP_NUM_THREADS"));
        System.out.println(environment);
        while (!Files.exists(work.resolve("model"))) {
            Thread.sleep(5);
        }
    }

    private void run() throws Exception {
        Thread main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> finishStep(main)));
        if (!behaviour.containsKey("deaf")) {
            Thread.ofPlatform().daemon().start(this::watchStandardInput);
        }
        System.out.println(
                "attempt " + attempt + " as process " + ProcessHandle.current().pid());
        System.out.println("servers " + System.getenv("RLVR_SERVERS"));
        System.out.println("sources " + System.getenv("RLVR_SOURCES"));
        saved = newestCheckpoint();
        truncateMetrics();
        int steps = spec.path("algorithm").path("steps").asInt();
        report(saved, "evaluating");
        if (saved == 0) {
            evaluate(0, 0.34);
        }
        for (int step = saved + 1; step <= steps; step++) {
            report(step - 1, "training");
            if (!lasts(step)) {
                save(step - 1);
                report(step - 1, "training");
                return;
            }
            finish(step);
            int every = spec.path("checkpoint").path("everySteps").asInt();
            if (step == steps || (every > 0 && step % every == 0)) {
                save(step);
            }
            report(step, "training");
            crashIfAsked(step);
        }
        evaluate(steps, 0.93);
        report(steps, "exporting");
        Files.createDirectories(work.resolve("model"));
        // The hook must not take a normal end for a stop.
        Runtime.getRuntime().halt(0);
    }

    /** Lets the time of a step pass; false where it was left because the trainer has to stop. */
    private boolean lasts(int step) throws InterruptedException {
        boolean endless = Integer.toString(step).equals(behaviour.getProperty("endlessStep"));
        long end = System.nanoTime() + Duration.ofMillis(stepMillis()).toNanos();
        while (!stopAsked && (endless || System.nanoTime() < end)) {
            Thread.sleep(5);
        }
        return !stopAsked;
    }

    private long stepMillis() {
        return Long.parseLong(behaviour.getProperty("stepMillis", "10"));
    }

    private void finishStep(Thread main) {
        stopAsked = !behaviour.containsKey("stubborn");
        try {
            main.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Runtime.getRuntime().halt(75);
    }

    private void watchStandardInput() {
        try {
            int read;
            do {
                read = System.in.read();
            } while (read >= 0);
        } catch (IOException e) {
            // Closed in another way.
        }
        System.exit(75);
    }

    private void crashIfAsked(int step) throws IOException {
        boolean doomed = attempt <= Integer.parseInt(behaviour.getProperty("crashAttempts", "0"));
        if (doomed && step == Integer.parseInt(behaviour.getProperty("crashAfterStep", "-1"))) {
            System.out.println("IllegalStateException: the loss is not a number");
            Files.writeString(
                    Path.of(System.getenv("RLVR_TERMINATION_LOG")), "the loss of step " + step + " is not a number");
            Runtime.getRuntime().halt(1);
        }
    }

    private int newestCheckpoint() throws IOException {
        Path checkpoints = Files.createDirectories(work.resolve("checkpoints"));
        try (Stream<Path> content = Files.list(checkpoints)) {
            return content.filter(folder -> Files.exists(folder.resolve("manifest.json")))
                    .mapToInt(folder ->
                            Integer.parseInt(folder.getFileName().toString().substring(5)))
                    .max()
                    .orElse(0);
        }
    }

    private void save(int step) throws IOException {
        Path folder = Files.createDirectories(work.resolve(String.format("checkpoints/step-%06d", step)));
        Files.writeString(folder.resolve("manifest.json"), "{}");
        saved = step;
    }

    private void truncateMetrics() throws IOException {
        Path metrics = work.resolve("metrics.jsonl");
        if (Files.exists(metrics)) {
            Files.write(metrics, Files.readAllLines(metrics).subList(0, saved));
        }
    }

    private void finish(int step) throws IOException {
        append("metrics.jsonl", """
                {"step": %d, "reward": %.4f, "entropy": %.4f, "entropy_threshold": %.4f, "kept_token_fraction": 0.2, \
                "completions/mean_length": %.1f, "tokens_per_second": 2310}
                """.formatted(step, reward(step), entropy(step), entropy(step) / 4, 56.0 + step % 5));
        Path rollouts = Files.createDirectories(work.resolve("rollouts"));
        Files.writeString(rollouts.resolve(String.format("step-%06d.jsonl", step)), """
                {"prompt": "2+2 <=> ?\\n", "answer": "4", "response": "Split: 4", "token_ids": [5, 6, 7], \
                "tokens": ["Split", ": ", "4"], "logprobs": [-0.7, -0.01, -0.02], "entropies": [0.9, 0.002, 0.01], \
                "reward": 1, "advantage": 0.5, "kept": [true, false, false]}
                {"prompt": "2+2 <=> ?\\n", "answer": "4", "response": "Quick: 5", "token_ids": [8, 6, 9], \
                "tokens": ["Quick", ": ", "5"], "logprobs": [-0.9, -0.01, -0.3], "entropies": [0.95, 0.002, 0.4], \
                "reward": 0, "advantage": -0.5, "kept": [true, false, false]}
                """);
    }

    private void evaluate(int step, double accuracy) throws IOException {
        StringBuilder all = new StringBuilder();
        for (JsonNode evaluation : spec.path("evaluation")) {
            String name = evaluation.path("name").asText();
            int samples = evaluation.path("samples").asInt();
            append("evaluations.jsonl", """
                    {"name": "%s", "step": %d, "problems": 300, "samples": %d, "avg_at_k": %.3f, "pass_at_k": 1, "maj_at_k": 1}
                    """.formatted(name, step, samples, accuracy));
            all.append(all.isEmpty() ? "" : ",").append("""
                            {"name": "%s", "step": %d, "problems": 300, "samples": %d, "avgAtK": %.3f, "passAtK": 1, \
                            "majAtK": 1, "baselineAvgAtK": 0.34}""".formatted(name, step, samples, accuracy));
        }
        evaluations = "[" + all + "]";
    }

    private void report(int step, String phase) throws IOException {
        int steps = spec.path("algorithm").path("steps").asInt();
        Instant now = Instant.now();
        String checkpoint = saved == 0 ? "" : """
                , "checkpoint": {"step": %d, "path": "checkpoints/step-%06d", "savedAt": "%s"}""".formatted(saved, saved, now);
        String status = String.format(
                Locale.ROOT,
                """
                {"phase": "%s", "evaluation": %s, "progress": {"step": %d, "totalSteps": %d, "rewardMean": %.4f, \
                "entropyMean": %.4f, "entropyThreshold": %.4f, "keptTokenFraction": 0.2, "responseTokensMean": 56, \
                "tokensPerSecond": 2310.4, "estimatedCompletion": "%s", "updatedAt": "%s"}%s}
                """,
                phase,
                evaluations,
                step,
                steps,
                reward(step),
                entropy(step),
                entropy(step) / 4,
                now.plus(Duration.ofMillis((steps - step) * stepMillis())),
                now,
                checkpoint);
        Path next = work.resolve("trainer-status.json.next");
        Files.writeString(next, status);
        Files.move(
                next,
                work.resolve("trainer-status.json"),
                StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
    }

    private double reward(int step) {
        return 0.95 - 0.6 * Math.exp(-step / 8.0) + 0.03 * Math.sin(step * 2.1);
    }

    private double entropy(int step) {
        return 0.02 + 0.08 * Math.exp(-step / 10.0);
    }

    private void append(String file, String line) throws IOException {
        Files.writeString(work.resolve(file), line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }
}
