package dev.rlvr.trainer.rollout;

import java.util.Arrays;
import java.util.Set;
import java.util.random.RandomGenerator;

/** An answer that is being written. */
final class Draft {
    private final int prompt;
    private final int answer;
    private final RandomGenerator random;
    private int[] tokens = new int[64];
    private float[] logProbabilities = new float[64];
    private float[] entropies = new float[64];
    private int length;
    private boolean ended;
    private boolean done;

    /** An empty answer; prompt and answer are counted from 0. */
    Draft(int prompt, int answer, RandomGenerator random) {
        this.prompt = prompt;
        this.answer = answer;
        this.random = random;
    }

    int prompt() {
        return prompt;
    }

    int answer() {
        return answer;
    }

    /** The number in [0, 1) that the next token is drawn at. */
    double uniform() {
        return random.nextDouble();
    }

    /** Whether nothing is to be added any more. */
    boolean done() {
        return done;
    }

    int length() {
        return length;
    }

    /** Adds a token; what comes after the end is dropped. */
    void add(int token, float logProbability, float entropy, Set<Integer> endTokens, int longest) {
        if (done) {
            return;
        }
        if (length == tokens.length) {
            tokens = Arrays.copyOf(tokens, 2 * length);
            logProbabilities = Arrays.copyOf(logProbabilities, 2 * length);
            entropies = Arrays.copyOf(entropies, 2 * length);
        }
        tokens[length] = token;
        logProbabilities[length] = logProbability;
        entropies[length] = entropy;
        length++;
        ended = endTokens.contains(token);
        done = ended || length == longest;
    }

    Sample sample() {
        return new Sample(
                Arrays.copyOf(tokens, length),
                Arrays.copyOf(logProbabilities, length),
                Arrays.copyOf(entropies, length),
                ended);
    }
}
