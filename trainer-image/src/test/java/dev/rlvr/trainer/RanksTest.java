package dev.rlvr.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDManager;
import dev.rlvr.crds.Manifest;
import dev.rlvr.crds.RLVRJobSpec;
import dev.rlvr.crds.TrainerSpec.Sharding;
import dev.rlvr.trainer.collectives.Collectives;
import dev.rlvr.trainer.collectives.RanksInThisProcess;
import dev.rlvr.trainer.model.Decoder;
import dev.rlvr.trainer.model.ModelConfig;
import dev.rlvr.trainer.model.Safetensors;
import dev.rlvr.trainer.model.TensorFiles;
import dev.rlvr.trainer.model.Weights;
import dev.rlvr.trainer.objective.PolicyLoss;
import dev.rlvr.trainer.optimizer.AdamW;
import dev.rlvr.trainer.rollout.RandomStreams;
import dev.rlvr.trainer.rollout.Sample;
import dev.rlvr.trainer.sharding.Groups;
import dev.rlvr.trainer.sharding.ShardedState;
import dev.rlvr.trainer.torch.Torch;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What does not depend on how many ranks there are, nor on what each of them holds. */
@Tag("slow")
class RanksTest {
    private static final int STEPS = 20;
    private static final ModelConfig MODEL = new ModelConfig(
            ModelConfig.Family.QWEN3, 97, 32, 64, 3, 4, 2, 8, 1e-6, 10_000, 128, false, false, List.of(1));

    @TempDir
    private Path folder;

    /** What a rank saw, and the whole model's weights in the end. */
    private record Outcome(List<Double> losses, List<Double> norms, List<Integer> kept, Map<String, float[]> weights) {}

    private static RLVRJobSpec spec(String algorithm, String trainer) {
        return Manifest.parse("""
                apiVersion: rlvr.dev/v1alpha1
                kind: RLVRJob
                metadata: {name: ranks}
                spec:
                  model: {source: 'bundled://quickstart/model'}
                  data: {source: 'bundled://quickstart/train.jsonl'}
                  reward: {verifier: Numeric}
                  algorithm:
                    optimizer: {learningRate: 2e-4, weightDecay: 0.1}
                    %s
                  trainer: {gpusPerReplica: 0, microBatchTokens: 128%s}
                """.formatted(algorithm, trainer), "test").getSpec();
    }

    /** Answers of very different lengths to a few prompts, as a step would have sampled them. */
    private static List<PolicyUpdate.Item> miniBatch(int step) {
        SplittableRandom random = new SplittableRandom(step);
        List<PolicyUpdate.Item> items = new ArrayList<>();
        for (int p = 0; p < 3; p++) {
            List<Integer> prompt =
                    random.ints(3 + p, 2, MODEL.vocabulary()).boxed().toList();
            for (int a = 0; a < 4; a++) {
                int length = 1 + random.nextInt(40);
                float[] logProbabilities = new float[length];
                float[] entropies = new float[length];
                for (int i = 0; i < length; i++) {
                    logProbabilities[i] = (float) -Math.log(MODEL.vocabulary());
                    entropies[i] = random.nextFloat();
                }
                Sample sample = new Sample(
                        random.ints(length, 2, MODEL.vocabulary()).toArray(), logProbabilities, entropies, true);
                items.add(PolicyUpdate.Item.onPolicy(prompt, sample, random.nextDouble(-1, 1)));
            }
        }
        return items;
    }

    /** One rank's state and what it does in a step. */
    private static final class Rank implements AutoCloseable {
        private final RLVRJobSpec spec;
        private final NDManager owner;
        private final ShardedState state;
        private final Decoder decoder;
        private final AdamW optimizer;
        private final PolicyLoss loss;
        private final PolicyUpdate update;
        private final List<Double> losses = new ArrayList<>();
        private final List<Double> norms = new ArrayList<>();
        private final List<Integer> kept = new ArrayList<>();

        Rank(RLVRJobSpec spec, NDManager owner, Collectives group, Path start) throws IOException {
            this.spec = spec;
            this.owner = owner;
            Groups groups = Groups.of(group, spec.trainer());
            this.state = ShardedState.zeros(owner, MODEL, spec.trainer(), groups);
            Weights weights = Weights.of(state.weights().read(TensorFiles.open(List.of(start)), ""));
            this.decoder = new Decoder(owner, weights, MemoryPlan.precision(spec), 64, groups.sharing());
            this.optimizer = AdamW.start(
                    owner,
                    state.owned(),
                    spec.algorithm().optimizer(),
                    state.zerosLikeOwned(owner),
                    state.zerosLikeOwned(owner));
            this.loss = new PolicyLoss(spec.algorithm().clip());
            this.update = new PolicyUpdate(
                    decoder,
                    state,
                    optimizer,
                    loss,
                    group,
                    spec,
                    MemoryPlan.of(spec, MODEL, 1L << 34).recomputation());
        }

        void step(int step) {
            List<PolicyUpdate.Item> items = miniBatch(step);
            if (step % 2 == 1) {
                List<float[]> current = update.score(items);
                items = IntStream.range(0, items.size())
                        .mapToObj(i -> miniBatch(step).get(i).stale(current.get(i), 2))
                        .toList();
            }
            PolicyUpdate.Result result = update.apply(
                    items,
                    spec.algorithm().optimizer().learningRate(),
                    RandomStreams.of(RandomStreams.Purpose.MASK, step));
            losses.add(result.loss());
            norms.add(result.gradientNorm());
            kept.add(result.kept());
        }

        Outcome outcome() {
            Map<String, float[]> weights = new LinkedHashMap<>();
            state.stream(owner)
                    .forEachRemaining(unit -> unit.content().forEach((name, tensor) -> {
                        FloatBuffer values =
                                tensor.bytes().order(ByteOrder.nativeOrder()).asFloatBuffer();
                        float[] copy = new float[values.remaining()];
                        values.get(copy);
                        weights.put(name, copy);
                    }));
            return new Outcome(losses, norms, kept, weights);
        }

        @Override
        public void close() {
            decoder.close();
            optimizer.close();
            loss.close();
        }
    }

    private Path start() throws IOException {
        Path file = folder.resolve("start.safetensors");
        try (NDManager owner = Torch.start(1)) {
            Weights.random(owner, MODEL, 0.2, new SplittableRandom(3)).write(file);
        }
        return file;
    }

    private List<Outcome> train(int ranks, String algorithm, String trainer) throws Exception {
        return train(STEPS, ranks, algorithm, trainer);
    }

    private List<Outcome> train(int steps, int ranks, String algorithm, String trainer) throws Exception {
        Path start = start();
        RLVRJobSpec spec = spec(algorithm, trainer);
        return RanksInThisProcess.run(ranks, (owner, group) -> {
            try (Rank rank = new Rank(spec, owner, group, start)) {
                for (int step = 0; step < steps; step++) {
                    rank.step(step);
                }
                return rank.outcome();
            }
        });
    }

    private static Stream<Arguments> waysToShare() {
        return IntStream.of(2, 4)
                .boxed()
                .flatMap(ranks -> Stream.of(Sharding.values())
                        .filter(sharding -> sharding != Sharding.Hybrid || ranks == 4)
                        .map(sharding -> Arguments.of(ranks, sharding)));
    }

    @ParameterizedTest
    @MethodSource("waysToShare")
    void theResultIsThatOfOneRank(int ranks, Sharding sharding) throws Exception {
        Outcome alone = train(1, "forkingTokens: {fraction: 0.2}", "").getFirst();

        List<Outcome> shared = train(
                ranks,
                "forkingTokens: {fraction: 0.2}",
                ", replicas: %d, ranksPerReplica: 2, sharding: %s".formatted(ranks / 2, sharding));

        for (Outcome rank : shared) {
            assertThat(rank.kept()).isEqualTo(alone.kept());
            for (int step = 0; step < STEPS; step++) {
                assertThat(rank.losses().get(step)).isCloseTo(alone.losses().get(step), within(1e-6));
                assertThat(rank.norms().get(step))
                        .isCloseTo(
                                alone.norms().get(step),
                                within(1e-5 * alone.norms().get(step)));
            }
            assertClose(rank.weights(), alone.weights(), 1e-5f);
        }
    }

    @Test
    void theSameRanksGiveTheSameBits() throws Exception {
        String trainer = ", ranksPerReplica: 3, sharding: Parameters";
        List<Outcome> once = train(8, 3, "forkingTokens: {fraction: 0.2}", trainer);
        List<Outcome> again = train(8, 3, "forkingTokens: {fraction: 0.2}", trainer);

        assertThat(once).usingRecursiveComparison().isEqualTo(again);
        assertThat(once.get(1).weights())
                .usingRecursiveComparison()
                .isEqualTo(once.getFirst().weights());
    }

    @Test
    void layersThatTravelInBf16AreThoseThatWouldHaveBeenComputedHere() throws Exception {
        String tokens = "forkingTokens: {fraction: 0.2}";
        Outcome whole =
                train(2, tokens, ", precision: BF16, ranksPerReplica: 2").getFirst();
        Outcome shared = train(2, tokens, ", precision: BF16, ranksPerReplica: 2, sharding: Parameters")
                .getFirst();

        assertThat(shared.losses().getFirst()).isEqualTo(whole.losses().getFirst());
        assertClose(shared.weights(), whole.weights(), 1e-3f);
    }

    @Test
    void gradientsThatTravelInBf16AreRoundedOnceAndSummedInF32() throws Exception {
        String tokens = "forkingTokens: {fraction: 0.2}";
        Outcome exact =
                train(1, 4, tokens, ", ranksPerReplica: 4, sharding: Optimizer").getFirst();
        Outcome rounded = train(1, 4, tokens, ", ranksPerReplica: 4, sharding: Optimizer, reducePrecision: BF16")
                .getFirst();

        double norm = exact.norms().getFirst();
        assertThat(rounded.norms().getFirst()).isNotEqualTo(norm).isCloseTo(norm, within(norm * 0x1p-9));
    }

    @Test
    void theOtherScopesAndComputingAgainWorkOnRanksToo() throws Exception {
        for (String tokens : List.of(
                "{scope: Sequence}",
                "{scope: MicroBatch}",
                "{entropyFrom: Rollout}",
                "{select: Random, fraction: 0.5}")) {
            Outcome alone = train(3, 1, "forkingTokens: " + tokens, "").getFirst();
            Outcome shared = train(
                            3,
                            2,
                            "forkingTokens: " + tokens,
                            ", recomputation: Always, ranksPerReplica: 2, sharding: Gradients")
                    .getFirst();

            if (!tokens.contains("MicroBatch")) { // which depends on how they are cut
                assertThat(shared.kept()).as(tokens).isEqualTo(alone.kept());
                assertThat(shared.losses().getFirst())
                        .as(tokens)
                        .isCloseTo(alone.losses().getFirst(), within(1e-6));
            }
            assertThat(shared.losses()).allMatch(Double::isFinite);
        }
    }

    @Test
    void aStateIsTakenUpByAnyNumberOfRanksInAnySharding() throws Exception {
        Path start = start();
        Outcome through = train(1, "forkingTokens: {fraction: 0.2}", "").getFirst();
        List<Path> models = IntStream.range(0, 3)
                .mapToObj(rank -> folder.resolve("model-%d-of-3.safetensors".formatted(rank)))
                .toList();
        List<Path> moments = IntStream.range(0, 3)
                .mapToObj(rank -> folder.resolve("optimizer-%d-of-3.safetensors".formatted(rank)))
                .toList();
        RLVRJobSpec before = spec("forkingTokens: {fraction: 0.2}", ", ranksPerReplica: 3, sharding: Optimizer");
        RanksInThisProcess.run(3, (owner, group) -> {
            try (Rank rank = new Rank(before, owner, group, start)) {
                for (int step = 0; step < STEPS / 2; step++) {
                    rank.step(step);
                }
                Safetensors.write(
                        models.get(group.rank()),
                        rank.state.written(rank.state.weights()).content(""));
                Safetensors.write(moments.get(group.rank()), rank.optimizer.content(rank.state::written));
                return 0;
            }
        });

        RLVRJobSpec after = spec("forkingTokens: {fraction: 0.2}", ", ranksPerReplica: 2, sharding: Parameters");
        List<Outcome> resumed = RanksInThisProcess.run(2, (owner, group) -> {
            try (Rank rank = new Rank(after, owner, group, start)) {
                rank.state.weights().read(TensorFiles.open(models), "");
                rank.optimizer.resume(TensorFiles.open(moments), STEPS / 2);
                rank.decoder.refresh();
                for (int step = STEPS / 2; step < STEPS; step++) {
                    rank.step(step);
                }
                return rank.outcome();
            }
        });

        assertClose(resumed.getFirst().weights(), through.weights(), 1e-5f);
    }

    private static void assertClose(Map<String, float[]> actual, Map<String, float[]> expected, float tolerance) {
        assertThat(actual.keySet()).isEqualTo(expected.keySet());
        expected.forEach((name, values) -> {
            double furthest = 0;
            for (int i = 0; i < values.length; i++) {
                furthest = Math.max(furthest, Math.abs(actual.get(name)[i] - values[i]));
            }
            assertThat(furthest).as(name).isLessThanOrEqualTo(tolerance);
        });
    }
}
