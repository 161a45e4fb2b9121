package dev.rlvr.cli.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rlvr.cli.local.UserException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page and the pictures of a run, from its files alone. */
class ReportTest {
    @TempDir
    private Path run;

    @BeforeEach
    void aRunOfTwoSteps() throws IOException {
        Files.writeString(run.resolve("job.yaml"), """
                apiVersion: rlvr.dev/v1alpha1
                kind: RLVRJob
                metadata: {name: story}
                spec:
                  model: {source: 'bundled://model'}
                  data: {source: 'bundled://train.jsonl', promptTemplate: 'Q: <b>{prompt}</b>'}
                  reward: {verifier: Numeric}
                """);
        Files.writeString(run.resolve("metrics.jsonl"), """
                {"step": 1, "reward": 0.4, "entropy": 0.09, "entropy_threshold": 0.02, "kept_token_fraction": 0.2, "completions/mean_length": 56}
                {"step": 2, "reward": 0.9, "entropy": 0.05, "entropy_threshold": 0.01, "kept_token_fraction": 0.2, "completions/mean_length": 57}
                {"step": 3, "rew""");
        Files.writeString(run.resolve("evaluations.jsonl"), """
                {"name": "greedy", "step": 0, "problems": 300, "samples": 1, "avg_at_k": 0.34}
                {"name": "greedy", "step": 2, "problems": 300, "samples": 1, "avg_at_k": 0.99}
                """);
        Files.createDirectory(run.resolve("rollouts"));
        Files.writeString(run.resolve("rollouts/step-000002.jsonl"), """
                {"prompt": "1 < 2?", "answer": "4", "tokens": ["Split", " <4>"], "entropies": [0.9, 0.01], "logprobs": [-0.7, 0], "reward": 1, "kept": [true, false]}
                {"prompt": "1 < 2?", "answer": "4", "tokens": ["Quick", " 5"], "entropies": [0.8, 0.3], "logprobs": [-0.7, 0], "reward": 0, "kept": [true, false]}
                """);
    }

    @Test
    void thePageNeedsNothingButItself() throws IOException {
        String page = Files.readString(Report.write(run).page());

        assertThat(Pattern.compile("(src|href)=\"(?!data:)").matcher(page).find())
                .isFalse();
        assertThat(Pattern.compile("url\\(|@import|<script").matcher(page).find())
                .isFalse();
        assertThat(page.split("data:image/png;base64,", -1)).hasSize(5);
    }

    @Test
    void thePageShowsResultsTokensAndConfiguration() throws IOException {
        String page = Files.readString(Report.write(run).page());

        assertThat(page)
                .contains("34.0 %", "99.0 %", "+65.0 points", "after step 2")
                .contains(
                        "<span class=\"token kept\" style=\"--h:1.00\" title=\"entropy 0.9000 nats, probability 49.7 %, kept\">Split</span>")
                .contains(" &lt;4&gt;</span>")
                .contains("<code>data.promptTemplate</code></td><td><code>Q: &lt;b&gt;{prompt}&lt;/b&gt;</code>")
                .doesNotContain("<b>");
    }

    @Test
    void everyPictureIsDrawn() throws IOException {
        Report.write(run);

        for (String name : new String[] {"overview", "reward", "entropy", "kept", "length"}) {
            BufferedImage image =
                    ImageIO.read(run.resolve("pictures/" + name + ".png").toFile());
            assertThat(image.getWidth()).isGreaterThanOrEqualTo(1280);
            assertThat(colours(image)).as(name).isGreaterThan(20);
        }
    }

    @Test
    void rolloutsWithoutTokenTextsLeaveTheirSectionOut() throws IOException {
        Files.writeString(run.resolve("rollouts/step-000002.jsonl"), "{\"prompt\": \"1\", \"reward\": 1}\n");

        assertThat(Files.readString(Report.write(run).page())).doesNotContain("token by token");
    }

    @Test
    void aFolderWithoutARunIsTheUsersMistake() {
        assertThatThrownBy(() -> Report.write(run.resolve("elsewhere")))
                .isInstanceOf(UserException.class)
                .hasMessageContaining("no job.yaml there");
    }

    @Test
    void axesEndAtRoundNumbers() {
        assertThat(Charts.roundUp(0.092)).isEqualTo(0.1);
        assertThat(Charts.roundUp(60)).isEqualTo(80);
        assertThat(Charts.roundUp(1)).isEqualTo(1.2);
    }

    private static long colours(BufferedImage image) {
        return IntStream.range(0, image.getHeight())
                .flatMap(y -> IntStream.range(0, image.getWidth()).map(x -> image.getRGB(x, y)))
                .distinct()
                .count();
    }
}
