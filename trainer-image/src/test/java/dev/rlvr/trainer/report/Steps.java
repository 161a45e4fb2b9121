package dev.rlvr.trainer.report;

/** Steps to report. */
final class Steps {
    private Steps() {}

    /** A step whose figures differ from those of every other. */
    static StepMetrics step(int n) {
        return step(n, .25 + n / 100.0, .5);
    }

    static StepMetrics step(int n, double loss, double threshold) {
        return new StepMetrics(
                n,
                loss,
                .5,
                .3,
                0,
                .095,
                threshold,
                .2,
                56.5,
                .01,
                .001,
                .002,
                1e-4,
                1e-6,
                0,
                1,
                .7,
                2e-4,
                7_000L * n,
                1_234.5,
                2.5,
                1.5,
                .01,
                .02,
                .9,
                0);
    }
}
