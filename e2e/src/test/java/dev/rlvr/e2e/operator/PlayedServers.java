package dev.rlvr.e2e.operator;

import io.fabric8.kubernetes.api.model.ContainerStateBuilder;
import io.fabric8.kubernetes.api.model.ContainerStatusBuilder;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodStatusBuilder;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;

/** What the StatefulSet controller and the kubelet write about rollout servers, which become ready as soon as they are allowed to. */
public record PlayedServers(KubernetesClient client) {
    /** One step of life of a set and its pods. */
    public void goOn(StatefulSet set, boolean mayBeReady) {
        List<Pod> pods = of(set);
        if (set.getMetadata().getDeletionTimestamp() != null) {
            pods.stream()
                    .filter(pod -> pod.getMetadata().getDeletionTimestamp() == null)
                    .forEach(pod -> client.resource(pod).delete());
            if (pods.isEmpty() && set.getFinalizers().contains("foregroundDeletion")) {
                client.resource(set).edit(stored -> {
                    stored.getMetadata().setFinalizers(List.of());
                    return stored;
                });
            }
        } else if (pods.size() < set.getSpec().getReplicas()) {
            create(set, pods.size());
        } else if (mayBeReady && readyReplicas(set) == 0) {
            pods.forEach(this::run);
            client.resource(set).editStatus(stored -> {
                stored.getStatus().setReplicas(pods.size());
                stored.getStatus().setReadyReplicas(pods.size());
                return stored;
            });
        }
    }

    private static int readyReplicas(StatefulSet set) {
        return Optional.ofNullable(set.getStatus().getReadyReplicas()).orElse(0);
    }

    private List<Pod> of(StatefulSet set) {
        return client.pods()
                .inNamespace(set.getMetadata().getNamespace())
                .withLabelSelector(set.getSpec().getSelector())
                .list()
                .getItems();
    }

    private void create(StatefulSet set, int index) {
        String name = "%s-%d".formatted(set.getMetadata().getName(), index);
        client.resource(new PodBuilder()
                        .withMetadata(set.getSpec().getTemplate().getMetadata())
                        .withSpec(set.getSpec().getTemplate().getSpec())
                        .editMetadata()
                        .withNamespace(set.getMetadata().getNamespace())
                        .withName(name)
                        .withOwnerReferences(new OwnerReferenceBuilder()
                                .withApiVersion(set.getApiVersion())
                                .withKind(set.getKind())
                                .withName(set.getMetadata().getName())
                                .withUid(set.getMetadata().getUid())
                                .withController(true)
                                .withBlockOwnerDeletion(true)
                                .build())
                        .endMetadata()
                        .editSpec()
                        .withHostname(name)
                        .withSubdomain(set.getSpec().getServiceName())
                        .withNodeName("played-node")
                        .endSpec()
                        .build())
                .create();
    }

    private void run(Pod pod) {
        client.resource(new PodBuilder(pod)
                        .withStatus(new PodStatusBuilder()
                                .withPhase("Running")
                                .withContainerStatuses(new ContainerStatusBuilder()
                                        .withName("server")
                                        .withImage("rlvr-trainer:latest")
                                        .withImageID("")
                                        .withReady(true)
                                        .withRestartCount(0)
                                        .withState(new ContainerStateBuilder()
                                                .withNewRunning(Instant.now()
                                                        .truncatedTo(ChronoUnit.SECONDS)
                                                        .toString())
                                                .build())
                                        .build())
                                .build())
                        .build())
                .updateStatus();
    }
}
