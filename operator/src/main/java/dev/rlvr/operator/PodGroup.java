package dev.rlvr.operator;

import dev.rlvr.crds.TrainerSpec.Gang;
import dev.rlvr.crds.TrainerSpec.Gang.Scheduler;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.GenericKubernetesResourceBuilder;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpecBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What tells a gang scheduler that the pods of an attempt start together. It has the name of the attempt's Job, so that pods of one attempt
 * are never counted for another, and it exists before the Job does. Volcano and coscheduling each have a kind of this name.
 */
record PodGroup(Ownership owner, int attempt, Gang gang) {
    private static final String KIND = "PodGroup";

    /** The group of an attempt, where the job asks for one. */
    static Optional<PodGroup> of(Ownership owner, int attempt) {
        return Optional.ofNullable(owner.job().getSpec().trainer().gang())
                .map(gang -> new PodGroup(owner, attempt, gang));
    }

    GenericKubernetesResource object() {
        Map<String, Object> spec = new TreeMap<>();
        spec.put("minMember", owner.job().getSpec().trainer().replicas());
        Optional.ofNullable(gang.queue()).ifPresent(queue -> spec.put("queue", queue));
        return new GenericKubernetesResourceBuilder()
                .withApiVersion(apiVersion())
                .withKind(KIND)
                .withMetadata(new ObjectMetaBuilder()
                        .withNamespace(owner.namespace())
                        .withName(owner.attemptName(attempt))
                        .withLabels(owner.labels(attempt))
                        .withOwnerReferences(owner.reference())
                        .build())
                .addToAdditionalProperties("spec", spec)
                .build();
    }

    Resource<GenericKubernetesResource> in(KubernetesClient client) {
        String[] groupAndVersion = apiVersion().split("/", 2);
        return client.genericKubernetesResources(new ResourceDefinitionContext.Builder()
                        .withGroup(groupAndVersion[0])
                        .withVersion(groupAndVersion[1])
                        .withKind(KIND)
                        .withPlural("podgroups")
                        .withNamespaced(true)
                        .build())
                .inNamespace(owner.namespace())
                .resource(object());
    }

    private String apiVersion() {
        return switch (gang.scheduler()) {
            case Volcano -> "scheduling.volcano.sh/v1beta1";
            case Coscheduling -> "scheduling.x-k8s.io/v1alpha1";
        };
    }

    /** The scheduler's name as its own chart installs it; a pod template may name another. */
    String schedulerName() {
        return switch (gang.scheduler()) {
            case Volcano -> "volcano";
            case Coscheduling -> "scheduler-plugins-scheduler";
        };
    }

    /** The template with the mark by which the scheduler knows the group. */
    PodTemplateSpec mark(PodTemplateSpec template) {
        PodTemplateSpecBuilder marked = new PodTemplateSpecBuilder(template);
        String name = owner.attemptName(attempt);
        return switch (gang.scheduler()) {
            case Volcano ->
                marked.editMetadata()
                        .addToAnnotations("scheduling.k8s.io/group-name", name)
                        .endMetadata()
                        .build();
            case Coscheduling ->
                marked.editMetadata()
                        .addToLabels("scheduling.x-k8s.io/pod-group", name)
                        .endMetadata()
                        .build();
        };
    }

    /** The cluster does not know such groups. */
    MissingSchedulerException missing() {
        Scheduler scheduler = gang.scheduler();
        return new MissingSchedulerException(
                "spec.trainer.gang.scheduler: %s is not installed, there is no kind PodGroup of %s; install it, or remove spec.trainer.gang"
                        .formatted(scheduler, apiVersion()));
    }

    /** Something that only the cluster's administrator or another spec can change. */
    static final class MissingSchedulerException extends RuntimeException {
        MissingSchedulerException(String message) {
            super(message);
        }
    }
}
