package dev.rlvr.operator;

import dev.rlvr.lifecycle.PodObservation.Phase;
import dev.rlvr.lifecycle.ServersObservation;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.apps.StatefulSetStatus;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Reads how rollout servers are from what the StatefulSet controller, the scheduler and the kubelet wrote. */
record ServersLife(StatefulSet set, List<Pod> pods) {
    ServersObservation observe() {
        int ready = Optional.ofNullable(set.getStatus())
                .map(StatefulSetStatus::getReadyReplicas)
                .orElse(0);
        Optional<Phase.Waiting> waiting = pods.stream()
                .filter(pod -> !Children.going(pod))
                .sorted(Comparator.comparing(pod -> pod.getMetadata().getName()))
                .flatMap(pod -> new PodLife(pod, ServerPod.CONTAINER).obstacle().stream())
                .findFirst();
        return new ServersObservation(Children.going(set), ready, waiting);
    }
}
