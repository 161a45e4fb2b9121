package dev.rlvr.trainer.report;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.MinimalPrettyPrinter;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** {@code rollouts/step-000012.jsonl}: every sample of a step, one a line; a file that can be seen is whole. */
public final class RolloutFile {
    private static final JsonFactory JSON = new JsonFactory();

    private final Path folder;

    /** The folder of the files, made with the first. */
    public RolloutFile(Path folder) {
        this.folder = folder;
    }

    /**
     * One answer. The arrays are as long as the response with its end token, and are not copied.
     *
     * @param tokens text of each token id
     * @param policy finished steps of the weights that sampled it
     * @param logprobs log-probability of each token under the policy that sampled, nats
     * @param entropies of each position over the full vocabulary, nats
     * @param reward after shaping
     * @param kept which tokens took part in the update
     */
    @SuppressWarnings("ArrayRecordComponent") // written at once; a copy of each token as an object would cost more
    public record Sample(
            String prompt,
            String answer,
            String response,
            int[] tokenIds,
            List<String> tokens,
            float[] logprobs,
            float[] entropies,
            int policy,
            double reward,
            double advantage,
            boolean[] kept) {}

    /** Writes, or writes again, the samples of a step. */
    public void write(int step, List<Sample> samples) throws IOException {
        Files.createDirectories(folder);
        Path file = folder.resolve("step-%06d.jsonl".formatted(step));
        Path temporary = Replacement.temporary(file);
        try (OutputStream bytes = new BufferedOutputStream(Files.newOutputStream(temporary), 1 << 16);
                JsonGenerator json = JSON.createGenerator(bytes)) {
            json.setPrettyPrinter(new MinimalPrettyPrinter("\n"));
            for (Sample sample : samples) {
                write(json, sample);
            }
            json.writeRaw('\n');
        }
        Replacement.publish(temporary, file);
    }

    private static void write(JsonGenerator json, Sample sample) throws IOException {
        json.writeStartObject();
        json.writeStringField("prompt", sample.prompt());
        json.writeStringField("answer", sample.answer());
        json.writeStringField("response", sample.response());
        json.writeFieldName("token_ids");
        json.writeArray(sample.tokenIds(), 0, sample.tokenIds().length);
        json.writeFieldName("tokens");
        json.writeArray(
                sample.tokens().toArray(String[]::new), 0, sample.tokens().size());
        writeFloats(json, "logprobs", sample.logprobs());
        writeFloats(json, "entropies", sample.entropies());
        json.writeNumberField("policy_step", sample.policy());
        json.writeNumberField("reward", sample.reward());
        json.writeNumberField("advantage", sample.advantage());
        json.writeArrayFieldStart("kept");
        for (boolean kept : sample.kept()) {
            json.writeBoolean(kept);
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    /** As floats, not doubles: the shortest text that reads back as the same float. JSON has no infinity. */
    private static void writeFloats(JsonGenerator json, String name, float[] values) throws IOException {
        json.writeArrayFieldStart(name);
        for (float value : values) {
            if (Float.isFinite(value)) {
                json.writeNumber(value);
            } else {
                json.writeNull();
            }
        }
        json.writeEndArray();
    }
}
