package dev.rlvr.trainer.reward;

/** What a verifier found. A verdict that did not come in time earns nothing but is no wrong answer. */
public enum Verdict {
    /** The response holds the reference answer. */
    Right(1),
    /** It holds another answer, or none. */
    Wrong(0),
    /** Verifying took longer than {@code spec.reward.timeout}, or more stack than a thread has. */
    TimedOut(0);

    private final double reward;

    Verdict(double reward) {
        this.reward = reward;
    }

    /** The reward before shaping: 1 for a right answer, else 0. */
    public double reward() {
        return reward;
    }
}
