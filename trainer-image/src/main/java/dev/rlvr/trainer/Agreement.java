package dev.rlvr.trainer;

import dev.rlvr.crds.RLVRJobSpec;
import dev.rlvr.crds.RolloutSpec.Engine;
import dev.rlvr.crds.TrainerSpec.Precision;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Whether answers are from the policy, seen by their log-probabilities. vLLM calls its weights what it is told to call them, whichever it has, so
 * before the first update on its answers one of each group is scored by the policy itself: the group's answers are of one or few requests, and
 * each request is of one server.
 *
 * @param precision of the trainer and of servers that the operator starts
 * @param most mean difference of log-probabilities in nats that is rounding
 */
record Agreement(Precision precision, double most) {
    /** As close as two programs come that compute the same in F32; BF16 rounds each product's result to 3 digits. */
    private static Agreement in(Precision precision) {
        return new Agreement(precision, precision == Precision.F32 ? 1e-4 : 5e-2);
    }

    /** What a job's answers have to keep to; nothing where servers say themselves which weights they have, or there are none. */
    static Optional<Agreement> of(RLVRJobSpec spec) {
        return spec.rollout().engine() == Engine.Vllm
                ? Optional.of(in(spec.trainer().precision()))
                : Optional.empty();
    }

    /**
     * Refuses answers of another policy.
     *
     * @param step finished steps of the policy
     * @param answers one of each group
     * @param scores the policy's log-probabilities of their tokens
     * @throws InputException if they differ from those that came with the answers
     */
    void require(int step, List<PolicyUpdate.Item> answers, List<float[]> scores) {
        double difference = IntStream.range(0, answers.size())
                .mapToDouble(i -> difference(answers.get(i).sample().logProbabilities(), scores.get(i)))
                .max()
                .orElse(0);
        // not a number is no agreement
        if (!(difference <= most)) {
            throw new InputException(String.format(
                    Locale.ROOT,
                    "spec.rollout.engine: Vllm: answers are not from the weights after step %d, though the server says so: their"
                            + " log-probabilities differ from the policy's by %.1e nats in the mean of an answer, where %.0e is what"
                            + " rounding explains with spec.trainer.precision %s; start it with that --dtype; vLLM on CPUs keeps the"
                            + " old head of a model whose embeddings are tied: use engine Sglang or Embedded",
                    step,
                    difference,
                    most,
                    precision));
        }
    }

    private static double difference(float[] said, float[] scored) {
        return IntStream.range(0, said.length)
                .mapToDouble(i -> Math.abs((double) said[i] - scored[i]))
                .average()
                .orElse(0);
    }
}
