package dev.rlvr.trainer.collectives;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.rlvr.trainer.torch.Script;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The whole of {@link Nccl}, called through C functions as on a GPU; the library behind them is a stand-in in the host's memory. */
class NcclTest {
    private static final int SHARE = 1000;
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final Duration SHORT = Duration.ofMillis(700);

    private final List<NcclStandIn> standIns = new CopyOnWriteArrayList<>();

    @AfterEach
    void closeStandIns() {
        standIns.forEach(NcclStandIn::close);
    }

    /** What a rank does. */
    private interface Rank<T> {
        T run(NDManager owner, Collectives group, NcclStandIn library) throws Exception;
    }

    private <T> List<T> run(int ranks, Duration timeout, Rank<T> each) throws Exception {
        return RanksInThisProcess.run(ranks, (owner, control) -> {
            NcclStandIn library = new NcclStandIn();
            standIns.add(library);
            return each.run(owner, Nccl.open(control, timeout, library.nccl(), library.driver(), owner), library);
        });
    }

    private static float[] values(int rank, int size) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) Math.sin(rank * 7919 + i);
        }
        return values;
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4})
    void eachRankGetsItsShareOfTheSumAddedInTheOrderOfTheRanks(int ranks) throws Exception {
        List<float[]> shares = run(ranks, LONG, (owner, group, _) -> {
            NDArray whole = owner.create(values(group.rank(), ranks * SHARE));
            NDArray mine = whole.get("%d:%d".formatted(group.rank() * SHARE, (group.rank() + 1) * SHARE));
            return group.reduceScatter(whole, mine, DataType.FLOAT32).await().toFloatArray();
        });

        for (int rank = 0; rank < ranks; rank++) {
            float[] expected = new float[SHARE];
            for (int other = 0; other < ranks; other++) {
                float[] theirs = values(other, ranks * SHARE);
                for (int i = 0; i < SHARE; i++) {
                    expected[i] += theirs[rank * SHARE + i];
                }
            }
            assertThat(shares.get(rank)).isEqualTo(expected);
        }
    }

    @Test
    void whatTravelsInBf16IsSummedInF32AsGlooDoes() throws Exception {
        Rank<float[]> exchange = (owner, group, _) -> group.reduceScatter(
                        owner.create(values(group.rank(), 2 * SHARE)), owner.zeros(new Shape(SHARE)), DataType.BFLOAT16)
                .await()
                .toFloatArray();

        List<float[]> here = run(2, LONG, exchange);

        List<float[]> gloo = RanksInThisProcess.run(2, (owner, group) -> exchange.run(owner, group, new NcclStandIn()));
        assertThat(here.get(0)).isEqualTo(gloo.get(0));
        assertThat(here.get(1)).isEqualTo(gloo.get(1));
    }

    @ParameterizedTest
    @CsvSource({"2, 6", "4, 6", "2, 15"})
    void sharesAreGatheredIntoTheWholeThatTheyAreViewsOf(int ranks, int scalarType) throws Exception {
        List<float[]> wholes = run(ranks, LONG, (owner, group, _) -> {
            try (Script script = Script.compile("""
                      def to(self: __torch__.M, x: Tensor, type: int) -> Tensor:
                        return torch.to(x, type)
                    """)) {
                int from = group.rank() * SHARE;
                float[] mine = new float[ranks * SHARE];
                System.arraycopy(halves(group.rank()), 0, mine, from, SHARE);
                NDArray whole = script.tensor(owner, "to", owner.create(mine), scalarType);
                group.allGather(whole.get("%d:%d".formatted(from, from + SHARE)), whole)
                        .await();
                return script.tensor(owner, "to", whole, 6).toFloatArray();
            }
        });

        float[] expected = new float[ranks * SHARE];
        for (int rank = 0; rank < ranks; rank++) {
            System.arraycopy(halves(rank), 0, expected, rank * SHARE, SHARE);
        }
        assertThat(wholes).allSatisfy(whole -> assertThat(whole).isEqualTo(expected));
    }

    /** Values that BF16 holds exactly. */
    private static float[] halves(int rank) {
        float[] values = new float[SHARE];
        for (int i = 0; i < SHARE; i++) {
            values[i] = rank + (i % 64) / 2f;
        }
        return values;
    }

    @Test
    void severalTransfersGoOnAtTheSameTimeAndAreAwaitedInAnyOrder() throws Exception {
        List<List<float[]>> sums = run(2, LONG, (owner, group, _) -> {
            List<Collectives.Pending> pending = new ArrayList<>();
            for (int i = 1; i <= 5; i++) {
                NDArray ones = owner.ones(new Shape(2 * SHARE)).mul(i);
                pending.add(group.reduceScatter(ones, owner.zeros(new Shape(SHARE)), DataType.FLOAT32));
            }
            return pending.reversed().stream()
                    .map(sum -> sum.await().toFloatArray())
                    .toList();
        });

        for (int i = 0; i < 5; i++) {
            float[] expected = new float[SHARE];
            Arrays.fill(expected, 2 * (5 - i));
            assertThat(sums.getFirst().get(i)).isEqualTo(expected);
        }
    }

    @Test
    void someOfTheRanksAreAGroupOfTheirOwn() throws Exception {
        List<float[]> sums = run(4, LONG, (owner, group, _) -> {
            int half = group.rank() / 2;
            try (Collectives some = group.among("half-" + half, group.rank() % 2, 2)) {
                assertThat(some.size()).isEqualTo(2);
                NDArray whole = owner.ones(new Shape(2)).mul(group.rank());
                return some.reduceScatter(whole, owner.zeros(new Shape(1)), DataType.FLOAT32)
                        .await()
                        .toFloatArray();
            }
        });

        assertThat(sums).containsExactly(new float[] {1}, new float[] {1}, new float[] {5}, new float[] {5});
    }

    @Test
    void smallAgreementsStayOnTheCpu() throws Exception {
        List<List<Object>> said = run(2, LONG, (_, group, _) -> {
            group.barrier();
            return List.of(group.any(group.rank() == 1), group.first(40 + group.rank()), group.sum(1, 2)[1]);
        });

        assertThat(said).allSatisfy(words -> assertThat(words).containsExactly(true, 40L, 4.0));
    }

    @Test
    void aRankThatFallsSilentIsGivenUpAtTheTimeOut() throws Exception {
        CountDownLatch over = new CountDownLatch(2);
        List<Integer> aborts = run(2, SHORT, (owner, group, library) -> {
            if (group.rank() == 1) {
                library.fallSilent();
            }
            Collectives.Pending sum =
                    group.reduceScatter(owner.ones(new Shape(2)), owner.zeros(new Shape(1)), DataType.FLOAT32);
            assertThatThrownBy(sum::await)
                    .isInstanceOf(LostRankException.class)
                    .hasMessage("rank %d: NCCL: exchange: no end after 0 s".formatted(group.rank()));
            assertThatThrownBy(() -> group.allGather(owner.ones(new Shape(1)), owner.ones(new Shape(2))))
                    .as("nothing is asked of a communicator that is gone")
                    .isInstanceOf(LostRankException.class)
                    .hasMessageContaining("given up");
            over.countDown();
            over.await();
            return library.aborts();
        });

        assertThat(aborts).containsExactly(1, 1);
    }

    @ParameterizedTest
    @CsvSource({"1, LostRankException", "2, LostRankException", "6, LostRankException", "5, IllegalStateException"})
    void anAsynchronousErrorEndsTheWaitAtOnce(int status, String exception) throws Exception {
        List<Integer> aborts = run(2, LONG, (owner, group, library) -> {
            library.fallSilent();
            Collectives.Pending sum =
                    group.reduceScatter(owner.ones(new Shape(2)), owner.zeros(new Shape(1)), DataType.FLOAT32);
            library.failWith(status);
            assertThatThrownBy(sum::await)
                    .hasMessageContaining("NCCL: exchange: error %d (%d)".formatted(status, status))
                    .extracting(thrown -> thrown.getClass().getSimpleName())
                    .isEqualTo(exception);
            return library.aborts();
        });

        assertThat(aborts).containsExactly(1, 1);
    }

    @Test
    void nobodyWaitsForEverForARankThatDoesNotCome() throws Exception {
        List<String> ends = RanksInThisProcess.run(2, (owner, control) -> {
            NcclStandIn library = new NcclStandIn();
            standIns.add(library);
            if (control.rank() == 1) {
                control.gather(new byte[0]); // takes the id and never uses it
                return "";
            }
            try (Nccl group = Nccl.open(control, SHORT, library.nccl(), library.driver(), owner)) {
                return "all " + group.size() + " ranks are there";
            } catch (LostRankException e) {
                return e.getMessage();
            }
        });

        assertThat(ends).containsExactly("rank 0: NCCL: ncclCommInitRankConfig: no end after 0 s", "");
    }

    @ParameterizedTest
    @CsvSource({"22100, 2.21.0", "30000, 3.0.0"})
    void anotherVersionIsRefusedWithWhatToInstall(int code, String version) {
        try (NcclStandIn library = new NcclStandIn()) {
            library.claimVersion(code);
            assertThatThrownBy(library::nccl)
                    .isInstanceOf(NcclLibrary.MissingException.class)
                    .hasMessageContainingAll("is NCCL " + version, "from 2.26.2 on", "libnccl2", "RLVR_NCCL");
        }
    }
}
