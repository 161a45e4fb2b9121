package dev.rlvr.trainer.reward;

/**
 * A text that cannot be read after its deadline. Regular expressions read their input character by character, also while
 * they backtrack, so that this stops one that would take longer than the universe has.
 */
final class TimedText implements CharSequence {
    /** Reading the clock costs about as much as this many characters of a match. */
    private static final int CHARACTERS_PER_LOOK = 256;

    private final String text;
    private final long deadline;
    private int reads;

    /** A text with a deadline on the scale of {@link System#nanoTime()}. */
    TimedText(String text, long deadline) {
        this.text = text;
        this.deadline = deadline;
    }

    /** Thrown by every method that reads the text too late. */
    static final class TimeOver extends RuntimeException {
        TimeOver() {
            super("time over", null, false, false);
        }
    }

    @Override
    public int length() {
        return text.length();
    }

    @Override
    public char charAt(int index) {
        if (++reads % CHARACTERS_PER_LOOK == 0) {
            look();
        }
        return text.charAt(index);
    }

    @Override
    public CharSequence subSequence(int start, int end) {
        look();
        return text.substring(start, end);
    }

    @Override
    public String toString() {
        look();
        return text;
    }

    private void look() {
        if (System.nanoTime() - deadline >= 0) {
            throw new TimeOver();
        }
    }
}
