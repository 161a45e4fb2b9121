package dev.rlvr.operator;

/**
 * Makes equal values the same one, where it still knows the former. It knows one value for each place of a table, so what it holds is bounded.
 * Threads that race for a place lose nothing but a chance.
 */
final class KnownValues {
    private static final int PLACES = 1 << 16;

    private final Object[] known = new Object[PLACES];

    /** An equal value that was seen before, or this. */
    @SuppressWarnings("unchecked") // equal values of immutable types are of one type
    <T> T same(T value) {
        int hash = value.hashCode();
        int place = (hash ^ (hash >>> 16)) & (PLACES - 1);
        Object former = known[place];
        if (value.equals(former)) {
            return (T) former;
        }
        known[place] = value;
        return value;
    }
}
