package dev.rlvr.cli.report;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rlvr.cli.local.UserException;
import dev.rlvr.crds.Manifest;
import dev.rlvr.crds.RLVRJob;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a work folder tells about its run.
 *
 * @param job the manifest
 * @param steps metrics of each finished step, ascending
 * @param evaluations held-out results, in the order they were measured
 * @param lastAnswers the answers of the last step whose rollouts were kept; empty where none were
 */
record RunData(RLVRJob job, List<JsonNode> steps, List<Evaluation> evaluations, List<Answer> lastAnswers) {
    /**
     * A line of {@code evaluations.jsonl}.
     *
     * @param averageAtK mean share of right answers
     */
    record Evaluation(String name, int step, int problems, int samples, double averageAtK) {}

    /** One evaluation before the first step and after the last one measured. */
    record Comparison(Evaluation before, Evaluation after) {}

    /** One metric over the steps: {@code x} the steps, {@code y} the values. */
    record Series(List<Double> x, List<Double> y) {}

    static RunData read(Path folder) throws IOException {
        Path manifest = folder.resolve("job.yaml");
        if (!Files.exists(manifest)) {
            throw new UserException(folder + ": no job.yaml there; name the work folder of a run");
        }
        List<JsonNode> steps = Lines.read(folder.resolve("metrics.jsonl"));
        if (steps.isEmpty()) {
            throw new UserException(folder + ": no step is finished yet, so there is nothing to draw");
        }
        List<Evaluation> evaluations = Lines.read(folder.resolve("evaluations.jsonl")).stream()
                .map(line -> new Evaluation(
                        line.path("name").asText(),
                        line.path("step").asInt(),
                        line.path("problems").asInt(),
                        line.path("samples").asInt(),
                        line.path("avg_at_k").asDouble()))
                .toList();
        return new RunData(Manifest.read(manifest), steps, evaluations, lastAnswers(folder.resolve("rollouts")));
    }

    private static List<Answer> lastAnswers(Path rollouts) throws IOException {
        if (!Files.isDirectory(rollouts)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(rollouts)) {
            Optional<Path> last =
                    files.filter(file -> file.toString().endsWith(".jsonl")).max(Path::compareTo);
            return last.isEmpty()
                    ? List.of()
                    : Lines.read(last.get()).stream()
                            .flatMap(line -> Answer.of(line).stream())
                            .toList();
        }
    }

    /** A metric where it was reported. */
    Series series(String metric) {
        List<Double> x = new ArrayList<>();
        List<Double> y = new ArrayList<>();
        for (JsonNode step : steps) {
            if (step.path(metric).isNumber()) {
                x.add(step.path("step").asDouble());
                y.add(step.path(metric).asDouble());
            }
        }
        return new Series(x, y);
    }

    /** Each evaluation that was measured more than once. */
    List<Comparison> comparisons() {
        Map<String, List<Evaluation>> byName = new LinkedHashMap<>();
        evaluations.forEach(
                e -> byName.computeIfAbsent(e.name(), _ -> new ArrayList<>()).add(e));
        return byName.values().stream()
                .filter(measured -> measured.size() > 1)
                .map(measured -> new Comparison(measured.getFirst(), measured.getLast()))
                .toList();
    }

    int lastStep() {
        return steps.getLast().path("step").asInt();
    }
}
