package dev.rlvr.trainer.rollout;

import dev.rlvr.trainer.collectives.Collectives;
import dev.rlvr.trainer.reward.Verdict;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Answers that the ranks of a job sample and verify by {@link Shares}, and then tell each other. */
public final class SharedAnswers {
    /** Bytes of answers that a rank receives at a time. */
    private static final int ROUND = 256 << 20;

    /** In place of a time, from a rank that was asked to stop. */
    private static final long STOPPED = -1;

    private final Collectives group;
    private final Unit unit;
    private final InstantSource clock;
    private final AnswerExchange exchange;

    /** What falls to one rank as a whole. */
    public enum Unit {
        /** The shares are most even, and each rank reads most prompts. */
        ANSWER,

        /** All answers to a prompt: for servers, which are kept evenly busy anyway and should read a prompt once. */
        PROMPT
    }

    /** Answers of the ranks of a group. */
    public SharedAnswers(Collectives group, Unit unit, InstantSource clock) {
        this(group, unit, clock, ROUND);
    }

    /**
     * As {@link #SharedAnswers(Collectives, Unit, InstantSource)}.
     *
     * @param round bytes of answers that are sent at a time
     */
    SharedAnswers(Collectives group, Unit unit, InstantSource clock, int round) {
        this.group = group;
        this.unit = unit;
        this.clock = clock;
        this.exchange = new AnswerExchange(group, round);
    }

    /** An answer, its text, and what the verifier said of it. */
    public record Answer(Sample sample, String response, Verdict verdict) {}

    /**
     * The answers of all ranks.
     *
     * @param answers those to the first prompt, then those to the second, and so on
     * @param waited how long a rank, on average, waited for the slowest
     */
    public record Outcome(List<Answer> answers, Duration waited) {
        public Outcome {
            answers = List.copyOf(answers);
        }
    }

    /** Makes the answers of a share: those of its first piece, then those of its second, and so on. */
    @FunctionalInterface
    public interface Work {
        List<Answer> answers(Share share) throws InterruptedException;
    }

    /** A prompt, and the first of its answers that is asked for. */
    private record Piece(int prompt, int first) {}

    /** What one rank is to answer: pieces of equal size, each of one prompt. */
    public static final class Share {
        private final List<Piece> pieces;
        private final int each;

        private Share(List<Piece> pieces, int each) {
            this.pieces = List.copyOf(pieces);
            this.each = each;
        }

        /** Pieces, in the order in which they are best begun. */
        public int size() {
            return pieces.size();
        }

        /** Answers of each piece. */
        public int each() {
            return each;
        }

        /** What belongs to each piece's prompt; the pieces of a prompt follow each other. */
        public <T> List<T> of(List<T> prompts) {
            return pieces.stream().map(piece -> prompts.get(piece.prompt)).toList();
        }

        /** Random numbers by (piece, answer), of streams by (prompt, answer). */
        public AnswerSource.Streams streams(AnswerSource.Streams all) {
            return (piece, answer) -> all.of(pieces.get(piece).prompt, pieces.get(piece).first + answer);
        }
    }

    /**
     * The answers to all prompts.
     *
     * @param expected how long answers to each prompt will probably be
     * @param each answers to each
     * @param work samples and verifies this rank's share
     * @throws StoppedException if a rank was asked to stop while it worked
     */
    public Outcome all(double[] expected, int each, Work work) throws InterruptedException {
        if (group.size() == 1) {
            return new Outcome(work.answers(whole(expected.length, each)), Duration.ZERO);
        }
        List<Share> shares = shares(expected, each);
        long start = clock.millis();
        List<Answer> mine = List.of();
        boolean stopped = false;
        try {
            mine = work.answers(shares.get(group.rank()));
        } catch (StoppedException | InterruptedException e) {
            // the others are told before anybody leaves
            stopped = true;
        }
        Duration waited = waited(stopped ? STOPPED : Math.max(0, clock.millis() - start));
        return new Outcome(together(shares, mine, expected.length, each), waited);
    }

    private static Share whole(int prompts, int each) {
        return new Share(
                IntStream.range(0, prompts)
                        .mapToObj(prompt -> new Piece(prompt, 0))
                        .toList(),
                each);
    }

    private List<Share> shares(double[] expected, int each) {
        int size = unit == Unit.PROMPT ? each : 1;
        int perPrompt = each / size;
        double[] pieces = new double[expected.length * perPrompt];
        Arrays.setAll(pieces, piece -> expected[piece / perPrompt]);
        return Shares.of(pieces, group.size()).stream()
                .map(share -> new Share(
                        share.stream()
                                .map(piece -> new Piece(piece / perPrompt, piece % perPrompt * size))
                                .toList(),
                        size))
                .toList();
    }

    /** What the ranks waited on average for the slowest of them, from what each of them says that it took. */
    private Duration waited(long millis) {
        byte[] mine = ByteBuffer.allocate(Long.BYTES).putLong(millis).array();
        long[] all = group.gather(mine).stream()
                .mapToLong(theirs -> ByteBuffer.wrap(theirs).getLong())
                .toArray();
        if (Arrays.stream(all).anyMatch(theirs -> theirs == STOPPED)) {
            throw new StoppedException();
        }
        long slowest = Arrays.stream(all).max().orElseThrow();
        return Duration.ofMillis(slowest - Arrays.stream(all).sum() / all.length);
    }

    private List<Answer> together(List<Share> shares, List<Answer> mine, int prompts, int each) {
        List<List<Answer>> ofRank = exchange.all(
                mine, shares.stream().map(share -> share.size() * share.each).toList());
        Answer[] all = new Answer[prompts * each];
        for (int rank = 0; rank < shares.size(); rank++) {
            Share share = shares.get(rank);
            for (int i = 0; i < ofRank.get(rank).size(); i++) {
                Piece piece = share.pieces.get(i / share.each);
                all[piece.prompt * each + piece.first + i % share.each] =
                        ofRank.get(rank).get(i);
            }
        }
        return List.of(all);
    }
}
