package dev.rlvr.cli.local;

import dev.rlvr.crds.Durations;
import dev.rlvr.crds.LifecycleSpec;
import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobSpec;
import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.lifecycle.Lifecycle;
import dev.rlvr.lifecycle.Plan;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Runs one job on this machine: observe, decide, write the status, apply, until the job has ended or was stopped. Stopping is suspension:
 * the trainer writes a checkpoint, and the next run of the same job goes on from it at no cost to its restart budgets.
 */
public final class LocalBackEnd {
    /** The status of a job that has none yet. */
    public static final RLVRJobStatus NO_STATUS = TrainerReport.NONE.part();

    private static final Duration LOOK = Duration.ofMillis(200);

    private final RLVRJob job;
    private final RLVRJob suspendedJob;
    private final WorkFolder folder;
    private final LocalProcesses processes = new LocalProcesses();
    private final LocalServers servers;
    private final LocalObserver observer;
    private final LocalApplier applier;
    private final Clock clock;
    private final Spectator spectator;
    private volatile boolean stopAsked;

    /**
     * A back end for a job whose folder is held.
     *
     * @param job as the user wrote it, with defaults
     * @param trainer how its trainers are started
     * @param others the runs that its sources may name
     * @param spectator is told what happens
     */
    public LocalBackEnd(
            RLVRJob job,
            WorkFolder folder,
            TrainerProcess trainer,
            OtherJobs others,
            Clock clock,
            Spectator spectator) {
        this.job = job;
        this.suspendedJob = suspended(job);
        this.folder = folder;
        this.servers = new LocalServers(job, folder, trainer);
        this.observer = new LocalObserver(folder, processes, servers, others);
        this.applier = new LocalApplier(job, folder, trainer, processes, servers, clock);
        this.clock = clock;
        this.spectator = spectator;
    }

    /** Runs until the job has ended or, once {@link #stop()} was called, is suspended; no process is left then. */
    public RLVRJobStatus run() throws IOException, InterruptedException {
        try {
            endLeftBehind();
            folder.store(job);
            settle();
            while (true) {
                RLVRJobStatus status = look(stopAsked ? suspendedJob : job);
                spectator.show(status, folder.trainerReport().phaseSince(processes.startedAt()));
                boolean over = status.state() == State.Suspended ? stopAsked : ended(status);
                if (over && !processes.running() && servers.observe().isEmpty()) {
                    return status;
                }
                processes.await(LOOK);
            }
        } finally {
            processes.kill();
            servers.kill();
        }
    }

    /** Asks for a checkpoint and the end of this run; may be called by any thread, also more than once. */
    public void stop() {
        stopAsked = true;
        processes.wake();
    }

    /** Ends the trainers at once, without a checkpoint. */
    public void kill() {
        stop();
        processes.kill();
        servers.kill();
    }

    /** A run that was cut off left its attempt behind in the status; it ended with this machine's doing, so nobody pays for it. */
    private void settle() throws IOException {
        if (folder.storedStatus().isPresent()) {
            look(suspendedJob);
        }
    }

    private static boolean ended(RLVRJobStatus status) {
        return status.state() != null && status.state().ended();
    }

    private RLVRJobStatus look(RLVRJob asked) throws IOException {
        TrainerReport report = folder.trainerReport();
        RLVRJobStatus stored = folder.storedStatus().orElse(NO_STATUS);
        asked.setStatus(report.in(stored));
        Plan plan = Lifecycle.decide(asked, observer.observe(asked, asked.getStatus()), clock.instant());
        if (!plan.status().equals(stored)) {
            folder.store(plan.status());
        }
        applier.apply(plan.actions());
        return plan.status();
    }

    /** Two trainers must never write to one folder: those of a command that was killed go first. */
    private void endLeftBehind() throws IOException, InterruptedException {
        List<ProcessHandle> trainers = folder.trainers().leftBehind();
        trainers.forEach(ProcessHandle::destroy);
        Duration grace = Durations.parse(job.getSpec().lifecycle().stopGracePeriod());
        CompletableFuture.allOf(trainers.stream().map(ProcessHandle::onExit).toArray(CompletableFuture[]::new))
                .completeOnTimeout(null, grace.toMillis(), TimeUnit.MILLISECONDS)
                .join();
        trainers.forEach(LocalPod::kill);
        for (ProcessHandle trainer : trainers) {
            trainer.onExit().join();
        }
    }

    private static RLVRJob suspended(RLVRJob job) {
        RLVRJobSpec spec = job.getSpec();
        LifecycleSpec lifecycle = spec.lifecycle();
        RLVRJob suspended = new RLVRJob();
        suspended.setMetadata(job.getMetadata());
        suspended.setSpec(new RLVRJobSpec(
                spec.model(),
                spec.data(),
                spec.reward(),
                spec.algorithm(),
                spec.rollout(),
                spec.evaluation(),
                spec.hubCache(),
                spec.trainer(),
                spec.checkpoint(),
                new LifecycleSpec(
                        true,
                        lifecycle.startDeadline(),
                        lifecycle.activeDeadline(),
                        lifecycle.stallDeadline(),
                        lifecycle.peerTimeout(),
                        lifecycle.stopGracePeriod(),
                        lifecycle.ttlAfterFinished(),
                        lifecycle.restarts())));
        return suspended;
    }
}
