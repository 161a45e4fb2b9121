package dev.rlvr.trainer.collectives;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The real process group, over real sockets. */
class GlooTest {
    private static final int SHARE = 1000;

    private static float[] values(int rank, int size) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) Math.sin(rank * 7919 + i);
        }
        return values;
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4})
    void eachRankGetsItsShareOfTheSum(int ranks) throws Exception {
        List<float[]> shares = RanksInThisProcess.run(ranks, (owner, group) -> {
            NDArray whole = owner.create(values(group.rank(), ranks * SHARE));
            return group.reduceScatter(whole, owner.zeros(new Shape(SHARE)), DataType.FLOAT32)
                    .await()
                    .toFloatArray();
        });

        for (int rank = 0; rank < ranks; rank++) {
            float[] expected = new float[SHARE];
            for (int other = 0; other < ranks; other++) {
                float[] theirs = values(other, ranks * SHARE);
                for (int i = 0; i < SHARE; i++) {
                    expected[i] += theirs[rank * SHARE + i];
                }
            }
            assertThat(shares.get(rank)).as("added in the order of the ranks").isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4})
    void sharesAreGatheredIntoTheWholeThatTheyAreViewsOf(int ranks) throws Exception {
        List<float[]> wholes = RanksInThisProcess.run(ranks, (owner, group) -> {
            NDArray whole = owner.zeros(new Shape((long) ranks * SHARE));
            int from = group.rank() * SHARE;
            NDArray mine = whole.get("%d:%d".formatted(from, from + SHARE));
            mine.addi(owner.create(values(group.rank(), SHARE)));
            return group.allGather(mine, whole).await().toFloatArray();
        });

        float[] expected = new float[ranks * SHARE];
        for (int rank = 0; rank < ranks; rank++) {
            System.arraycopy(values(rank, SHARE), 0, expected, rank * SHARE, SHARE);
        }
        assertThat(wholes).allSatisfy(whole -> assertThat(whole).isEqualTo(expected));
    }

    @Test
    void severalTransfersGoOnAtTheSameTime() throws Exception {
        List<List<float[]>> sums = RanksInThisProcess.run(2, (owner, group) -> {
            List<Collectives.Pending> pending = new ArrayList<>();
            for (int i = 1; i <= 5; i++) {
                NDArray ones = owner.ones(new Shape(2 * SHARE)).mul(i);
                pending.add(group.reduceScatter(ones, owner.zeros(new Shape(SHARE)), DataType.FLOAT32));
            }
            return pending.stream().map(sum -> sum.await().toFloatArray()).toList();
        });

        for (int i = 0; i < 5; i++) {
            float[] expected = new float[SHARE];
            Arrays.fill(expected, 2 * (i + 1));
            assertThat(sums.getFirst().get(i)).isEqualTo(expected);
        }
    }

    @Test
    void bytesOfAnyLengthAreGatheredInOrder() throws Exception {
        List<List<String>> all = RanksInThisProcess.run(
                3,
                (_, group) -> group.gather("x".repeat(group.rank()).getBytes(StandardCharsets.UTF_8)).stream()
                        .map(bytes -> new String(bytes, StandardCharsets.UTF_8))
                        .toList());

        assertThat(all).allSatisfy(texts -> assertThat(texts).containsExactly("", "x", "xx"));
    }

    @Test
    void smallAgreements() throws Exception {
        List<List<Object>> said = RanksInThisProcess.run(3, (_, group) -> {
            group.barrier();
            return List.of(
                    group.any(group.rank() == 2),
                    group.any(false),
                    group.first(40 + group.rank()),
                    group.sum(0.1, group.rank())[0],
                    group.sum(0.1, group.rank())[1]);
        });

        assertThat(said).allSatisfy(words -> assertThat(words).containsExactly(true, false, 40L, 0.1 + 0.1 + 0.1, 3.0));
    }
}
