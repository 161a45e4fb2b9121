package dev.rlvr.trainer.optimizer;

import dev.rlvr.crds.AlgorithmSpec.Optimizer;

/** The learning rate of each step: a linear warm-up, then the schedule. */
public final class LearningRate {
    private LearningRate() {}

    /**
     * The learning rate of a step.
     *
     * @param step from 0
     * @param steps of the whole job
     */
    public static double at(int step, int steps, Optimizer settings) {
        double peak = settings.learningRate();
        if (step < settings.warmupSteps()) {
            return peak * (step + 1) / settings.warmupSteps();
        }
        double done = (double) (step - settings.warmupSteps()) / Math.max(1, steps - settings.warmupSteps());
        return switch (settings.schedule()) {
            case Constant -> peak;
            case Linear -> peak * (1 - done);
            case Cosine -> peak * (1 + Math.cos(Math.PI * done)) / 2;
        };
    }
}
