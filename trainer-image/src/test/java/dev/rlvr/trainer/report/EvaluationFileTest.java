package dev.rlvr.trainer.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.RLVRJobStatus.Checkpoint;
import dev.rlvr.crds.RLVRJobStatus.Evaluation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvaluationFileTest {
    @TempDir
    Path folder;

    @Test
    void whatWasMeasuredIsReadWithItsBaseline() throws IOException {
        EvaluationFile file = new EvaluationFile(folder.resolve("evaluations.jsonl"));
        file.append(evaluation("greedy", 0, .34, null));
        file.append(evaluation("sampled", 0, .5, null));
        file.append(evaluation("greedy", 30, .99, .34));

        assertThat(file.read())
                .containsExactly(
                        evaluation("greedy", 0, .34, .34),
                        evaluation("sampled", 0, .5, .5),
                        evaluation("greedy", 30, .99, .34));
        assertThat(Files.readAllLines(folder.resolve("evaluations.jsonl")).getFirst())
                .isEqualTo("{\"name\":\"greedy\",\"step\":0,\"problems\":300,\"samples\":1,\"avg_at_k\":0.34,"
                        + "\"pass_at_k\":0.34,\"maj_at_k\":0.34}");
    }

    @Test
    void aResumedRunMeasuresAgainWhatCameAfterItsCheckpoint() throws IOException {
        EvaluationFile file = new EvaluationFile(folder.resolve("evaluations.jsonl"));
        file.append(evaluation("greedy", 0, .34, null));
        file.append(evaluation("greedy", 10, .6, null));

        file.truncateAfter(5);

        assertThat(file.read()).containsExactly(evaluation("greedy", 0, .34, .34));
    }

    @Test
    void theStatusKeepsTheLastResultOfEachNameAndSurvivesTheProcess() throws IOException {
        Path path = folder.resolve("trainer-status.json");
        TrainerStatus status = TrainerStatus.NONE
                .with(TrainerStatus.Phase.TRAINING)
                .with(evaluation("greedy", 0, .34, .34))
                .with(evaluation("sampled", 0, .5, .5))
                .with(Steps.step(5).progress(30, Instant.EPOCH, Instant.EPOCH))
                .with(new Checkpoint(5, "checkpoints/step-000005", "2026-01-01T00:00:00Z"))
                .with(evaluation("greedy", 30, .99, .34));
        assertThat(new StatusFile(path).read()).isEqualTo(TrainerStatus.NONE);

        try (StatusFile file = new StatusFile(path)) {
            file.publish(TrainerStatus.NONE);
            file.publish(status);
        }

        TrainerStatus read = new StatusFile(path).read();
        assertThat(read).isEqualTo(status);
        assertThat(Files.readString(path)).startsWith("{\"phase\":\"training\",\"progress\":{\"step\":5,");
        assertThat(read.evaluation()).extracting(Evaluation::step).containsExactly(0, 30);
        assertThat(folder).isDirectoryNotContaining(file -> file.toString().endsWith(".tmp"));
    }

    private static Evaluation evaluation(String name, int step, double value, @Nullable Double baseline) {
        return new Evaluation(name, step, 300, 1, value, value, value, baseline);
    }
}
