package dev.rlvr.trainer.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.rlvr.trainer.quickstart.AppleSums.Worked;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class QuickstartDataTest {
    private static final Path COMMITTED = Path.of("..", "examples", "quickstart");

    @Test
    void theCommittedFilesAreTheGeneratedOnes(@TempDir Path folder) throws IOException {
        new QuickstartData(folder).write();

        try (Stream<Path> written = Files.walk(folder).filter(Files::isRegularFile)) {
            assertThat(written)
                    .hasSize(5)
                    .allSatisfy(file -> assertThat(
                                    COMMITTED.resolve(folder.relativize(file).toString()))
                            .hasSameBinaryContentAs(file));
        }
    }

    @Test
    void everyTextSurvivesTheTokenizer() throws IOException {
        try (HuggingFaceTokenizer tokenizer = tokenizer()) {
            for (Worked worked : AppleSums.worked(77, 1_000)) {
                for (String text : List.of(worked.prompt(), worked.solution())) {
                    Encoding encoding = tokenizer.encode(text, false, false);
                    assertThat(encoding.getIds()).doesNotContain(0, 1, 2);
                    assertThat(tokenizer.decode(encoding.getIds())).isEqualTo(text);
                }
            }
        }
    }

    @Test
    void thePromptAndItsSolutionTokenizeAlikeTogetherAndApart() throws IOException {
        try (HuggingFaceTokenizer tokenizer = tokenizer()) {
            Worked worked = AppleSums.worked(78, 1).getFirst();
            long[] prompt = tokenizer.encode(worked.prompt(), false, false).getIds();
            long[] solution = tokenizer.encode(worked.solution(), false, false).getIds();

            long[] both = tokenizer
                    .encode(worked.prompt() + worked.solution(), false, false)
                    .getIds();

            assertThat(both).startsWith(prompt).endsWith(solution).hasSize(prompt.length + solution.length);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"Split: ", "Round: ", "Quick: ", "Wait, ", "Answer: ", "7"})
    void eachChoiceIsOneToken(String choice) throws IOException {
        try (HuggingFaceTokenizer tokenizer = tokenizer()) {
            assertThat(tokenizer.encode(choice, false, false).getIds())
                    .hasSize(1)
                    .doesNotContain(2);
        }
    }

    @Test
    void moreTextsWouldAddNoPieces() {
        List<String> vocabulary = QuickstartTokenizer.vocabulary();

        assertThat(AppleSums.worked(79).limit(30_000).flatMap(QuickstartTokenizer::pieces))
                .allMatch(vocabulary::contains);
        assertThat(vocabulary).startsWith("<pad>", "<eos>", "<unk>").doesNotHaveDuplicates();
    }

    private static HuggingFaceTokenizer tokenizer() throws IOException {
        try (var file = Files.newInputStream(COMMITTED.resolve("model/tokenizer.json"))) {
            return HuggingFaceTokenizer.newInstance(file, null);
        }
    }
}
