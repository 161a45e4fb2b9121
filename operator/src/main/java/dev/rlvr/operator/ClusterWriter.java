package dev.rlvr.operator;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.lifecycle.Action;
import dev.rlvr.lifecycle.JobSources;
import dev.rlvr.lifecycle.Plan;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.DeletionPropagation;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.net.HttpURLConnection;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Applies a plan: every write of the operator is here, and each may be the last before it is killed.
 *
 * @param remember is told of what was created or updated
 */
record ClusterWriter(KubernetesClient client, Settings settings, Consumer<HasMetadata> remember) {
    private static final PatchContext APPLY = new PatchContext.Builder()
            .withPatchType(PatchType.SERVER_SIDE_APPLY)
            .withFieldManager("rlvr-operator")
            .withForce(true)
            .build();

    /**
     * Stores the operator's part of a status, if the job is still the one that the plan was made for: the request carries its
     * resourceVersion, and the API server answers 409 where somebody has written in between.
     *
     * @return the job as it is then; empty if nothing was stored, for it is another one by now, or gone
     */
    Optional<RLVRJob> store(RLVRJob job, RLVRJobStatus status) {
        RLVRJob patch = new RLVRJob();
        patch.setMetadata(new ObjectMetaBuilder()
                .withNamespace(job.getMetadata().getNamespace())
                .withName(job.getMetadata().getName())
                .withResourceVersion(job.getMetadata().getResourceVersion())
                .build());
        patch.setStatus(operatorsPart(status));
        try {
            return Optional.of(client.resource(patch).subresource("status").patch(APPLY));
        } catch (KubernetesClientException e) {
            if (e.getCode() == HttpURLConnection.HTTP_CONFLICT || e.getCode() == HttpURLConnection.HTTP_NOT_FOUND) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /**
     * Removes the PodGroup of an attempt that is over and needs no stopping, since somebody has removed its Job: before that is stored, for
     * afterwards nothing would give a reason to look.
     */
    void releaseGang(RLVRJob job, Plan plan) {
        RLVRJobStatus before = job.getStatus();
        if (before == null
                || before.attempt() == null
                || before.attemptStartTime() == null
                || before.state() == null
                || before.state().ended()) {
            return;
        }
        RLVRJobStatus next = plan.status();
        int attempt = before.attempt();
        boolean over = next.state() != State.Succeeded
                && (next.state().ended()
                        || next.attemptStartTime() == null
                        || !before.attempt().equals(next.attempt()));
        boolean stops = plan.actions().stream()
                .anyMatch(action -> action instanceof Action.StopAttempt stop && stop.number() == attempt);
        if (over && !stops) {
            disband(new Ownership(job), attempt);
        }
    }

    private void disband(Ownership owner, int attempt) {
        PodGroup.of(owner, attempt).ifPresent(group -> group.in(client).delete());
    }

    /** A status without the fields that the trainer owns. */
    static RLVRJobStatus operatorsPart(RLVRJobStatus s) {
        return new RLVRJobStatus(
                s.observedGeneration(),
                s.state(),
                s.conditions(),
                s.attempt(),
                s.restarts(),
                null,
                null,
                null,
                s.attemptStartTime(),
                s.startTime(),
                s.completionTime());
    }

    /**
     * Performs these in order; what the caches show as done is not asked for again. The rights of a job's pods come beside them: an API server
     * takes its time over rights, and no pod needs them to start.
     */
    void perform(RLVRJob job, Children children, List<Action> actions) {
        Ownership owner = new Ownership(job);
        List<Runnable> writes = new ArrayList<>();
        writes.add(() -> actions.forEach(action -> perform(owner, children, action)));
        if (actions.contains(new Action.EnsureResources())) {
            writes.add(() -> grant(owner, children));
        }
        AtOnce.run(writes);
    }

    private void perform(Ownership owner, Children children, Action action) {
        switch (action) {
            case Action.EnsureResources() -> ensure(owner, children);
            case Action.StartAttempt(int number) -> start(withClaims(owner), children, number);
            case Action.StopAttempt(int number, var grace) -> stop(owner, children, number);
            case Action.StartServers() ->
                ServerPods.of(withClaims(owner), settings)
                        .map(ServerPods::statefulSet)
                        .filter(wanted -> children.servers(owner).isEmpty())
                        .ifPresent(wanted -> create(owner, wanted));
            case Action.StopServers() -> children.servers(owner).ifPresent(there -> delete(owner, there));
            case Action.RemoveResources() -> remove(owner, children);
        }
    }

    /** Pods mount what other jobs have written, wherever that is. */
    private Ownership withClaims(Ownership owner) {
        Map<String, String> claims = new HashMap<>();
        for (String name : JobSources.names(owner.job().getSpec())) {
            RLVRJob other = client.resources(RLVRJob.class)
                    .inNamespace(owner.namespace())
                    .withName(name)
                    .get();
            if (other != null) {
                claims.put(name, CheckpointClaim.name(new Ownership(other)));
            }
        }
        return new Ownership(owner.job(), claims);
    }

    private void ensure(Ownership owner, Children children) {
        ConfigMap manifest = JobManifest.of(owner);
        List<Runnable> writes = new ArrayList<>();
        SharedObjects.missing(owner, children).stream()
                .filter(wanted -> !StatusRole.has(wanted))
                .forEach(wanted -> writes.add(() -> create(owner, wanted)));
        if (!children.hasManifest(owner, manifest)) {
            writes.add(() -> createOrUpdate(owner, manifest));
        }
        AtOnce.run(writes);
    }

    /** In order: a binding is refused until its role is there. */
    private void grant(Ownership owner, Children children) {
        SharedObjects.missing(owner, children).stream()
                .filter(StatusRole::has)
                .forEach(wanted -> create(owner, wanted));
    }

    private void createOrUpdate(Ownership owner, ConfigMap manifest) {
        boolean absent = create(owner, manifest);
        if (!absent) {
            remember.accept(client.resource(manifest).update());
        }
    }

    private void start(Ownership owner, Children children, int attempt) {
        if (KubernetesObserver.problem(owner, settings).isPresent()) {
            return;
        }
        Job wanted = AttemptJob.of(owner, attempt, settings);
        if (!children.has(owner, wanted)) {
            // that of an attempt whose Job somebody removed is nobody's
            disband(owner, attempt - 1);
            PodGroup.of(owner, attempt).ifPresent(this::create);
            create(owner, wanted);
        }
    }

    private void create(PodGroup group) {
        try {
            create(group.owner(), group.object(), group.in(client));
        } catch (KubernetesClientException e) {
            if (e.getCode() == HttpURLConnection.HTTP_NOT_FOUND) {
                throw group.missing();
            }
            throw e;
        }
    }

    /**
     * Removes the Job in the foreground: it is seen until its last pod is gone, so a next attempt cannot meet one of this. Pods get the grace
     * period that they were created with.
     */
    private void stop(Ownership owner, Children children, int attempt) {
        // before the Job: this is repeated for as long as that is there
        disband(owner, attempt);
        Optional<Job> job = children.job(owner, attempt);
        if (job.isPresent()) {
            delete(owner, job.get());
        } else {
            children.pods(owner, attempt).forEach(pod -> delete(owner, pod));
        }
    }

    private void remove(Ownership owner, Children children) {
        // that of an attempt whose Job somebody removed; the first, since this is repeated for as long as the others
        // are there
        Optional.ofNullable(owner.job().getStatus())
                .map(RLVRJobStatus::attempt)
                .ifPresent(attempt -> disband(owner, attempt));
        String kept = CheckpointClaim.of(owner).map(HasMetadata::getKind).orElse("");
        Stream.concat(Stream.of(JobManifest.of(owner)), SharedObjects.fixed(owner).stream())
                .filter(object -> !object.getKind().equals(kept))
                .filter(object -> children.has(owner, object))
                .forEach(object -> delete(owner, object));
    }

    private void delete(Ownership owner, HasMetadata object) {
        if (!Children.going(object) && owner.has(object)) {
            // in the foreground it is seen until its last pod is gone
            boolean hasPods = object instanceof Job || object instanceof StatefulSet;
            client.resource(object)
                    .withPropagationPolicy(hasPods ? DeletionPropagation.FOREGROUND : DeletionPropagation.BACKGROUND)
                    .delete();
        }
    }

    /**
     * Creates an object where it is absent.
     *
     * @return whether it was absent
     * @throws ForeignObjectException if one of that name is there and is not this job's
     */
    private <T extends HasMetadata> boolean create(Ownership owner, T object) {
        return create(owner, object, client.resource(object));
    }

    private <T extends HasMetadata> boolean create(Ownership owner, T object, Resource<T> place) {
        try {
            remember.accept(place.create());
            return true;
        } catch (KubernetesClientException e) {
            if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
                throw e;
            }
            HasMetadata there = place.get();
            if (there == null) {
                // it has gone since, and nobody would look again
                throw e;
            }
            if (!owner.has(there)) {
                throw new ForeignObjectException(object);
            }
            return false;
        }
    }

    /** The labels of objects that a restarted operator finds are its own; everything else is somebody's. */
    static final class ForeignObjectException extends RuntimeException {
        ForeignObjectException(HasMetadata object) {
            super("%s %s exists and does not belong to this RLVRJob; remove it, or choose another name for the job"
                    .formatted(object.getKind(), object.getMetadata().getName()));
        }
    }
}
