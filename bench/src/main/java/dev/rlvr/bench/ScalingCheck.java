package dev.rlvr.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.rlvr.bench.scaling.Design;
import dev.rlvr.bench.scaling.Hardware;
import dev.rlvr.bench.scaling.Hardware.HostWork;
import dev.rlvr.bench.scaling.Job;
import dev.rlvr.bench.scaling.Lengths;
import dev.rlvr.bench.scaling.Result;
import dev.rlvr.bench.scaling.StepTimeModel;
import dev.rlvr.crds.TrainerSpec.Recomputation;
import dev.rlvr.crds.TrainerSpec.Sharding;
import dev.rlvr.trainer.model.ModelConfig;
import dev.rlvr.trainer.model.Precision;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Measures steps of a small job on one and on two ranks of one thread each, beside what the model says of them. */
record ScalingCheck(Sides sides) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int STEPS = 3;
    private static final int PROMPTS = 8;
    private static final int ANSWERS = 8;
    private static final int ANSWER_TOKENS = 128;
    private static final int PROMPT_TOKENS = 16;

    /** As {@code trainer.microBatchTokens} has it where a manifest says nothing. */
    private static final int MICRO_BATCH_TOKENS = 16_384;

    /**
     * Seconds of a step's parts.
     *
     * @param sample from the prompts to the answers of all ranks
     * @param update gradient steps
     * @param step from one line of metrics to the next
     * @param cpu that all ranks had processors for in a step: what others on the machine disturb least
     */
    private record Parts(double sample, double update, double step, double cpu) {}

    private Path folder() {
        return sides.target().resolve("runs/scaling");
    }

    private Path model() {
        return folder().resolve("model");
    }

    /** The constants, measured by a process that starts as the trainer does. */
    Calibration.Constants calibrate() throws IOException {
        SmallModel.write(model());
        Process process = sides.java(
                        Calibration.class.getName(),
                        List.of(model().toString(), folder().resolve("rollouts").toString()))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try {
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return JSON.readValue(said, Calibration.Constants.class);
        } finally {
            Processes.end(process);
        }
    }

    /** Predicted and measured, as Markdown. Of the measured runs, made in turn, each part's fastest counts as undisturbed; medians stand beside. */
    String table(Calibration.Constants constants, int rounds) throws IOException {
        List<Parts> one = new ArrayList<>();
        List<Parts> two = new ArrayList<>();
        for (int round = 0; round < rounds; round++) {
            one.addAll(measure(1));
            two.addAll(measure(2));
        }
        Parts first = predict(constants, 1);
        Parts second = predict(constants, 2);
        StringBuilder table = new StringBuilder("""
                | part | 1 rank: from constants | measured (median) | measured / predicted | 2 ranks: from constants | from 1 rank | measured (median) | measured / from 1 rank |
                |---|--:|--:|--:|--:|--:|--:|--:|
                """);
        table.append(row("sample", Parts::sample, first, one, second, two));
        table.append(row("update", Parts::update, first, one, second, two));
        table.append(row("step", Parts::step, first, one, second, two));
        table.append(row("step, CPU of all ranks", Parts::cpu, first, one, second, two));
        return table.toString();
    }

    @FunctionalInterface
    private interface Part {
        double of(Parts parts);
    }

    private static String row(String name, Part part, Parts one, List<Parts> ones, Parts two, List<Parts> twos) {
        double measuredOne = least(ones, part);
        double measuredTwo = least(twos, part);
        double fromOne = part.of(two) * measuredOne / part.of(one);
        return String.format(
                Locale.ROOT,
                "| %s | %.2f s | %.2f s (%.2f s) | %.2f | %.2f s | %.2f s | %.2f s (%.2f s) | %.2f |%n",
                name,
                part.of(one),
                measuredOne,
                median(ones, part),
                measuredOne / part.of(one),
                part.of(two),
                fromOne,
                measuredTwo,
                median(twos, part),
                measuredTwo / fromOne);
    }

    private static double least(List<Parts> all, Part part) {
        return all.stream().mapToDouble(part::of).min().orElse(Double.NaN);
    }

    private static double median(List<Parts> all, Part part) {
        return Statistics.median(all.stream().mapToDouble(part::of).toArray());
    }

    private Parts predict(Calibration.Constants constants, int ranks) {
        Hardware hardware = new Hardware(
                "this machine",
                2,
                constants.flops(),
                1,
                8e9,
                constants.memoryBandwidth(),
                constants.link(),
                constants.link(),
                constants.latency(),
                0,
                // transfers take the processor that would compute
                0,
                constants.memoryBandwidth(),
                1e9,
                new HostWork(constants.everyRank(), constants.firstRank()));
        Job job = new Job(
                ModelConfig.read(model()),
                Precision.F32,
                PROMPTS,
                ANSWERS,
                PROMPTS,
                PROMPT_TOKENS,
                new Lengths(ANSWER_TOKENS, 0, ANSWER_TOKENS, 0),
                MICRO_BATCH_TOKENS,
                0.2,
                Sharding.None,
                Precision.F32,
                1000,
                0);
        Result result = new StepTimeModel(job, hardware, Design.TODAY, ranks).result();
        // nothing but gradients and entropies travels in the update, and answers are small
        double everyRank =
                result.sample() + result.update() + result.exposed() + result.tokens() * constants.everyRank();
        return new Parts(
                result.sample(),
                result.update() + result.exposed(),
                result.step(),
                ranks * everyRank + result.tokens() * constants.firstRank());
    }

    private List<Parts> measure(int ranks) throws IOException {
        Path work = folder().resolve("ranks-" + ranks);
        GrpoJob job = new GrpoJob(
                model(), work, Precision.F32, Recomputation.Auto, ranks, 1, STEPS, PROMPTS, ANSWERS, ANSWER_TOKENS);
        Contestant run = job.contestant("ranks-" + ranks, sides);
        try {
            run.start();
            Round round = run.round();
            List<Parts> parts = new ArrayList<>();
            List<String> lines = Files.readAllLines(work.resolve("metrics.jsonl"));
            // the first step warms up
            for (String line : lines.subList(1, lines.size())) {
                JsonNode metrics = JSON.readTree(line);
                parts.add(new Parts(
                        metrics.path("timing/rollout").asDouble(),
                        metrics.path("timing/update").asDouble(),
                        round.seconds(),
                        round.cpuSeconds()));
            }
            return parts;
        } finally {
            run.close();
        }
    }
}
