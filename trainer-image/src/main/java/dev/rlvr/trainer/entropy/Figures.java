package dev.rlvr.trainer.entropy;

/** What a model says of one text, in nats; entry i belongs to token i + 1: to the distribution that it was drawn from. */
final class Figures {
    /** Of a text with no token but the first. */
    static final Figures NONE = new Figures(new float[0], new float[0]);

    private final float[] logProbabilities;
    private final float[] entropies;

    /**
     * Figures of all tokens but the first.
     *
     * @param logProbabilities {@code [tokens - 1]}
     * @param entropies over the full vocabulary, {@code [tokens - 1]}
     */
    Figures(float[] logProbabilities, float[] entropies) {
        this.logProbabilities = logProbabilities;
        this.entropies = entropies;
    }

    float[] logProbabilities() {
        return logProbabilities;
    }

    float[] entropies() {
        return entropies;
    }

    /** Whether all of them are numbers. */
    boolean finite() {
        for (int i = 0; i < entropies.length; i++) {
            if (!Float.isFinite(logProbabilities[i]) || !Float.isFinite(entropies[i])) {
                return false;
            }
        }
        return true;
    }
}
