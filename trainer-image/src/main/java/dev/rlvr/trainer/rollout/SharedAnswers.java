package dev.rlvr.trainer.rollout;

import dev.rlvr.trainer.collectives.Collectives;
import dev.rlvr.trainer.reward.Verdict;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Answers that the ranks of a job sample and verify by shares: prompt p falls to rank p modulo their number. */
public final class SharedAnswers {
    private final Collectives group;

    public SharedAnswers(Collectives group) {
        this.group = group;
    }

    /** An answer, its text, and what the verifier said of it. */
    public record Answer(Sample sample, String response, Verdict verdict) {}

    /** Makes the answers to some prompts: those of the first, then those of the second, and so on. */
    @FunctionalInterface
    public interface Work {
        List<Answer> answers(List<Integer> prompts) throws InterruptedException;
    }

    /**
     * The answers to all prompts, in order.
     *
     * @param prompts how many there are
     * @param each answers to each
     * @param work samples and verifies this rank's share
     * @throws StoppedException if a rank was asked to stop while it worked
     */
    public List<Answer> all(int prompts, int each, Work work) throws InterruptedException {
        if (group.size() == 1) {
            return work.answers(IntStream.range(0, prompts).boxed().toList());
        }
        List<Answer> mine = List.of();
        boolean stopped = false;
        try {
            mine = work.answers(share(prompts, group.rank()));
        } catch (StoppedException | InterruptedException e) {
            // the others are told before anybody leaves
            stopped = true;
        }
        if (group.any(stopped)) {
            throw new StoppedException();
        }
        Answer[] all = new Answer[prompts * each];
        List<byte[]> parts = group.gather(bytes(mine));
        for (int rank = 0; rank < parts.size(); rank++) {
            List<Integer> share = share(prompts, rank);
            List<Answer> theirs = answers(parts.get(rank), share.size() * each);
            for (int i = 0; i < theirs.size(); i++) {
                all[share.get(i / each) * each + i % each] = theirs.get(i);
            }
        }
        return List.of(all);
    }

    private List<Integer> share(int prompts, int rank) {
        return IntStream.range(0, prompts)
                .filter(prompt -> prompt % group.size() == rank)
                .boxed()
                .toList();
    }

    private static byte[] bytes(List<Answer> answers) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            for (Answer answer : answers) {
                Sample sample = answer.sample();
                out.writeUTF(answer.verdict().name());
                byte[] response = answer.response().getBytes(StandardCharsets.UTF_8);
                out.writeInt(response.length);
                out.write(response);
                out.writeBoolean(sample.ended());
                out.writeInt(sample.length());
                for (int i = 0; i < sample.length(); i++) {
                    out.writeInt(sample.tokens()[i]);
                    out.writeFloat(sample.logProbabilities()[i]);
                    out.writeFloat(sample.entropies()[i]);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static List<Answer> answers(byte[] bytes, int count) {
        List<Answer> answers = new ArrayList<>();
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
            for (int a = 0; a < count; a++) {
                Verdict verdict = Verdict.valueOf(in.readUTF());
                String response = new String(in.readNBytes(in.readInt()), StandardCharsets.UTF_8);
                boolean ended = in.readBoolean();
                int length = in.readInt();
                int[] tokens = new int[length];
                float[] logProbabilities = new float[length];
                float[] entropies = new float[length];
                for (int i = 0; i < length; i++) {
                    tokens[i] = in.readInt();
                    logProbabilities[i] = in.readFloat();
                    entropies[i] = in.readFloat();
                }
                answers.add(new Answer(new Sample(tokens, logProbabilities, entropies, ended), response, verdict));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return answers;
    }
}
