package dev.rlvr.trainer.rollout;

import dev.rlvr.trainer.data.Problem;
import dev.rlvr.trainer.model.Safetensors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * How long answers to each problem were so far, by which the next ones are shared out. It is counted in tokens, never in seconds, and part of a
 * checkpoint: a resumed run shares its work out as the one before did. A value; does not change.
 */
public final class LengthHistory {
    /** Its file in a checkpoint. */
    public static final String FILE = "lengths.safetensors";

    private static final String TENSOR = "lengths";

    /** Weight of the newest answers: the policy changes, but a group's mean is a noisy figure. */
    private static final float NEWEST = 0.5f;

    /** By the problem's index, in tokens; 0 for one that was not answered yet. */
    private final float[] means;

    private LengthHistory(float[] means) {
        this.means = means;
    }

    /** Nothing known of problems with indices below {@code problems}. */
    public static LengthHistory none(int problems) {
        return new LengthHistory(new float[problems]);
    }

    /**
     * What {@link #content} has written.
     *
     * @param problems that there are now: their indices are below it
     * @throws IOException if the file cannot be read
     */
    public static LengthHistory read(Path file, int problems) throws IOException {
        return new LengthHistory(Arrays.copyOf(Safetensors.open(file).readF32(TENSOR), problems));
    }

    /** For a checkpoint's file. */
    public SequencedMap<String, Safetensors.Content> content() {
        ByteBuffer bytes = ByteBuffer.allocateDirect(means.length * Float.BYTES).order(ByteOrder.nativeOrder());
        bytes.asFloatBuffer().put(means);
        SequencedMap<String, Safetensors.Content> content = new LinkedHashMap<>();
        content.put(TENSOR, new Safetensors.Content(List.of((long) means.length), bytes));
        return content;
    }

    /** With these answers, too. */
    public LengthHistory with(List<Group> groups) {
        float[] updated = means.clone();
        for (Group group : groups) {
            float mean = (float)
                    group.samples().stream().mapToInt(Sample::length).average().orElseThrow();
            int problem = group.problem().index();
            updated[problem] = updated[problem] == 0 ? mean : NEWEST * mean + (1 - NEWEST) * updated[problem];
        }
        return new LengthHistory(updated);
    }

    /** Tokens that an answer to each of some problems will probably have: of one that was never answered, as many as those of all others. */
    public double[] expected(List<Problem> problems) {
        double sum = 0;
        int known = 0;
        for (float mean : means) {
            sum += mean;
            known += mean == 0 ? 0 : 1;
        }
        double unknown = known == 0 ? 1 : sum / known;
        return problems.stream()
                .mapToDouble(problem -> means[problem.index()])
                .map(mean -> mean == 0 ? unknown : mean)
                .toArray();
    }
}
