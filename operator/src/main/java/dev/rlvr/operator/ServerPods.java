package dev.rlvr.operator;

import dev.rlvr.crds.RolloutSpec;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.apps.StatefulSetBuilder;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;

/** The rollout servers of a job: one StatefulSet, whose pods have names that do not change and are started again by themselves. */
record ServerPods(Ownership owner, RolloutSpec.Servers spec, Settings settings) {
    /** Where each server listens; SGLang's own default. */
    static final int PORT = 30000;

    private static final String NAME_LABEL = "app.kubernetes.io/name";
    private static final String SERVER = "rlvr-server";

    /** Those of a job; empty where it samples itself, or names servers that somebody else runs. */
    static Optional<ServerPods> of(Ownership owner, Settings settings) {
        return owner.job().getSpec().rollout().ownServers().map(spec -> new ServerPods(owner, spec, settings));
    }

    /** Whether an object is of servers, by its labels: it is of no attempt then. */
    static boolean owns(HasMetadata object) {
        return Optional.ofNullable(object.getMetadata().getLabels())
                .filter(labels -> SERVER.equals(labels.get(NAME_LABEL)))
                .isPresent();
    }

    /** Short enough for the hash that the StatefulSet controller appends in a label, at the longest job name. */
    String name() {
        return owner.name() + "-server";
    }

    /** Where trainers find each of them, ready or not. */
    List<String> urls() {
        return IntStream.range(0, spec.replicas())
                .mapToObj(index -> "http://%s-%d.%s:%d".formatted(name(), index, owner.sharedName(), PORT))
                .toList();
    }

    StatefulSet statefulSet() {
        Map<String, String> labels = labels();
        owner.queue().ifPresent(queue -> labels.put(AttemptJob.QUEUE, queue));
        return new StatefulSetBuilder()
                .withMetadata(new ObjectMetaBuilder()
                        .withNamespace(owner.namespace())
                        .withName(name())
                        .withLabels(labels)
                        .withOwnerReferences(owner.reference())
                        .build())
                .withNewSpec()
                .withReplicas(spec.replicas())
                .withServiceName(owner.sharedName())
                .withPodManagementPolicy("Parallel")
                .withNewSelector()
                .withMatchLabels(labels())
                .endSelector()
                .withTemplate(new ServerPod(owner, spec, settings).template(labels()))
                .endSpec()
                .build();
    }

    /** Of the set and of its pods: no attempt's, since servers outlive attempts. */
    private Map<String, String> labels() {
        Map<String, String> labels = new TreeMap<>(owner.labels());
        labels.put(NAME_LABEL, SERVER);
        labels.put(Ownership.UID, owner.job().getMetadata().getUid());
        return labels;
    }
}
