package dev.rlvr.trainer.report;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rlvr.crds.RLVRJobStatus.Progress;
import java.math.BigDecimal;
import java.math.MathContext;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * The figures of one finished step, under TRL's names where it has one. A figure that the step has none of (the loss of a
 * step without an update) is NaN here and {@code null} in JSON.
 *
 * @param step finished steps, from 1
 * @param loss mean over the step's gradient steps
 * @param reward mean over all answers sampled, before shaping
 * @param rewardStd mean over the prompts of the standard deviation within a group
 * @param timedOut share of verdicts that did not come in time
 * @param entropy mean over response tokens, nats
 * @param entropyThreshold entropy at the edge of the kept tokens, nats
 * @param keptTokenFraction share of response tokens that took part in the update
 * @param meanLength mean length of the answers in tokens
 * @param clippedRatio share of answers cut at the limit
 * @param clipLow share of tokens whose ratio the lower bound clipped
 * @param clipHigh share of tokens whose ratio the upper bound clipped
 * @param kl mean estimate of the divergence from the policy that sampled, nats
 * @param logprobDifference mean absolute difference of log-probabilities between sampler and trainer in the first mini-batch, nats
 * @param staleness steps by which the policy was ahead of the one that sampled
 * @param importance mean weight of stale tokens in the loss; 1 where the answers are the policy's own
 * @param gradNorm before clipping
 * @param learningRate of the step's last update
 * @param numTokens tokens generated since the first step
 * @param tokensPerSecond tokens generated per second of the whole step
 * @param stepTime seconds, as are the parts of it
 * @param waitTime part of the rollout's time that a rank, on average, waits for the slowest
 */
public record StepMetrics(
        int step,
        double loss,
        double reward,
        double rewardStd,
        double timedOut,
        double entropy,
        double entropyThreshold,
        double keptTokenFraction,
        double meanLength,
        double clippedRatio,
        double clipLow,
        double clipHigh,
        double kl,
        double logprobDifference,
        double staleness,
        double importance,
        double gradNorm,
        double learningRate,
        long numTokens,
        double tokensPerSecond,
        double stepTime,
        double rolloutTime,
        double rewardTime,
        double waitTime,
        double updateTime,
        double checkpointTime) {
    private static final MathContext FOR_PEOPLE = new MathContext(4);

    /** All figures but the step, by name, in the order of the documentation. */
    public SequencedMap<String, Double> scalars() {
        LinkedHashMap<String, Double> named = new LinkedHashMap<>();
        named.put("loss", loss);
        named.put("reward", reward);
        named.put("reward_std", rewardStd);
        named.put("reward/timed_out", timedOut);
        named.put("entropy", entropy);
        named.put("entropy_threshold", entropyThreshold);
        named.put("kept_token_fraction", keptTokenFraction);
        named.put("completions/mean_length", meanLength);
        named.put("completions/clipped_ratio", clippedRatio);
        named.put("clip_ratio/low_mean", clipLow);
        named.put("clip_ratio/high_mean", clipHigh);
        named.put("kl", kl);
        named.put("sampling/logprob_diff_mean", logprobDifference);
        named.put("sampling/staleness", staleness);
        named.put("sampling/importance_mean", importance);
        named.put("grad_norm", gradNorm);
        named.put("learning_rate", learningRate);
        named.put("num_tokens", (double) numTokens);
        named.put("tokens_per_second", tokensPerSecond);
        named.put("step_time", stepTime);
        named.put("timing/rollout", rolloutTime);
        named.put("timing/reward", rewardTime);
        named.put("timing/wait", waitTime);
        named.put("timing/update", updateTime);
        named.put("timing/checkpoint", checkpointTime);
        return Collections.unmodifiableSequencedMap(named);
    }

    /** The line of {@code metrics.jsonl}. */
    public ObjectNode toJson() {
        ObjectNode json = JsonNodeFactory.instance.objectNode().put("step", step);
        scalars().forEach((name, value) -> {
            if (name.equals("num_tokens")) {
                json.put(name, numTokens);
            } else if (Double.isFinite(value)) {
                json.put(name, value);
            } else {
                json.putNull(name);
            }
        });
        return json;
    }

    /** The part of it that the status shows; {@code end} is when the job will probably be done. */
    public Progress progress(int totalSteps, Instant end, Instant now) {
        return new Progress(
                step,
                totalSteps,
                finite(reward),
                finite(entropy),
                finite(entropyThreshold),
                finite(keptTokenFraction),
                finite(meanLength),
                finite(clipLow + clipHigh),
                finite(tokensPerSecond),
                end.truncatedTo(ChronoUnit.SECONDS).toString(),
                now.truncatedTo(ChronoUnit.SECONDS).toString());
    }

    /** kubectl prints numbers as they are: four digits say enough, all of them are in the metrics. */
    private static @Nullable Double finite(double value) {
        return Double.isFinite(value)
                ? Double.valueOf(new BigDecimal(value).round(FOR_PEOPLE).doubleValue())
                : null;
    }
}
