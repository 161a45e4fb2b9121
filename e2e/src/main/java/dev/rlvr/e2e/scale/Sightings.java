package dev.rlvr.e2e.scale;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus.State;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.time.Duration;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** When each job was first seen to have what, by watches. */
final class Sightings implements AutoCloseable {
    /** What can be seen of a job, in the order in which it happens. */
    enum Stage {
        /** A client got the answer that the job is created. */
        CREATED,
        /** Its Job exists. */
        JOB,
        /** All its pods exist. */
        PODS,
        /** Its status says that it runs. */
        RUNNING,
        /** Its status says that it has succeeded. */
        SUCCEEDED
    }

    private final int pods;
    private final Map<Stage, Map<String, Long>> first = new EnumMap<>(Stage.class);
    private final Map<String, Set<String>> podsOf = new HashMap<>();
    private final Map<String, Set<String>> jobsOf = new HashMap<>();
    private final List<SharedIndexInformer<?>> informers;

    Sightings(KubernetesClient client, int pods) {
        this.pods = pods;
        for (Stage stage : Stage.values()) {
            first.put(stage, new HashMap<>());
        }
        this.informers = List.of(
                client.resources(RLVRJob.class).inAnyNamespace().inform(on(this::state), 0),
                client.batch().v1().jobs().inAnyNamespace().inform(on(this::job), 0),
                client.pods().inAnyNamespace().inform(on(this::pod), 0));
    }

    private void state(RLVRJob job) {
        State state = job.getStatus() == null ? null : job.getStatus().state();
        if (state == State.Running || state == State.Succeeded) {
            see(
                    state == State.Running ? Stage.RUNNING : Stage.SUCCEEDED,
                    job.getMetadata().getName());
        }
    }

    private void job(Job job) {
        String owner = owner(job);
        jobsOf.computeIfAbsent(owner, _ -> new HashSet<>())
                .add(job.getMetadata().getName());
        see(Stage.JOB, owner);
    }

    private void pod(Pod pod) {
        String owner = owner(pod);
        Set<String> all = podsOf.computeIfAbsent(owner, _ -> new HashSet<>());
        if (all.add(pod.getMetadata().getName()) && all.size() == pods) {
            see(Stage.PODS, owner);
        }
    }

    private static String owner(HasMetadata child) {
        return Optional.ofNullable(child.getMetadata().getLabels())
                .map(labels -> labels.get("rlvr.dev/job"))
                .orElse("");
    }

    private <T> ResourceEventHandler<T> on(Consumer<T> seen) {
        return new ResourceEventHandler<>() {
            @Override
            public void onAdd(T object) {
                synchronized (Sightings.this) {
                    seen.accept(object);
                }
            }

            @Override
            public void onUpdate(T before, T object) {
                onAdd(object);
            }

            @Override
            public void onDelete(T object, boolean unknown) {
                synchronized (Sightings.this) {
                    Sightings.this.notifyAll();
                }
            }
        };
    }

    /** This was seen now, if it was not before. */
    synchronized void see(Stage stage, String job) {
        first.get(stage).putIfAbsent(job, System.nanoTime());
        notifyAll();
    }

    /**
     * Waits until all these jobs have been seen at a stage.
     *
     * @throws IllegalStateException if nothing more is seen of them for that long
     */
    synchronized void await(Stage stage, Collection<String> jobs, Duration patience) throws InterruptedException {
        awaitProgress(
                () -> first.get(stage).keySet().containsAll(jobs),
                () -> "%d of %d jobs are %s".formatted(count(stage, jobs), jobs.size(), stage),
                patience);
    }

    private synchronized long count(Stage stage, Collection<String> jobs) {
        return jobs.stream().filter(first.get(stage)::containsKey).count();
    }

    private void awaitProgress(BooleanSupplier done, Supplier<String> how, Duration patience)
            throws InterruptedException {
        String last = how.get();
        long since = System.nanoTime();
        while (!done.getAsBoolean()) {
            wait(1_000);
            String now = how.get();
            if (!now.equals(last)) {
                last = now;
                since = System.nanoTime();
            }
            if (System.nanoTime() - since > patience.toNanos()) {
                throw new IllegalStateException("nothing happens any more: " + now);
            }
        }
    }

    /** Seconds of each of these jobs from one stage to another. */
    synchronized List<Double> seconds(Collection<String> jobs, Stage from, Stage to) {
        return jobs.stream()
                .map(job -> (first.get(to).get(job) - first.get(from).get(job)) / 1e9)
                .toList();
    }

    /** Seconds from then ({@link System#nanoTime}) until this job was first seen at a stage. */
    synchronized double secondsSince(long then, String job, Stage stage) {
        return (first.get(stage).get(job) - then) / 1e9;
    }

    /** Seconds from the first of these jobs at one stage to the last of them at another. */
    synchronized double span(Collection<String> jobs, Stage from, Stage to) {
        long begin = jobs.stream().mapToLong(first.get(from)::get).min().orElseThrow();
        long end = jobs.stream().mapToLong(first.get(to)::get).max().orElseThrow();
        return (end - begin) / 1e9;
    }

    /** Those of these jobs that ever had another number of Jobs than one, or another number of pods than they ask for. */
    synchronized List<String> odd(Collection<String> jobs) {
        return jobs.stream()
                .filter(job -> jobsOf.getOrDefault(job, Set.of()).size() != 1
                        || podsOf.getOrDefault(job, Set.of()).size() != pods)
                .toList();
    }

    @Override
    public void close() {
        informers.forEach(SharedIndexInformer::close);
    }
}
