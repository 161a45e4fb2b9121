package dev.rlvr.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Results as JSON, and as a table made from them. Results of benchmarks that were not run again stay. */
final class Report {
    private static final ObjectMapper JSON =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    private final ObjectNode root;

    private Report(ObjectNode root) {
        this.root = root;
    }

    /** Goes on with the results in a file, if there is one. */
    static Report of(Path file) throws IOException {
        return new Report(Files.exists(file) ? (ObjectNode) JSON.readTree(file.toFile()) : JSON.createObjectNode());
    }

    /** Takes up an outcome, in place of an older one of the same benchmark. */
    void add(Outcome outcome, Machine machine, int threads, LocalDate date) {
        Benchmark benchmark = outcome.benchmark();
        ObjectNode result = JSON.createObjectNode()
                .put("what", benchmark.what())
                .put("date", date.toString())
                .put("threads", threads)
                .put("rounds", benchmark.rounds())
                .put("work", benchmark.work())
                .put("unit", benchmark.unit())
                .put("memory", benchmark.memory());
        result.set("machine", JSON.valueToTree(machine));
        ArrayNode rows = result.putArray("peers");
        for (Contestant peer : benchmark.peers()) {
            outcome.with(peer).ifPresent(comparison -> rows.add(row(comparison)));
        }
        ObjectNode unavailable = result.putObject("unavailable");
        outcome.unavailable().forEach(unavailable::put);
        ArrayNode disagreeing = result.putArray("disagreeing");
        outcome.disagreeing().forEach(disagreeing::add);
        ObjectNode rounds = result.putObject("measured");
        outcome.rounds().forEach((side, all) -> {
            ArrayNode array = rounds.putArray(side);
            all.forEach(round -> array.add(round.json()));
        });
        root.set(benchmark.name(), result);
    }

    private static ObjectNode row(Outcome.Comparison comparison) {
        ObjectNode row = JSON.createObjectNode();
        row.set("ours", JSON.valueToTree(comparison.ours()));
        row.set("peer", JSON.valueToTree(comparison.peer()));
        return row.put("wall_ratio", comparison.wallRatio())
                .put("lowest", comparison.lowest())
                .put("highest", comparison.highest())
                .put("cpu_ratio", comparison.cpuRatio())
                .put("memory_share", comparison.memoryShare());
    }

    void write(Path json, Path markdown) throws IOException {
        JSON.writeValue(json.toFile(), root);
        Files.writeString(markdown, page());
    }

    private String page() {
        return """
                # Benchmarks

                Ours against its peers on one machine: both sides in one run and in turn, in alternating order, with as many threads, the same work and
                the same precision; warm-up rounds are left out. Written by `bench/run`; all rounds are in [benchmarks.json](benchmarks.json).

                Seconds and memory are medians. A ratio is the median over rounds of peer / ours: over 1, ours is faster. Memory is ours / peer.
                `eager` and `compile` are Hugging Face transformers' own model, as it is and under `torch.compile`; `plain` is a model written for this
                comparison with torch alone, without what a library has to carry; `trl` is TRL as it comes, which computes activations again, as ours does beside it; `trl-no-checkpointing` keeps them, and so do we.
                Every side does the same work: losses are compared in each round. Each is started as its users start it: ours with the settings of the
                C library's allocator that [trainer.md](trainer.md) asks for. Threads of neither side spin while they wait (`OMP_WAIT_POLICY=PASSIVE`).
                `ranks` and `threads` are both ours: the same job on as many ranks as the other has threads.
                Checkpoints are measured beside the disk: as many bytes in one file through the page cache and forced, and past it (O_DIRECT).

                %s""".formatted(table());
    }

    /** The results as a Markdown table, and what is to be said about them. */
    String table() {
        StringBuilder text = new StringBuilder();
        List<String> notes = new ArrayList<>();
        text.append("| benchmark | peer | ours | peer | ratio | least to most | CPU ratio | ours | peer | memory |\n");
        text.append("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|\n");
        root.properties().forEach(entry -> {
            var result = entry.getValue();
            for (var row : result.path("peers")) {
                text.append("| %s | %s | %s | %s | **%.2f** | %.2f to %.2f | %.2f | %s | %s | %.2f |%n"
                        .formatted(
                                entry.getKey(),
                                row.path("peer").path("name").asText(),
                                seconds(row.path("ours").path("seconds").asDouble()),
                                seconds(row.path("peer").path("seconds").asDouble()),
                                row.path("wall_ratio").asDouble(),
                                row.path("lowest").asDouble(),
                                row.path("highest").asDouble(),
                                row.path("cpu_ratio").asDouble(),
                                megabytes(row.path("ours").path("bytes").asDouble()),
                                megabytes(row.path("peer").path("bytes").asDouble()),
                                row.path("memory_share").asDouble()));
            }
            notes.add(note(entry.getKey(), (ObjectNode) result));
        });
        return text + "\n" + String.join("\n", notes) + "\n";
    }

    private static String note(String name, ObjectNode result) {
        var machine = result.path("machine");
        StringBuilder note =
                new StringBuilder("- `%s`: %s. %s, %s with %d cores, %d thread(s), %d rounds, commit %s; memory: %s."
                        .formatted(
                                name,
                                result.path("what").asText(),
                                result.path("date").asText(),
                                machine.path("processor").asText(),
                                machine.path("cores").asInt(),
                                result.path("threads").asInt(),
                                result.path("rounds").asInt(),
                                machine.path("commit").asText(),
                                result.path("memory").asText()));
        result.path("unavailable")
                .properties()
                .forEach(side -> note.append(" Not measured: %s (%s)."
                        .formatted(side.getKey(), side.getValue().asText())));
        Optional.of(result.path("disagreeing"))
                .filter(sides -> !sides.isEmpty())
                .ifPresent(sides ->
                        note.append(" DIFFERENT RESULTS, so not comparable: ").append(sides));
        return note.toString();
    }

    private static String seconds(double value) {
        return value < 1
                ? String.format(Locale.ROOT, "%.0f ms", value * 1e3)
                : String.format(Locale.ROOT, "%.2f s", value);
    }

    private static String megabytes(double value) {
        return String.format(Locale.ROOT, "%,.0f MB", value / 1e6);
    }
}
