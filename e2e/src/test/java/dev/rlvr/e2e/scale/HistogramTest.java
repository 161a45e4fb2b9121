package dev.rlvr.e2e.scale;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class HistogramTest {
    private static final String EARLIER = """
        # TYPE took_seconds histogram
        took_seconds_bucket{controller="a",le="0.05"} 0.0
        took_seconds_bucket{controller="a",le="0.1"} 0.0
        took_seconds_bucket{controller="a",le="+Inf"} 0.0
        other_seconds_bucket{controller="a",le="+Inf"} 7.0
        """;
    private static final String LATER = """
        took_seconds_bucket{controller="a",le="0.05"} 90.0
        took_seconds_bucket{controller="a",le="0.1"} 98.0
        took_seconds_bucket{controller="a",le="+Inf"} 100.0
        """;

    @Test
    void quantilesLieWithinTheBucketThatHasThem() {
        Histogram took = read(LATER);

        assertThat(took.count()).isEqualTo(100);
        assertThat(took.quantile(0.45)).isCloseTo(0.025, within(1e-9));
        assertThat(took.quantile(0.94)).isCloseTo(0.075, within(1e-9));
        assertThat(took.quantile(0.99))
                .as("beyond the last finite bound nothing is known but that")
                .isEqualTo(0.1);
    }

    @Test
    void whatWasThereBeforeDoesNotCount() {
        assertThat(read(LATER).since(read(LATER)).count()).isZero();
        assertThat(read(LATER).since(read(EARLIER))).isEqualTo(read(LATER));
        assertThat(read("").quantile(0.5)).isNaN();
    }

    @Test
    void quantilesOfSecondsAreOnesThatWereMeasured() {
        Quantiles of = Quantiles.of(List.of(3.0, 1.0, 2.0, 4.0));

        assertThat(of).isEqualTo(new Quantiles(2, 4, 4));
        assertThat(Quantiles.of(List.of()).median()).isNaN();
    }

    private static Histogram read(String text) {
        return Histogram.of(text, "took_seconds", "controller=\"a\"");
    }
}
