package dev.rlvr.operator;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.lifecycle.JobSources;
import dev.rlvr.lifecycle.Lifecycle;
import dev.rlvr.lifecycle.Plan;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ListOptions;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.javaoperatorsdk.operator.api.config.informer.Informer;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.AbstractEventSource;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.IndexerResourceCache;
import io.javaoperatorsdk.operator.processing.retry.GradualRetry;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code observe -> decide -> apply}.
 *
 * <p>Caches may lag behind what this operator itself, or one before it, has written. A plan from the caches is therefore only a hint that
 * there is something to do: if so, the job is read from the API server, and unless the new plan only tells how far an attempt has got, its
 * Jobs, its servers and all their pods as well, and the plan is made again from these. Its status is stored only if nobody has written the
 * job in between (compare and apply by resourceVersion). So an attempt's number never goes back, only an announced attempt is created, and
 * none begins that another may still run beside. That comparison also tells whether the cache's job is the newest: where a first attempt
 * begins, or one goes on, there is no need to read it before. An idle job costs no request at all.
 *
 * <p>After a start the caches fill for a while. Meanwhile jobs that have no status yet begin, which needs none of them; every other job is looked at
 * once they are full.
 */
@ControllerConfiguration(
        name = RLVRJobReconciler.NAME,
        generationAwareEventProcessing = false,
        informer = @Informer(informerListLimit = ChildCaches.PAGE))
@GradualRetry(maxAttempts = Integer.MAX_VALUE, initialInterval = 500, intervalMultiplier = 2, maxInterval = 60_000)
public final class RLVRJobReconciler implements Reconciler<RLVRJob> {
    static final String NAME = "rlvrjob";

    private static final Logger LOG = LoggerFactory.getLogger(RLVRJobReconciler.class);
    private static final int UNPROCESSABLE = 422;
    private static final Duration SOON = Duration.ofMillis(100);

    private final KubernetesClient client;
    private final Settings settings;
    private final ChildCaches caches = new ChildCaches();
    private final ClusterWriter writer;
    private final EventRecorder events;
    private final Clock clock;
    private final JobMetrics metrics;
    private final Map<ResourceID, Refusal> refusals = new ConcurrentHashMap<>();

    /**
     * Reconciles with these rights and settings.
     *
     * @param client talks to the API server with the operator's rights
     * @param settings defaults of generated pods
     * @param clock what deadlines are measured with
     * @param metrics what is told to a monitoring system
     */
    @Inject
    public RLVRJobReconciler(KubernetesClient client, Settings settings, Clock clock, JobMetrics metrics) {
        this.client = client;
        this.settings = settings;
        this.writer = new ClusterWriter(client, settings, caches::remember);
        this.events = new EventRecorder(client, clock);
        this.clock = clock;
        this.metrics = metrics;
    }

    /** As above, without monitoring. */
    public RLVRJobReconciler(KubernetesClient client, Settings settings, Clock clock) {
        this(client, settings, clock, JobMetrics.unread(clock));
    }

    @Override
    public List<EventSource<?, RLVRJob>> prepareEventSources(EventSourceContext<RLVRJob> context) {
        metrics.watch(() -> known(context.getPrimaryCache()));
        return caches.open(context);
    }

    /** All jobs, once the cache has them. */
    private static Optional<Stream<RLVRJob>> known(IndexerResourceCache<RLVRJob> cache) {
        return cache instanceof AbstractEventSource<?, ?> source && source.isRunning()
                ? Optional.of(cache.list())
                : Optional.empty();
    }

    @Override
    public UpdateControl<RLVRJob> reconcile(RLVRJob cached, Context<RLVRJob> context) {
        boolean known = caches.areFull();
        if (!known && cached.getStatus() != null) {
            return UpdateControl.noUpdate();
        }
        Children children = known ? Children.read(context::getSecondaryResourcesAsStream) : Children.NONE;
        Plan hint = plan(
                cached,
                children,
                jobs(
                        cached,
                        name -> context.getPrimaryCache()
                                .get(new ResourceID(name, cached.getMetadata().getNamespace()))));
        if (isIdle(cached, hint)) {
            return lookAgain(hint);
        }
        Optional<UpdateControl<RLVRJob>> done = carryOut(cached, false, children, hint, context);
        if (done.isPresent()) {
            return done.get();
        }
        if (!known) {
            return lookSoon();
        }
        RLVRJob job = client.resource(cached).get();
        if (job == null) {
            refusals.remove(ResourceID.fromResource(cached));
            return UpdateControl.noUpdate();
        }
        return carryOut(job, true, children, plan(job, children, stored(job)), context)
                .orElseGet(RLVRJobReconciler::lookSoon);
    }

    /**
     * Applies a plan; what begins, stops or ends is decided again on what is read anew.
     *
     * @param read whether the job comes from the API server
     * @param plan from this job and the caches
     * @return when to look again; empty if the job is not the newest or nothing proves that it is, and nothing was done
     */
    private Optional<UpdateControl<RLVRJob>> carryOut(
            RLVRJob job, boolean read, Children children, Plan plan, Context<RLVRJob> context) {
        boolean goesOn = plan.goesOn(job.getStatus());
        if (!read && !(storesStatus(job, plan) && (goesOn || isNew(job)))) {
            return Optional.empty();
        }
        if (goesOn) {
            return apply(job, read, children, plan, context);
        }
        Children now = children.withRunning(running(job, children));
        return apply(job, read, now, plan(job, now, stored(job)), context);
    }

    private Optional<UpdateControl<RLVRJob>> apply(
            RLVRJob job, boolean read, Children children, Plan plan, Context<RLVRJob> context) {
        if (!storesStatus(job, plan)) {
            return read ? Optional.of(perform(job, children, plan)) : Optional.empty();
        }
        writer.releaseGang(job, plan);
        Optional<RLVRJob> stored = writer.store(job, plan.status());
        if (stored.isEmpty()) {
            return Optional.empty();
        }
        ChildCaches.remember(stored.get(), context.eventSourceRetriever().getControllerEventSource());
        log(job, plan.status());
        metrics.stored(job, plan.status());
        AtOnce.run(List.of(() -> perform(job, children, plan), () -> events.tell(job, children, plan.status())));
        // what is remembered is not told as a change
        return Optional.of(lookSoon());
    }

    private static boolean isNew(RLVRJob job) {
        return job.getStatus() == null || job.getStatus().attempt() == null;
    }

    /** The jobs that this one begins from, read anew. */
    private List<RLVRJob> stored(RLVRJob job) {
        return jobs(
                job,
                name -> Optional.ofNullable(client.resources(RLVRJob.class)
                        .inNamespace(job.getMetadata().getNamespace())
                        .withName(name)
                        .get()));
    }

    /** The jobs that this one begins from; once it has begun it does not ask for them any more. */
    private static List<RLVRJob> jobs(RLVRJob job, Function<String, Optional<RLVRJob>> find) {
        return isNew(job)
                ? JobSources.names(job.getSpec()).stream()
                        .flatMap(name -> find.apply(name).stream())
                        .toList()
                : List.of();
    }

    /** All that can run, read anew: attempts, and servers where the job has or had some. */
    private List<HasMetadata> running(RLVRJob job, Children cached) {
        Ownership owner = new Ownership(job);
        ListOptions ofJob = new ListOptionsBuilder()
                .withLabelSelector(owner.labelSelector())
                .build();
        List<Callable<List<? extends HasMetadata>>> lists = new ArrayList<>();
        lists.add(() -> client.batch()
                .v1()
                .jobs()
                .inNamespace(owner.namespace())
                .list(ofJob)
                .getItems());
        lists.add(() -> client.pods().inNamespace(owner.namespace()).list(ofJob).getItems());
        if (job.getSpec().rollout().ownServers().isPresent()
                || cached.servers(owner).isPresent()) {
            lists.add(() -> client.apps()
                    .statefulSets()
                    .inNamespace(owner.namespace())
                    .list(ofJob)
                    .getItems());
        }
        return AtOnce.all(lists).stream().<HasMetadata>flatMap(List::stream).toList();
    }

    private UpdateControl<RLVRJob> perform(RLVRJob job, Children children, Plan plan) {
        try {
            writer.perform(job, children, plan.actions());
        } catch (KubernetesClientException e) {
            if (e.getCode() != UNPROCESSABLE) {
                throw e;
            }
            refuse(
                    job,
                    plan.status(),
                    Optional.ofNullable(e.getStatus())
                            .map(status -> status.getMessage())
                            .orElse(e.getMessage()));
            return lookSoon();
        } catch (PodGroup.MissingSchedulerException e) {
            refuse(job, plan.status(), e.getMessage());
            return lookSoon();
        }
        return lookAgain(plan);
    }

    private Plan plan(RLVRJob job, Children children, List<RLVRJob> jobs) {
        Optional<String> refusal = Optional.ofNullable(refusals.get(ResourceID.fromResource(job)))
                .filter(of -> of.concerns(job))
                .map(Refusal::message);
        return Lifecycle.decide(
                job, KubernetesObserver.observe(job, children, jobs, settings, refusal), clock.instant());
    }

    /** What the API server calls invalid stays invalid: the next plan ends the job with its words. */
    private void refuse(RLVRJob job, RLVRJobStatus announced, String words) {
        refusals.put(
                ResourceID.fromResource(job),
                new Refusal(
                        job.getMetadata().getUid(),
                        Optional.ofNullable(announced.attempt()).orElse(0),
                        "the API server refuses what the spec asks for: " + words));
    }

    private static boolean isIdle(RLVRJob job, Plan plan) {
        return plan.actions().isEmpty() && !storesStatus(job, plan);
    }

    /** A job that is being deleted before it ever had a status needs none: there is nothing to say of it. */
    private static boolean storesStatus(RLVRJob job, Plan plan) {
        return job.getStatus() == null
                ? !Children.going(job)
                : !ClusterWriter.operatorsPart(job.getStatus()).equals(ClusterWriter.operatorsPart(plan.status()));
    }

    private static UpdateControl<RLVRJob> lookSoon() {
        return UpdateControl.<RLVRJob>noUpdate().rescheduleAfter(SOON);
    }

    private static UpdateControl<RLVRJob> lookAgain(Plan plan) {
        UpdateControl<RLVRJob> control = UpdateControl.noUpdate();
        return plan.lookAgainAfter()
                .map(after -> control.rescheduleAfter(after.compareTo(SOON) < 0 ? SOON : after))
                .orElse(control);
    }

    private static void log(RLVRJob job, RLVRJobStatus status) {
        RLVRJobStatus before = job.getStatus();
        if (before != null && before.state() == status.state()) {
            return;
        }
        String why = Optional.ofNullable(status.conditions()).orElse(List.of()).stream()
                .filter(condition -> condition.getType().equals("Ready"))
                .map(condition -> condition.getReason() + ": " + condition.getMessage())
                .findFirst()
                .orElse("");
        LOG.info(
                "{}/{} attempt {}: {} ({})",
                job.getMetadata().getNamespace(),
                job.getMetadata().getName(),
                Optional.ofNullable(status.attempt()).orElse(0),
                status.state(),
                why);
    }

    /**
     * The API server's no to an attempt.
     *
     * @param uid the job's
     * @param attempt number of the attempt
     * @param message why
     */
    private record Refusal(String uid, int attempt, String message) {
        boolean concerns(RLVRJob job) {
            return uid.equals(job.getMetadata().getUid())
                    && job.getStatus() != null
                    && Integer.valueOf(attempt).equals(job.getStatus().attempt());
        }
    }
}
