package dev.rlvr.trainer.rollout.server;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rlvr.trainer.rollout.AnswerSource;
import dev.rlvr.trainer.rollout.Sample;
import java.io.IOException;
import java.util.Arrays;
import java.util.Set;

/** One answer as a server says it, token by token. */
final class Drawn {
    private final JsonClient http;
    private final String finish;
    private final int[] tokens;
    private final float[] logProbabilities;

    /**
     * An answer whose tokens are still to be set.
     *
     * @param finish why it ended, in the server's word
     * @param length in tokens
     */
    Drawn(JsonClient http, String finish, int length) {
        this.http = http;
        this.finish = finish;
        this.tokens = new int[length];
        this.logProbabilities = new float[length];
    }

    /** Sets one token; the server is wrong where it is none, or its log-probability no number. */
    void set(int place, JsonNode token, JsonNode logProbability) throws IOException {
        if (!logProbability.isNumber() || !token.isInt() || !Float.isFinite(logProbability.floatValue())) {
            throw http.failure("gave the log-probability " + logProbability + " of the token " + token);
        }
        tokens[place] = token.intValue();
        logProbabilities[place] = logProbability.floatValue();
    }

    /** The answer, if it is a whole one; servers say no entropies. */
    Sample sample(AnswerSource.Settings settings, Set<Integer> endTokens) throws IOException {
        boolean whole = finish.equals("stop") || finish.equals("length");
        if (!whole || tokens.length == 0 || tokens.length > settings.longest()) {
            throw http.failure("gave an answer of " + tokens.length + " tokens that finished with '" + finish + "'");
        }
        float[] entropies = new float[tokens.length];
        Arrays.fill(entropies, Float.NaN);
        // an end in the very last place that there is: servers call that the length
        boolean ended = finish.equals("stop") || endTokens.contains(tokens[tokens.length - 1]);
        return new Sample(tokens, logProbabilities, entropies, ended);
    }
}
