package dev.rlvr.e2e;

import dev.rlvr.e2e.ApiServer.Server;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A whole control plane on this machine's loopback, whose nodes and pods kwok plays by {@code e2e/kwok/stages.yaml}: Jobs get pods, the
 * scheduler binds them, they run and end, claims bind, the garbage collector collects. Nothing of it needs root, an image or a network.
 */
public final class PlayedNodes implements AutoCloseable {
    /** GPUs of a node. */
    public static final int GPUS = 8;

    private static final Map<String, Quantity> CAPACITY = Map.of(
            "cpu", new Quantity("192"),
            "memory", new Quantity("2Ti"),
            "pods", new Quantity("110"),
            "nvidia.com/gpu", new Quantity(Integer.toString(GPUS)));

    private final ApiServer api;
    private final List<Server> controllers;

    private PlayedNodes(ApiServer api, List<Server> controllers) {
        this.api = api;
        this.controllers = controllers;
    }

    /**
     * Starts one; returns when its nodes take pods.
     *
     * @param stages what kwok does
     * @param nodes how many
     * @param apiServer more arguments of kube-apiserver
     */
    public static PlayedNodes start(PlayedAssets assets, Path stages, int nodes, List<String> apiServer) {
        ApiServer api = ApiServer.start(assets.servers(), apiServer);
        List<Server> controllers = new ArrayList<>();
        PlayedNodes played = new PlayedNodes(api, controllers);
        try {
            controllers.add(played.start(assets.controllerManager(), played.controllerManager()));
            controllers.add(played.start(assets.scheduler(), played.scheduler()));
            controllers.add(played.start(assets.kwok(), played.kwok(stages)));
            played.addNodes(nodes);
            return played;
        } catch (IOException e) {
            played.close();
            throw new UncheckedIOException("cannot start controllers and played nodes", e);
        } catch (RuntimeException e) {
            played.close();
            throw e;
        }
    }

    private Server start(Path command, List<String> arguments) throws IOException {
        Path log = api.folder().resolve(command.getFileName() + ".log");
        return Server.start(log, command, arguments.toArray(String[]::new));
    }

    private List<String> controllerManager() {
        return List.of(
                "--kubeconfig=" + api.kubeconfigFile(),
                "--leader-elect=false",
                "--bind-address=127.0.0.1",
                "--secure-port=0",
                "--root-ca-file=" + api.folder().resolve(ApiServerStart.CERTIFICATE),
                "--service-account-private-key-file=" + api.folder().resolve(ApiServerStart.ACCOUNTS_KEY),
                "--use-service-account-credentials",
                // played nodes send no heartbeats
                "--node-monitor-grace-period=24h",
                // a look at all of thousands of volumes takes two seconds of a small machine; changes are seen anyway
                "--pvclaimbinder-sync-period=1h",
                // at the default of 20 requests a second this would be the limit of everything
                "--kube-api-qps=500",
                "--kube-api-burst=1000");
    }

    private List<String> scheduler() {
        return List.of(
                "--kubeconfig=" + api.kubeconfigFile(),
                "--leader-elect=false",
                "--bind-address=127.0.0.1",
                "--secure-port=0",
                "--kube-api-qps=500",
                "--kube-api-burst=1000");
    }

    private List<String> kwok(Path stages) throws IOException {
        return List.of(
                "--kubeconfig=" + api.kubeconfigFile(),
                "--config=" + stages,
                "--manage-all-nodes=true",
                "--node-lease-duration-seconds=0",
                "--cidr=10.250.0.0/16",
                "--server-address=127.0.0.1:" + ApiServerStart.freePorts(1).getFirst());
    }

    private void addNodes(int count) {
        try (KubernetesClient client = api.admin()) {
            for (int i = 0; i < count; i++) {
                client.resource(new NodeBuilder()
                                .withNewMetadata()
                                .withName("played-" + i)
                                .endMetadata()
                                .withNewStatus()
                                .withCapacity(CAPACITY)
                                .withAllocatable(CAPACITY)
                                .endStatus()
                                .build())
                        .create();
            }
            for (int i = 0; i < count; i++) {
                client.nodes().withName("played-" + i).waitUntilCondition(PlayedNodes::takesPods, 2, TimeUnit.MINUTES);
            }
        }
    }

    private static boolean takesPods(@Nullable Node node) {
        return node != null
                && node.getSpec().getTaints().isEmpty()
                && node.getStatus().getConditions().stream()
                        .anyMatch(condition -> condition.getType().equals("Ready")
                                && condition.getStatus().equals("True"));
    }

    /** Its API server. */
    public ApiServer api() {
        return api;
    }

    /** Every process of it, by the name of its binary. */
    public Map<String, ProcessHandle> processes() {
        Map<String, ProcessHandle> processes = new LinkedHashMap<>();
        Stream.concat(api.servers().stream(), controllers.stream())
                .forEach(server -> processes.put(server.name(), server.process().toHandle()));
        return processes;
    }

    @Override
    public void close() {
        controllers.reversed().forEach(Server::stop);
        api.close();
    }
}
