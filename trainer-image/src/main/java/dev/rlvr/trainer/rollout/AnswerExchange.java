package dev.rlvr.trainer.rollout;

import dev.rlvr.trainer.collectives.Collectives;
import dev.rlvr.trainer.reward.Verdict;
import dev.rlvr.trainer.rollout.SharedAnswers.Answer;
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

/** Hands the answers of each rank to all ranks, in rounds: what is on its way at a time does not grow with the batch. */
final class AnswerExchange {
    private final Collectives group;
    private final int enough;

    /**
     * An exchange among some ranks.
     *
     * @param round bytes that all ranks together send in one round; each may go beyond its part of them by one answer
     */
    AnswerExchange(Collectives group, int round) {
        this.group = group;
        this.enough = Math.max(1, round / group.size());
    }

    /**
     * The answers of each rank, in order; all ranks call it.
     *
     * @param counts how many each rank has
     */
    List<List<Answer>> all(List<Answer> mine, List<Integer> counts) {
        List<List<Answer>> all =
                counts.stream().<List<Answer>>map(ArrayList::new).toList();
        while (IntStream.range(0, counts.size()).anyMatch(rank -> all.get(rank).size() < counts.get(rank))) {
            List<Answer> known = all.get(group.rank());
            List<byte[]> pieces = group.gather(piece(mine, known));
            for (int rank = 0; rank < pieces.size(); rank++) {
                if (rank != group.rank()) {
                    read(pieces.get(rank), all.get(rank));
                }
            }
        }
        return all;
    }

    /** The next answers that this rank sends; they are added to those that were. */
    private byte[] piece(List<Answer> mine, List<Answer> sent) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            while (sent.size() < mine.size() && bytes.size() < enough) {
                Answer next = mine.get(sent.size());
                write(next, out);
                sent.add(next);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static void write(Answer answer, DataOutputStream out) throws IOException {
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

    private static void read(byte[] piece, List<Answer> answers) {
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(piece))) {
            while (in.available() > 0) {
                answers.add(read(in));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Answer read(DataInputStream in) throws IOException {
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
        return new Answer(new Sample(tokens, logProbabilities, entropies, ended), response, verdict);
    }
}
