package dev.rlvr.e2e.memory;

import dev.rlvr.e2e.RandomModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Runs jobs of three steps through {@code ./rlvr run} and compares the peak of each trainer process's resident memory with what it predicted. Fails where
 * they differ by more than 20 %. The models' weights are random, so that answers are as long as they may be, and about half of them are right by
 * chance, since every token is a word: without a gradient nothing writes to the optimizer's moments, which then take no memory. {@code e2e/memory/run.sh} starts it.
 */
final class MemoryTable {
    private static final double TOLERANCE = 0.2;
    private static final Pattern PREDICTED = Pattern.compile("memory: at most about ([\\d.]+) (MB|GB)");
    private static final Pattern PID = Pattern.compile("\"pid\"\\s*:\\s*(\\d+)");
    private static final RandomModel SMALL = new RandomModel(4096, 256, 1024, 6, 8, 4, 64);
    private static final RandomModel MIDDLE = new RandomModel(8192, 512, 1536, 12, 8, 4, 64);
    private static final RandomModel SMOLLM2 = new RandomModel(49_152, 576, 1536, 30, 9, 3, 64);

    private static final String TWO_RANKS =
            "recomputation: Always, microBatchTokens: 4096, ranksPerReplica: 2, sharding: ";

    private final Path checkout;
    private final Path folder;

    private MemoryTable(Path checkout, Path folder) {
        this.checkout = checkout;
        this.folder = folder;
    }

    /** A job: {@code answers} to each of {@code prompts} prompts, of {@code tokens} tokens each, in one mini-batch. */
    private record Job(String name, RandomModel model, int prompts, int answers, int tokens, String trainer) {}

    /** Arguments: the checkout and a folder for the runs, which must not exist. */
    public static void main(String[] args) throws IOException, InterruptedException {
        MemoryTable table = new MemoryTable(
                Path.of(args[0]).toAbsolutePath(), Path.of(args[1]).toAbsolutePath());
        boolean all = true;
        System.out.println("| model | answers | trainer | predicted | measured | predicted / measured |");
        System.out.println("|---|---|---|---|---|---|");
        for (Job job : new Job[] {
            new Job("8 M", SMALL, 8, 8, 128, "precision: F32, recomputation: Never"),
            new Job("8 M", SMALL, 16, 8, 256, "precision: BF16, recomputation: Never, microBatchTokens: 4096"),
            new Job("39 M", MIDDLE, 8, 8, 192, "precision: F32, recomputation: Never, microBatchTokens: 4096"),
            new Job("39 M", MIDDLE, 8, 8, 192, "precision: F32, recomputation: Always, microBatchTokens: 4096"),
            new Job("39 M", MIDDLE, 8, 8, 192, TWO_RANKS + "None"),
            new Job("39 M", MIDDLE, 8, 8, 192, TWO_RANKS + "Gradients"),
            new Job("39 M", MIDDLE, 8, 8, 192, TWO_RANKS + "Parameters"),
            new Job("135 M", SMOLLM2, 4, 4, 64, "precision: BF16, recomputation: Auto"),
        }) {
            all &= table.measure(job);
        }
        System.exit(all ? 0 : 1);
    }

    private boolean measure(Job job) throws IOException, InterruptedException {
        Path here = Files.createDirectories(folder.resolve("job-" + Integer.toHexString(job.hashCode())));
        job.model().write(here.resolve("model"), checkout.resolve("examples/quickstart/model"));
        nameAllTokens(here.resolve("model/tokenizer.json"), job.model().vocabulary());
        StringBuilder problems = new StringBuilder();
        for (int i = 0; i < 64; i++) {
            problems.append("{\"prompt\": \"%d + %d = \", \"answer\": \"e\"}%n".formatted(i % 10, i % 7));
        }
        Files.writeString(here.resolve("problems.jsonl"), problems);
        Files.writeString(here.resolve("job.yaml"), """
                apiVersion: rlvr.dev/v1alpha1
                kind: RLVRJob
                metadata: {name: memory}
                spec:
                  model: {source: 'file://%1$s/model'}
                  data: {source: 'file://%1$s/problems.jsonl', maxPromptTokens: 8}
                  reward: {verifier: Exact, answerPattern: '([eo])'}
                  algorithm:
                    steps: 3
                    promptsPerBatch: %2$d
                    groupSize: %3$d
                    miniBatchPrompts: %2$d
                    dynamicSampling: {enabled: false}
                  rollout: {maxResponseTokens: %4$d}
                  trainer: {gpusPerReplica: 0, %5$s}
                  checkpoint: {everySteps: 1, exportHuggingFace: false}
                """.formatted(
                        here, job.prompts(), job.answers(), job.tokens(), job.trainer()));
        double measured = run(here);
        double predicted = predicted(here);
        double ratio = predicted / measured;
        System.out.printf(
                Locale.ROOT,
                "| %s | %d x %d x %d | %s | %.2f GB | %.2f GB | %.2f |%n",
                job.name(),
                job.prompts(),
                job.answers(),
                job.tokens(),
                job.trainer(),
                predicted,
                measured,
                ratio);
        return Math.abs(ratio - 1) <= TOLERANCE;
    }

    /** Gives tokens without a word one, every other with an e and the rest with an o, which is what the reward asks for. */
    private static void nameAllTokens(Path tokenizer, int vocabulary) throws IOException {
        String json = Files.readString(tokenizer);
        int open = json.indexOf("\"vocab\": {") + "\"vocab\": {".length();
        long named = Pattern.compile("\": \\d+")
                .matcher(json.substring(open, json.indexOf('}', open)))
                .results()
                .count();
        StringBuilder words = new StringBuilder();
        for (long token = named; token < vocabulary; token++) {
            words.append("\"%s%d\": %d,".formatted(token % 2 == 0 ? "e" : "o", token, token));
        }
        Files.writeString(tokenizer, json.substring(0, open) + words + json.substring(open));
    }

    /** Peak of the trainer's resident memory in GB. */
    private double run(Path here) throws IOException, InterruptedException {
        Process command = new ProcessBuilder(
                        checkout.resolve("rlvr").toString(),
                        "run",
                        here.resolve("job.yaml").toString(),
                        "--work",
                        here.resolve("work").toString())
                .redirectErrorStream(true)
                .redirectOutput(here.resolve("log.txt").toFile())
                .start();
        double peak = 0;
        while (!command.waitFor(100, TimeUnit.MILLISECONDS)) {
            peak = Math.max(peak, resident(here.resolve("work/trainers.json")));
        }
        if (command.exitValue() != 0) {
            throw new IOException("the run failed: " + here.resolve("log.txt"));
        }
        return peak;
    }

    private static double resident(Path trainers) throws IOException {
        Matcher pid = Files.exists(trainers) ? PID.matcher(Files.readString(trainers)) : PID.matcher("");
        if (!pid.find()) {
            return 0;
        }
        // of several ranks the largest: each is predicted by itself
        return ProcessHandle.of(Long.parseLong(pid.group(1))).stream()
                .flatMap(trainer -> Stream.concat(Stream.of(trainer), trainer.descendants()))
                .mapToDouble(process -> peak(Path.of("/proc", Long.toString(process.pid()), "status")))
                .max()
                .orElse(0);
    }

    private static double peak(Path status) {
        try (Stream<String> lines = Files.lines(status)) {
            return lines.filter(line -> line.startsWith("VmHWM:"))
                    .mapToDouble(line -> Double.parseDouble(line.replaceAll("\\D", "")) * 1024 / 1e9)
                    .findFirst()
                    .orElse(0);
        } catch (IOException | UncheckedIOException e) {
            return 0; // it has just ended
        }
    }

    private static double predicted(Path here) throws IOException {
        try (Stream<Path> files = Files.walk(here)) {
            for (Path log : files.filter(file -> file.toString().matches(".*\\.(txt|log)"))
                    .toList()) {
                Matcher line = PREDICTED.matcher(Files.readString(log));
                if (line.find()) {
                    return Double.parseDouble(line.group(1)) / ("MB".equals(line.group(2)) ? 1000 : 1);
                }
            }
        }
        throw new IOException("no prediction in the logs of " + here);
    }
}
