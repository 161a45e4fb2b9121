package dev.rlvr.e2e.scale;

import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A Prometheus histogram.
 *
 * @param buckets observations of at most so many seconds, by that bound; the last bound is infinite
 */
record Histogram(NavigableMap<Double, Double> buckets) {
    private static final Pattern BUCKET = Pattern.compile("^%s_bucket\\{(.*)le=\"([^\"]+)\"[^}]*}\\s+(\\S+)$");

    /** The sum of all series of that name in an exposition, whose labels hold this text. */
    static Histogram of(String exposition, String name, String label) {
        NavigableMap<Double, Double> buckets = new TreeMap<>();
        Pattern line = Pattern.compile(BUCKET.pattern().formatted(Pattern.quote(name)));
        exposition.lines().map(line::matcher).filter(Matcher::matches).forEach(bucket -> {
            if (bucket.group(1).contains(label)) {
                buckets.merge(bound(bucket.group(2)), Double.parseDouble(bucket.group(3)), Double::sum);
            }
        });
        return new Histogram(buckets);
    }

    private static double bound(String text) {
        return text.equals("+Inf") ? Double.POSITIVE_INFINITY : Double.parseDouble(text);
    }

    /** What was observed since that earlier state of the same histogram. */
    Histogram since(Histogram earlier) {
        NavigableMap<Double, Double> difference = new TreeMap<>();
        buckets.forEach((bound, count) -> difference.put(bound, count - earlier.buckets.getOrDefault(bound, 0.0)));
        return new Histogram(difference);
    }

    /** How many observations there are. */
    double count() {
        return buckets.isEmpty() ? 0 : buckets.lastEntry().getValue();
    }

    /** A quantile in seconds, as Prometheus's {@code histogram_quantile} finds it; NaN of nothing. */
    double quantile(double share) {
        double rank = share * count();
        double lower = 0;
        double below = 0;
        for (var bucket : buckets.entrySet()) {
            double bound = bucket.getKey();
            double upTo = bucket.getValue();
            if (upTo >= rank && upTo > 0) {
                return Double.isInfinite(bound) ? lower : lower + (bound - lower) * (rank - below) / (upTo - below);
            }
            lower = bound;
            below = upTo;
        }
        return Double.NaN;
    }
}
