package dev.rlvr.e2e.chaos;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.e2e.chaos.Fate.Cost;
import dev.rlvr.e2e.operator.Ending;
import dev.rlvr.e2e.operator.OperatorRights;
import dev.rlvr.e2e.operator.PlayedPods;
import dev.rlvr.e2e.operator.PlayedServers;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Clock;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Plays the controllers of Jobs and StatefulSets, Kueue, the scheduler, the kubelet, claim protection and the garbage collector for all
 * jobs of a namespace, and the hands of people, by the schedules of these jobs. One thread does it all, past the proxy: Jobs and pods are
 * read anew in each round, so that nothing here acts on what was.
 */
final class StormyCluster implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(StormyCluster.class);
    private static final String INDEX = "batch.kubernetes.io/job-completion-index";
    private static final String CONTROLLER = "batch.kubernetes.io/controller-uid";
    private static final int SLOW_STOP_MILLIS = 500;
    private static final int ROUND_MILLIS = 20;

    private final KubernetesClient client;
    private final String namespace;
    private final Map<String, Life> lives;
    private final History history;
    private final Hands hands;
    private final PlayedPods pods;
    private final PlayedServers servers;
    private final Trainer trainer;
    private final Map<String, PlayedAttempt> attempts = new HashMap<>();
    private final Map<String, Long> goneAt = new HashMap<>();
    private final AtomicBoolean open = new AtomicBoolean(true);
    private final AtomicBoolean calm = new AtomicBoolean();
    private final Thread thread;

    StormyCluster(KubernetesClient client, String namespace, Map<String, Life> lives, History history, Clock clock) {
        this.client = client;
        this.namespace = namespace;
        this.lives = lives;
        this.history = history;
        this.hands = new Hands(client, namespace, lives);
        this.pods = new PlayedPods(client, clock);
        this.servers = new PlayedServers(client);
        this.trainer = new Trainer(client, namespace, clock);
        this.thread = Thread.ofPlatform().name("cluster-" + namespace).unstarted(this::play);
    }

    void start() {
        hands.begin();
        thread.start();
    }

    /** From now on all goes well. */
    void calm() {
        calm.set(true);
    }

    private void play() {
        while (open.get()) {
            round();
            try {
                Thread.sleep(ROUND_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    private void round() {
        List<Job> jobs =
                client.batch().v1().jobs().inNamespace(namespace).list().getItems();
        List<Pod> all = client.pods().inNamespace(namespace).list().getItems();
        Map<String, List<Pod>> ofJobs = all.stream()
                .filter(pod -> pod.getMetadata().getLabels().containsKey(CONTROLLER))
                .collect(Collectors.groupingBy(
                        pod -> pod.getMetadata().getLabels().get(CONTROLLER)));
        if (calm.get()) {
            lives.values().forEach(life -> attempted(() -> hands.resume(life)));
            lives.values().stream()
                    .filter(Life::isDeleted)
                    .forEach(life -> attempted(() -> hands.deleteOrphans(life, all)));
        } else {
            lives.values().forEach(life -> attempted(() -> hands.act(life, jobs, all)));
        }
        jobs.forEach(job ->
                attempted(() -> job(job, ofJobs.getOrDefault(job.getMetadata().getUid(), List.of()))));
        history.present(StatefulSet.class).forEach(set -> attempted(() -> servers.goOn(set, true)));
        all.forEach(pod -> attempted(() -> stop(pod)));
        attempted(() -> releaseClaims(all));
        attempted(this::collectGarbage);
    }

    /** What changed meanwhile is met again in the next round, as it is then. */
    private static void attempted(Runnable step) {
        try {
            step.run();
        } catch (KubernetesClientException e) {
            LOG.debug("{}", e.getMessage());
        }
    }

    private void job(Job job, List<Pod> own) {
        if (job.getMetadata().getDeletionTimestamp() != null) {
            finalise(job, own);
            return;
        }
        PlayedAttempt attempt = attempts.computeIfAbsent(job.getMetadata().getUid(), uid -> attempt(job));
        if (PlayedPods.ended(job)) {
            return;
        }
        if (Boolean.TRUE.equals(job.getSpec().getSuspend())) {
            attempt.waits(!own.isEmpty());
            own.forEach(pod -> client.resource(pod).delete());
            if (attempt.mayBeAdmitted()) {
                if (attempt.evicted()) {
                    // an operator that was away all the time sees pods that are not those that ran
                    life(job).befell(attempt.number, Cost.Infrastructure);
                }
                hands.admit(job);
            }
            return;
        }
        if (job.getStatus() == null || job.getStatus().getStartTime() == null) {
            pods.started(job);
            return;
        }
        List<Integer> missing = missing(job, own);
        if (missing.isEmpty()) {
            goOn(job, own, attempt);
        } else if (history.has(job)) {
            // a round may take a second, which is ten of the operator's; a real controller has a watch
            missing.forEach(index -> pods.create(job, index));
        }
    }

    private static List<Integer> missing(Job job, List<Pod> own) {
        Set<Integer> there = own.stream()
                .map(pod -> Integer.parseInt(pod.getMetadata().getAnnotations().get(INDEX)))
                .collect(Collectors.toSet());
        return IntStream.range(0, job.getSpec().getParallelism())
                .filter(index -> !there.contains(index))
                .boxed()
                .toList();
    }

    private void goOn(Job job, List<Pod> own, PlayedAttempt attempt) {
        List<Pod> ordered = own.stream()
                .sorted(Comparator.comparing(
                        pod -> pod.getMetadata().getAnnotations().get(INDEX)))
                .toList();
        boolean running =
                own.stream().allMatch(pod -> "Running".equals(pod.getStatus().getPhase()));
        Fate fate = calm.get() && attempt.fate.cost == Cost.Nothing ? Fate.Succeeds : attempt.fate;
        if (!running) {
            befalls(job, attempt, fate == Fate.NeverStarts ? fate : Fate.RunsOn);
            pods.goOn(job, ordered, fate == Fate.NeverStarts ? fate.ending() : new Ending.RunsOn());
            return;
        }
        attempt.runs();
        if (attempt.ends()) {
            befalls(job, attempt, fate);
            pods.goOn(job, ordered, fate.ending());
        } else if (fate.reportsProgress() && attempt.reports()) {
            trainer.report(name(job), attempt.saves());
        }
        if (fate == Fate.Hangs) {
            befalls(job, attempt, fate);
        }
    }

    private void befalls(Job job, PlayedAttempt attempt, Fate fate) {
        if (!attempt.noted && fate.cost != Cost.Nothing) {
            attempt.noted = true;
            Life life = life(job);
            life.befell(attempt.number, fate.cost);
            life.note("attempt %d %s".formatted(attempt.number, fate));
        }
    }

    private PlayedAttempt attempt(Job job) {
        Schedule schedule = life(job).schedule();
        int number = Hands.attempt(job).orElseThrow();
        return new PlayedAttempt(schedule, number, calm.get() ? Fate.Succeeds : schedule.fate(number));
    }

    private Life life(HasMetadata object) {
        return Optional.ofNullable(lives.get(name(object))).orElseThrow();
    }

    private static String name(HasMetadata object) {
        return History.job(object).orElseThrow();
    }

    /** What the garbage collector does for a Job that goes only after its pods, or without them. */
    private void finalise(Job job, List<Pod> own) {
        if (job.getFinalizers().contains("orphan")) {
            own.forEach(pod -> client.resource(pod).edit(stored -> {
                stored.getMetadata().setOwnerReferences(List.of());
                return stored;
            }));
            release(job);
            return;
        }
        own.stream()
                .filter(pod -> pod.getMetadata().getDeletionTimestamp() == null)
                .forEach(pod -> client.resource(pod).delete());
        if (own.isEmpty()) {
            release(job);
        }
    }

    private <T extends HasMetadata> void release(T object) {
        client.resource(object).edit(stored -> {
            stored.getMetadata().setFinalizers(List.of());
            return stored;
        });
    }

    /** A kubelet that has been told to stop a pod, which takes it a while. */
    private void stop(Pod pod) {
        if (pod.getMetadata().getDeletionTimestamp() != null) {
            String uid = pod.getMetadata().getUid();
            long now = System.nanoTime();
            long at = goneAt.computeIfAbsent(
                    uid, of -> now + Math.floorMod(uid.hashCode(), SLOW_STOP_MILLIS) * 1_000_000L);
            if (now >= at) {
                client.resource(pod).withGracePeriod(0).delete();
            }
        }
    }

    /** What protects a claim until no pod of its job uses it. */
    private void releaseClaims(List<Pod> all) {
        Set<Optional<String>> used = all.stream().map(History::job).collect(Collectors.toSet());
        history.present(PersistentVolumeClaim.class).stream()
                .filter(claim -> claim.getMetadata().getDeletionTimestamp() != null)
                .filter(claim -> !used.contains(History.job(claim)))
                .forEach(this::release);
    }

    private void collectGarbage() {
        List<HasMetadata> all = history.present();
        Set<String> alive = new HashSet<>();
        all.forEach(object -> alive.add(object.getMetadata().getUid()));
        all.stream()
                .filter(object -> object.getMetadata().getDeletionTimestamp() == null)
                .filter(object ->
                        !OperatorRights.ACCOUNT.equals(object.getMetadata().getName()))
                .filter(object -> !object.getMetadata().getOwnerReferences().isEmpty())
                .filter(object -> object.getMetadata().getOwnerReferences().stream()
                        .noneMatch(owner -> alive.contains(owner.getUid())))
                // the news of its owner may be later than its own
                .filter(object -> !ownerExists(object))
                .forEach(object -> client.resource(object).delete());
        history.present(RLVRJob.class).stream()
                .filter(job -> job.getFinalizers().contains("foregroundDeletion"))
                .forEach(job -> collectDependents(job, all));
    }

    private boolean ownerExists(HasMetadata object) {
        return object.getMetadata().getOwnerReferences().stream().anyMatch(owner -> {
            HasMetadata there = switch (owner.getKind()) {
                case "RLVRJob" ->
                    client.resources(RLVRJob.class)
                            .inNamespace(namespace)
                            .withName(owner.getName())
                            .get();
                case "Job" ->
                    client.batch()
                            .v1()
                            .jobs()
                            .inNamespace(namespace)
                            .withName(owner.getName())
                            .get();
                default ->
                    client.apps()
                            .statefulSets()
                            .inNamespace(namespace)
                            .withName(owner.getName())
                            .get();
            };
            return there != null && there.getMetadata().getUid().equals(owner.getUid());
        });
    }

    private void collectDependents(RLVRJob job, List<HasMetadata> all) {
        List<HasMetadata> dependents = all.stream()
                .filter(object -> object.getMetadata().getOwnerReferences().stream()
                        .anyMatch(
                                owner -> owner.getUid().equals(job.getMetadata().getUid())))
                .toList();
        dependents.stream()
                .filter(object -> object.getMetadata().getDeletionTimestamp() == null)
                .forEach(object -> client.resource(object).delete());
        if (dependents.isEmpty()) {
            release(job);
        }
    }

    @Override
    public void close() {
        open.set(false);
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
