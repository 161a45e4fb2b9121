package dev.rlvr.e2e.cluster;

import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** A whole Kubernetes with the operator installed from the chart, as a user would. */
final class Cluster implements AutoCloseable {
    private final Path checkout;
    private final Commands commands;
    private final Release release;
    private final KubernetesClient client;
    private final TimeLine times;

    private Cluster(Path checkout, Commands commands, Release release, KubernetesClient client, TimeLine times) {
        this.checkout = checkout;
        this.commands = commands;
        this.release = release;
        this.client = client;
        this.times = times;
    }

    /** Installs the chart and waits until the operator is ready. */
    static Cluster open(Map<String, String> environment) {
        String commands = environment.getOrDefault("RLVR_CLUSTER_COMMANDS", "");
        if (commands.isEmpty()) {
            throw new IllegalStateException("These tests need a cluster: start them with e2e/run");
        }
        Path checkout = Path.of(System.getProperty("rlvr.checkout")).normalize();
        Path chart = Path.of(environment.getOrDefault(
                "RLVR_CLUSTER_CHART", checkout.resolve("helm/rlvr-operator").toString()));
        Cluster cluster = new Cluster(
                checkout,
                new Commands(Path.of(commands)),
                new Release(chart, checkout.resolve("e2e/cluster/values.yaml")),
                new KubernetesClientBuilder().build(),
                new TimeLine(checkout.resolve("e2e/target/cluster-times.md")));
        Instant start = Instant.now();
        cluster.release.install();
        cluster.times.took("`helm install` → operator ready", start, Instant.now());
        return cluster;
    }

    Path checkout() {
        return checkout;
    }

    KubernetesClient client() {
        return client;
    }

    Commands commands() {
        return commands;
    }

    Release release() {
        return release;
    }

    TimeLine times() {
        return times;
    }

    /** Makes a namespace whose pods have to meet the restricted Pod Security Standard, and returns its name. */
    String createNamespace(String prefix) {
        String name = prefix + "-" + UUID.randomUUID().toString().substring(0, 6);
        client.resource(new NamespaceBuilder()
                        .withNewMetadata()
                        .withName(name)
                        .addToLabels("pod-security.kubernetes.io/enforce", "restricted")
                        .endMetadata()
                        .build())
                .create();
        return name;
    }

    /** The operator's pod, where there is one replica. */
    Pod operator() {
        List<Pod> pods = operators();
        return Optional.of(pods)
                .filter(found -> found.size() == 1)
                .map(List::getFirst)
                .orElseThrow(() -> new AssertionError("not one operator but " + pods.size()));
    }

    /** The pods of all replicas of the operator, without those that are going. */
    List<Pod> operators() {
        return client
                .pods()
                .inNamespace(Release.NAMESPACE)
                .withLabel("app.kubernetes.io/name", "rlvr-operator")
                .withLabel("app.kubernetes.io/instance", Release.NAME)
                .list()
                .getItems()
                .stream()
                .filter(pod -> pod.getMetadata().getDeletionTimestamp() == null)
                .toList();
    }

    /** The name of the pod that holds the lease, and so is the one that works; none while nobody does. */
    Optional<String> leader() {
        return Optional.ofNullable(client.leases()
                        .inNamespace(Release.NAMESPACE)
                        .withName(Release.NAME)
                        .get())
                .map(lease -> lease.getSpec().getHolderIdentity())
                .flatMap(holder -> operators().stream()
                        .map(pod -> pod.getMetadata().getName())
                        .filter(holder::startsWith)
                        .findFirst());
    }

    /** Kills the processes of a pod's containers with SIGKILL, as the kernel does when memory is short. */
    void killProcesses(Pod pod) {
        // the pod's uid is in the names of its control groups, with underscores where systemd made them
        String uid = pod.getMetadata().getUid().replace("-", "[-_]");
        String killed = commands.onNode("""
            for process in /proc/[0-9]*; do
              if grep -q '%s' "$process/cgroup" 2>/dev/null && [ "$(cat "$process/comm")" != pause ]; then
                kill -KILL "${process#/proc/}" && echo "${process#/proc/}"
              fi
            done\
            """.formatted(uid));
        if (killed.isBlank()) {
            throw new AssertionError("no process of pod " + pod.getMetadata().getName() + " was found on the node");
        }
    }

    @Override
    public void close() {
        times.write();
        try (client) {
            release.uninstall();
            client.namespaces().withName(Release.NAMESPACE).delete();
        }
    }
}
