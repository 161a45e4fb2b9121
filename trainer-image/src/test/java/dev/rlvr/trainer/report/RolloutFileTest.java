package dev.rlvr.trainer.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.rlvr.trainer.report.RolloutFile.Sample;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.AbstractList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RolloutFileTest {
    @TempDir
    Path folder;

    @Test
    void eachSampleIsALine() throws IOException {
        new RolloutFile(folder.resolve("rollouts")).write(12, List.of(sample(.1f), sample(Float.NEGATIVE_INFINITY)));

        List<String> lines = Files.readAllLines(folder.resolve("rollouts/step-000012.jsonl"));
        assertThat(lines.getFirst())
                .isEqualTo("{\"prompt\":\"2+2?\\n\",\"answer\":\"4\",\"response\":\"Quick: 4\",\"token_ids\":[28,12,1],"
                        + "\"tokens\":[\"Quick: \",\"4\",\"<eos>\"],"
                        + "\"logprobs\":[0.1,-0.5,0.0],\"entropies\":[1.1,0.25,0.0],\"policy_step\":7,\"reward\":1.0,\"advantage\":-0.5,"
                        + "\"kept\":[true,false,false]}");
        JsonNode second = new ObjectMapper().readTree(lines.get(1));
        assertThat(second.get("logprobs").get(0).isNull()).isTrue();
        assertThat(lines).hasSize(2);
    }

    @Test
    void aFileThatCanBeSeenIsWhole() throws IOException {
        RolloutFile rollouts = new RolloutFile(folder);
        rollouts.write(1, List.of(sample(.1f)));
        String before = Files.readString(folder.resolve("step-000001.jsonl"));

        List<Sample> fails = new AbstractList<>() {
            @Override
            public Sample get(int index) {
                if (index == 1) {
                    throw new IllegalStateException("killed");
                }
                return sample(.2f);
            }

            @Override
            public int size() {
                return 2;
            }
        };
        assertThatThrownBy(() -> rollouts.write(1, fails)).hasMessage("killed");
        assertThat(folder.resolve("step-000001.jsonl")).hasContent(before);

        rollouts.write(1, List.of(sample(.3f)));
        assertThat(folder).isDirectoryNotContaining(path -> path.toString().endsWith(".tmp"));
        assertThat(Files.readString(folder.resolve("step-000001.jsonl"))).contains("[0.3,");
    }

    private static Sample sample(float logprob) {
        return new Sample(
                "2+2?\n",
                "4",
                "Quick: 4",
                new int[] {28, 12, 1},
                List.of("Quick: ", "4", "<eos>"),
                new float[] {logprob, -.5f, 0},
                new float[] {1.1f, .25f, 0},
                7,
                1,
                -.5,
                new boolean[] {true, false, false});
    }
}
