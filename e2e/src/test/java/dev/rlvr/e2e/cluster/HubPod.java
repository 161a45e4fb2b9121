package dev.rlvr.e2e.cluster;

import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.readiness.Readiness;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Base64;
import java.util.List;
import java.util.Objects;

/** A {@link Hub} in the cluster, where {@code e2e/cluster/values.yaml} says that jobs download from. */
final class HubPod implements AutoCloseable {
    /** Also the name of its objects. */
    private static final String NAMESPACE = "hub";

    private final Cluster cluster;

    private HubPod(Cluster cluster) {
        this.cluster = cluster;
    }

    /** Starts it, and waits until it answers. */
    static HubPod start(Cluster cluster) {
        String objects = """
            - apiVersion: v1
              kind: Namespace
              metadata: {name: hub, labels: {pod-security.kubernetes.io/enforce: restricted}}
            - apiVersion: v1
              kind: ConfigMap
              metadata: {name: hub, namespace: hub}
              binaryData: {program: %s}
            - apiVersion: v1
              kind: Service
              metadata: {name: hub, namespace: hub}
              spec: {selector: {app: hub}, ports: [{port: %3$d}]}
            - apiVersion: apps/v1
              kind: Deployment
              metadata: {name: hub, namespace: hub}
              spec:
                selector: {matchLabels: {app: hub}}
                template:
                  metadata: {labels: {app: hub}}
                  spec:
                    automountServiceAccountToken: false
                    securityContext: {runAsNonRoot: true, runAsUser: 65532, seccompProfile: {type: RuntimeDefault}}
                    volumes: [{name: program, configMap: {name: hub, items: [{key: program, path: %4$s.class}]}}]
                    containers:
                      - name: hub
                        image: %2$s
                        imagePullPolicy: Never
                        command: [java, -cp, /program, %4$s, /opt/rlvr/bundled/quickstart]
                        volumeMounts: [{name: program, mountPath: /program}]
                        readinessProbe: {tcpSocket: {port: %3$d}, periodSeconds: 1}
                        securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
            """.formatted(
                        program(), image(cluster), Hub.PORT, Hub.class.getName().replace('.', '/'));
        HubPod hub = new HubPod(cluster);
        for (Object object : Serialization.unmarshal(objects, List.class)) {
            cluster.client().resource(Serialization.asYaml(object)).create();
        }
        Awaiting.until(
                "the hub is ready", () -> hub.pods().stream().anyMatch(Readiness.getInstance()::isReady), hub::pods);
        return hub;
    }

    /** Its class file, as a ConfigMap takes it. */
    private static String program() {
        try (InputStream file = Objects.requireNonNull(Hub.class.getResourceAsStream("Hub.class"))) {
            return Base64.getEncoder().encodeToString(file.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The trainer's, which the node has, and which has Java and the quickstart. */
    private static String image(Cluster cluster) {
        return cluster.operator().getSpec().getContainers().getFirst().getEnv().stream()
                .filter(variable -> variable.getName().equals("RLVR_TRAINER_IMAGE"))
                .map(EnvVar::getValue)
                .findFirst()
                .orElseThrow();
    }

    /** The paths that it was asked for so far. */
    List<String> asked() {
        return pods().stream()
                .flatMap(pod -> cluster.client().pods().resource(pod).getLog().lines())
                .toList();
    }

    private List<Pod> pods() {
        return cluster.client()
                .pods()
                .inNamespace(NAMESPACE)
                .withLabel("app", "hub")
                .list()
                .getItems();
    }

    @Override
    public void close() {
        cluster.client().namespaces().withName(NAMESPACE).delete();
        Awaiting.until(
                "the hub is gone",
                () -> cluster.client().namespaces().withName(NAMESPACE).get() == null,
                this::pods);
    }
}
