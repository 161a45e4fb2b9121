package dev.rlvr.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

class StatisticsTest {
    @Test
    void theMedianOfAnOddNumberIsTheMiddleOne() {
        assertThat(Statistics.median(9, 1, 2)).isEqualTo(2);
    }

    @Test
    void theMedianOfAnEvenNumberLiesBetweenTheMiddleTwo() {
        assertThat(Statistics.median(9, 1, 2, 4)).isEqualTo(3);
    }

    @Test
    void thereIsNoMedianOfNothing() {
        assertThat(Statistics.median()).isNaN();
    }

    @Test
    void aRatioComparesNeighbouringRounds() {
        List<Round> ours = rounds(1, 10);
        List<Round> peer = rounds(2, 30);

        assertThat(Statistics.ratios(ours, peer, Round::seconds)).containsExactly(2, 3);
    }

    @Test
    void roundsThatHaveNoNeighbourAreNotCompared() {
        assertThatThrownBy(() -> Statistics.ratios(rounds(1), rounds(1, 2), Round::seconds))
                .hasMessage("1 rounds beside 2");
    }

    private static List<Round> rounds(double... seconds) {
        return DoubleStream.of(seconds).mapToObj(s -> new Round(s, s, 0, 0)).toList();
    }
}
