package dev.rlvr.trainer.report;

import dev.rlvr.crds.RLVRJobStatus.Evaluation;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One line a step for people who read the log. */
public final class StepLog {
    private static final Logger LOG = LoggerFactory.getLogger(StepLog.class);

    private final String job;
    private final int attempt;
    private final int totalSteps;

    /** A log of one attempt; {@code job} is namespace/name. */
    public StepLog(String job, int attempt, int totalSteps) {
        this.job = job;
        this.attempt = attempt;
        this.totalSteps = totalSteps;
    }

    /** Logs a finished step. */
    public void step(StepMetrics metrics) {
        LOG.info(line(metrics));
    }

    /** Warns that the trainer's log-probabilities are not the sampler's; {@code kl} is in nats. */
    public void disagreement(int step, double kl) {
        LOG.warn(disagreementLine(step, kl));
    }

    String disagreementLine(int step, double kl) {
        return String.format(
                Locale.ROOT,
                "%s attempt %d step %d/%d sampler and trainer disagree: KL %.2g in the first mini-batch, before any update,"
                        + " where rounding explains 0.001. Importance ratios and clipping are off by as much."
                        + " Set spec.trainer.precision: F32; if it is F32 already, this is a bug of the trainer: please report it.",
                job,
                attempt,
                step,
                totalSteps,
                kl);
    }

    /** Logs a measured evaluation. */
    public void evaluation(Evaluation evaluation) {
        LOG.info(String.format(
                Locale.ROOT,
                "%s attempt %d step %d/%d evaluation %s: avg@%d %.3f pass@%d %.3f of %d problems",
                job,
                attempt,
                evaluation.step(),
                totalSteps,
                evaluation.name(),
                evaluation.samples(),
                evaluation.avgAtK(),
                evaluation.samples(),
                evaluation.passAtK(),
                evaluation.problems()));
    }

    String line(StepMetrics metrics) {
        return String.format(
                Locale.ROOT,
                "%s attempt %d step %d/%d reward %.3f entropy %.3f threshold %.3f kept %.1f%% length %.1f loss %.4f"
                        + " grad_norm %.3f %.0f tokens/s %.1f s",
                job,
                attempt,
                metrics.step(),
                totalSteps,
                metrics.reward(),
                metrics.entropy(),
                metrics.entropyThreshold(),
                100 * metrics.keptTokenFraction(),
                metrics.meanLength(),
                metrics.loss(),
                metrics.gradNorm(),
                metrics.tokensPerSecond(),
                metrics.stepTime());
    }
}
