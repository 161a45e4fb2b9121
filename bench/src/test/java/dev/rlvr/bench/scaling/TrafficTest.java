package dev.rlvr.bench.scaling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import dev.rlvr.crds.TrainerSpec;
import dev.rlvr.crds.TrainerSpec.Recomputation;
import dev.rlvr.crds.TrainerSpec.Sharding;
import dev.rlvr.trainer.collectives.Collectives;
import dev.rlvr.trainer.model.Decoder;
import dev.rlvr.trainer.model.ForwardPass;
import dev.rlvr.trainer.model.ModelConfig;
import dev.rlvr.trainer.model.ModelConfig.Family;
import dev.rlvr.trainer.model.Precision;
import dev.rlvr.trainer.model.Retention;
import dev.rlvr.trainer.model.TokenBatch;
import dev.rlvr.trainer.model.Weights;
import dev.rlvr.trainer.sharding.Groups;
import dev.rlvr.trainer.sharding.ShardedState;
import dev.rlvr.trainer.torch.Torch;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What the formulas count is what the trainer's own classes hand to their ranks' transport in a gradient step. */
class TrafficTest {
    private static final int PER_POD = 2;

    /** Sizes that no share divides evenly; head norms, or biases and a head of its own. */
    private static ModelConfig model(boolean tied) {
        Family family = tied ? Family.QWEN3 : Family.QWEN2;
        return new ModelConfig(family, 50, 24, 40, 3, 4, 2, 6, 1e-6, 1e4, 64, tied, !tied, List.of(49));
    }

    /** A transport that counts and delivers nothing. */
    private static final class Counting implements Collectives {
        private final int size;
        private double sent;
        private int transfers;

        Counting(int size) {
            this.size = size;
        }

        private Pending sent(double bytes, NDArray result) {
            sent += bytes * (size - 1) / size;
            transfers++;
            return () -> result;
        }

        /** DJL says of BF16 tensors that it does not know their type. */
        private static int bytes(DataType type) {
            return type == DataType.FLOAT32 ? 4 : 2;
        }

        @Override
        public int rank() {
            return 0;
        }

        @Override
        public int size() {
            return size;
        }

        @Override
        public Pending reduceScatter(NDArray whole, NDArray sum, DataType travels) {
            return sent((double) whole.size() * bytes(travels), sum);
        }

        @Override
        public Pending allGather(NDArray share, NDArray whole) {
            assertThat(whole.size()).isEqualTo(share.size() * size);
            return sent((double) whole.size() * bytes(whole.getDataType()), whole);
        }

        @Override
        public Collectives among(String name, int rank, int size) {
            return new Counting(size);
        }

        @Override
        public List<byte[]> gather(byte[] mine) {
            return Collections.nCopies(size, mine);
        }

        @Override
        public void close() {}
    }

    private static TrainerSpec spec(Sharding sharding, Precision reduce, int ranks) {
        return new TrainerSpec(
                ranks / PER_POD,
                0,
                PER_POD,
                1,
                "nvidia.com/gpu",
                null,
                null,
                TrainerSpec.Precision.F32,
                sharding,
                TrainerSpec.Precision.valueOf(reduce.name()),
                1024,
                Recomputation.Never,
                null,
                null);
    }

    @ParameterizedTest
    @CsvSource({
        "None, F32, F32, 2, true",
        "None, F32, BF16, 4, false",
        "Optimizer, BF16, F32, 3, true",
        "Gradients, F32, BF16, 4, true",
        "Gradients, BF16, F32, 7, false",
        "Parameters, F32, F32, 4, true",
        "Parameters, BF16, BF16, 3, false",
        "Hybrid, F32, F32, 6, true",
        "Hybrid, BF16, BF16, 8, false"
    })
    void aGradientStepSendsTheBytesOfTheFormula(
            Sharding sharding, Precision precision, Precision reduce, int ranks, boolean tied) {
        ModelConfig model = model(tied);
        boolean hybrid = sharding == Sharding.Hybrid;
        Counting sharing = new Counting(hybrid ? PER_POD : ranks);
        Counting copies = new Counting(hybrid ? ranks / PER_POD : 1);
        Groups groups = new Groups(new Counting(ranks), sharing, copies);
        int passes = 3;
        try (NDManager owner = Torch.start(1).newSubManager()) {
            ShardedState state = ShardedState.zeros(owner, model, spec(sharding, reduce, ranks), groups);
            try (Decoder decoder = new Decoder(owner, Weights.of(state.weights()), precision, 16, sharing)) {
                sharing.sent = 0;
                sharing.transfers = 0;
                for (int pass = 0; pass < passes; pass++) {
                    pass(decoder, state, pass == passes - 1);
                }
                state.reduce();
                state.publish();
                decoder.refresh();
            }
        }
        Traffic traffic = Traffic.of(model, precision, reduce, sharding, ranks, PER_POD);
        assertThat(sharing.sent + copies.sent).isCloseTo(traffic.sent(passes, 2), within(1e-6));
        assertThat(sharing.transfers + copies.transfers).isEqualTo(transfers(traffic, sharding, passes));
    }

    /** As many messages as the formulas of time count a latency for. */
    private static int transfers(Traffic traffic, Sharding sharding, int passes) {
        int all = traffic.blocks().count();
        return switch (sharding) {
            case None, Optimizer -> 2 * all;
            case Gradients -> passes * all + all;
            case Parameters -> passes * (all + 2 * (all - 2)) + 2;
            case Hybrid -> passes * (all + 2 * (all - 2)) + 2 + 2 * all;
        };
    }

    private static void pass(Decoder decoder, ShardedState state, boolean last) {
        TokenBatch batch = TokenBatch.of(List.of(new TokenBatch.Row(List.of(1, 2), List.of(3, 4, 5))));
        try (ForwardPass pass = decoder.forward(batch, Retention.ACTIVATIONS)) {
            pass.backward(
                    new long[] {0, 2}, 1, (_, logProbabilities, _, _) -> logProbabilities.sum(), state.sums(last));
        }
    }

    @ParameterizedTest
    @EnumSource(Sharding.class)
    void oneRankSendsNothing(Sharding sharding) {
        assertThat(Traffic.of(model(true), Precision.F32, Precision.F32, sharding, 1, PER_POD)
                        .sent(5, 3))
                .isZero();
    }
}
