package dev.rlvr.trainer.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.rlvr.crds.RLVRJobStatus.Evaluation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** {@code evaluations.jsonl}: one line per evaluation; step 0 is the model before the first step. */
public final class EvaluationFile {
    private final JsonLines lines;

    /** The file, which need not exist yet; its folder must. */
    public EvaluationFile(Path file) {
        lines = new JsonLines(file);
    }

    /** Adds the line of a measured evaluation. */
    public void append(Evaluation evaluation) throws IOException {
        lines.append(JsonNodeFactory.instance
                .objectNode()
                .put("name", evaluation.name())
                .put("step", evaluation.step())
                .put("problems", evaluation.problems())
                .put("samples", evaluation.samples())
                .put("avg_at_k", evaluation.avgAtK())
                .put("pass_at_k", evaluation.passAtK())
                .put("maj_at_k", evaluation.majAtK()));
    }

    /** What was measured so far, each with the {@code avgAtK} of its step 0 as baseline where that was measured. */
    public List<Evaluation> read() throws IOException {
        List<JsonNode> all = lines.read();
        return all.stream().map(line -> evaluation(line, all)).toList();
    }

    /** Drops the evaluations that a resumed run does again, and a line that a killed one left torn. */
    public void truncateAfter(int step) throws IOException {
        lines.truncateAfter(step);
    }

    private static Evaluation evaluation(JsonNode line, List<JsonNode> all) {
        Optional<Double> baseline = all.stream()
                .filter(other ->
                        other.get("step").asInt() == 0 && other.get("name").equals(line.get("name")))
                .map(other -> other.get("avg_at_k").asDouble())
                .findFirst();
        return new Evaluation(
                line.path("name").asText(),
                line.path("step").asInt(),
                line.path("problems").asInt(),
                line.path("samples").asInt(),
                line.path("avg_at_k").asDouble(),
                line.path("pass_at_k").asDouble(),
                line.path("maj_at_k").asDouble(),
                baseline.orElse(null));
    }
}
