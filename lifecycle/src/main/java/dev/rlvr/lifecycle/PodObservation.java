package dev.rlvr.lifecycle;

import java.time.Instant;

/**
 * One pod (or local process) of an attempt.
 *
 * @param index completion index, from 0
 * @param phase where it is in its life
 */
public record PodObservation(int index, Phase phase) {
    /** Where a pod is in its life. */
    public sealed interface Phase {
        /**
         * It does not run yet.
         *
         * @param reason why, as a condition reason: Unschedulable, ImagePull, VolumeNotBound, ContainerConfig, InitFailure, Creating
         * @param message what a person has to know, in the words of the scheduler or the kubelet
         */
        record Waiting(String reason, String message) implements Phase {}

        /** Its trainer runs. */
        record Running(Instant since) implements Phase {}

        /** It exited with 0. */
        record Succeeded() implements Phase {}

        /** It failed. */
        record Failed(Failure failure) implements Phase {}
    }
}
