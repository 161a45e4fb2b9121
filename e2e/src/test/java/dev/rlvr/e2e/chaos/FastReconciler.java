package dev.rlvr.e2e.chaos;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.operator.RLVRJobReconciler;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.retry.GradualRetry;
import java.time.Duration;
import java.util.List;

/** The operator's reconciler by a {@link FastClock}: what it asks for in seconds of that clock comes so much sooner, and so do its retries. */
@ControllerConfiguration(name = "rlvrjob", generationAwareEventProcessing = false)
@GradualRetry(maxAttempts = Integer.MAX_VALUE, initialInterval = 50, intervalMultiplier = 2, maxInterval = 6_000)
final class FastReconciler implements Reconciler<RLVRJob> {
    private final RLVRJobReconciler reconciler;

    FastReconciler(RLVRJobReconciler reconciler) {
        this.reconciler = reconciler;
    }

    @Override
    public List<EventSource<?, RLVRJob>> prepareEventSources(EventSourceContext<RLVRJob> context) {
        return reconciler.prepareEventSources(context);
    }

    @Override
    public UpdateControl<RLVRJob> reconcile(RLVRJob job, Context<RLVRJob> context) {
        UpdateControl<RLVRJob> asked = reconciler.reconcile(job, context);
        return asked.getScheduleDelay()
                .map(Duration::ofMillis)
                .map(FastClock::real)
                .map(soon -> UpdateControl.<RLVRJob>noUpdate().rescheduleAfter(soon))
                .orElse(asked);
    }
}
