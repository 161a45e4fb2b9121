package dev.rlvr.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A job whose steps take a tenth of a second: a random model of 22,000 parameters, and sums that it answers right now and then.
 *
 * @param folder of model and problems
 */
public record TinyJob(Path folder) {
    /** Writes model and problems into a folder; the tokenizer is the quickstart's in the checkout. */
    public static TinyJob write(Path folder, Path checkout) throws IOException {
        new RandomModel(49, 32, 64, 2, 2, 2, 16)
                .write(folder.resolve("model"), checkout.resolve("examples/quickstart/model"));
        Files.writeString(
                folder.resolve("problems.jsonl"),
                IntStream.range(0, 200)
                        .mapToObj(i -> "{\"prompt\": \"%d + %d = \", \"answer\": \"%d\"}\n"
                                .formatted(i % 7, i % 4, (i % 7 + i % 4) % 10))
                        .collect(Collectors.joining()));
        return new TinyJob(folder);
    }

    /**
     * A manifest.
     *
     * @param learningRate so low that the model stays random: then each step has something to learn from
     * @param rest the spec's fields {@code trainer}, {@code checkpoint} and others that are not about learning, not indented
     */
    public String manifest(String name, int steps, String learningRate, String rest) {
        return """
                apiVersion: rlvr.dev/v1alpha1
                kind: RLVRJob
                metadata: {name: %1$s}
                spec:
                  model: {source: 'file://%2$s/model'}
                  data: {source: 'file://%2$s/problems.jsonl', maxPromptTokens: 32}
                  reward: {verifier: Numeric, answerPattern: '(\\d)'}
                  algorithm:
                    steps: %3$d
                    promptsPerBatch: 4
                    groupSize: 4
                    miniBatchPrompts: 4
                    optimizer: {learningRate: %4$s, warmupSteps: 0}
                    dynamicSampling: {enabled: false}
                  rollout: {maxResponseTokens: 16}
                """.formatted(name, folder, steps, learningRate) + rest.indent(2);
    }
}
