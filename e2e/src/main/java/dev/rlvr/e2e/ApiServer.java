package dev.rlvr.e2e;

import dev.rlvr.crds.RLVRJob;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.authentication.TokenRequestBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * etcd and kube-apiserver on free loopback ports, with a private folder and RBAC authorisation, and nothing else: no controller manager, no
 * scheduler, no node. They end with {@link #close()} and with the JVM, however that ends.
 */
public final class ApiServer implements AutoCloseable {
    private final KubeAssets assets;
    private final Path folder;
    private final List<Server> servers;
    private final URI url;
    private final String adminToken;
    private final Path kubeconfigFile;
    private final AtomicInteger namespaces = new AtomicInteger();
    private boolean crdApplied;
    private final Thread atExit = new Thread(this::stop, "stop-api-server");

    ApiServer(KubeAssets assets, Path folder, List<Server> servers, URI url, String adminToken) throws IOException {
        this.assets = assets;
        this.folder = folder;
        this.servers = servers;
        this.url = url;
        this.adminToken = adminToken;
        this.kubeconfigFile = Files.writeString(folder.resolve("kubeconfig"), kubeconfig(adminToken));
        Runtime.getRuntime().addShutdownHook(atExit);
    }

    /** Starts one with the binaries that {@link KubeAssets#find()} finds; returns when it is ready, after 3 to 6 seconds. */
    public static ApiServer start() {
        return start(KubeAssets.find());
    }

    /**
     * Starts one with these binaries.
     *
     * @throws IllegalStateException with the end of its log if it does not become ready within a minute
     */
    public static ApiServer start(KubeAssets assets) {
        return start(assets, List.of());
    }

    /**
     * As above.
     *
     * @param arguments more of kube-apiserver's; they win over what it is usually started with
     */
    public static ApiServer start(KubeAssets assets, List<String> arguments) {
        try {
            return new ApiServerStart(assets, Duration.ofMinutes(1), arguments).start();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start an API server", e);
        }
    }

    /** Where it answers. */
    public URI url() {
        return url;
    }

    /** A new client with all rights; the caller closes it. */
    public KubernetesClient admin() {
        return client(adminToken);
    }

    /** A new client with the rights of that token; the caller closes it. */
    public KubernetesClient client(String token) {
        return new KubernetesClientBuilder()
                .withConfig(Config.fromKubeconfig(kubeconfig(token)))
                .build();
    }

    /** A token of a service account that exists, good for an hour. */
    public String serviceAccountToken(String namespace, String name) {
        try (KubernetesClient client = admin()) {
            return client.serviceAccounts()
                    .inNamespace(namespace)
                    .withName(name)
                    .tokenRequest(new TokenRequestBuilder()
                            .withNewSpec()
                            .withExpirationSeconds(3600L)
                            .endSpec()
                            .build())
                    .getStatus()
                    .getToken();
        }
    }

    /** A kubeconfig (YAML) with all rights. */
    public String kubeconfig() {
        return kubeconfig(adminToken);
    }

    /** A kubeconfig (YAML) with the rights of that token. */
    public String kubeconfig(String token) {
        return """
                apiVersion: v1
                kind: Config
                current-context: test
                contexts:
                - name: test
                  context: {cluster: test, user: test}
                clusters:
                - name: test
                  cluster:
                    server: %s
                    certificate-authority-data: %s
                users:
                - name: test
                  user: {token: "%s"}
                """.formatted(url, Base64.getEncoder().encodeToString(certificate()), token);
    }

    /** A file with {@link #kubeconfig()}, there until this is closed. */
    public Path kubeconfigFile() {
        return kubeconfigFile;
    }

    /** Creates a namespace with a fresh name that starts with this prefix. */
    public String createNamespace(String prefix) {
        String name = prefix + "-" + namespaces.incrementAndGet();
        try (KubernetesClient client = admin()) {
            client.resource(new NamespaceBuilder()
                            .withNewMetadata()
                            .withName(name)
                            .endMetadata()
                            .build())
                    .create();
        }
        return name;
    }

    /** Applies the project's CRD, as packed into {@code rlvr-crds}, and waits until the API server serves it; does nothing the second time. */
    public synchronized void applyCrd() {
        if (crdApplied) {
            return;
        }
        try (InputStream yaml = RLVRJob.class.getResourceAsStream("/META-INF/rlvr/rlvrjobs.rlvr.dev-v1.yaml");
                KubernetesClient client = admin()) {
            CustomResourceDefinition crd = Serialization.unmarshal(
                    Objects.requireNonNull(yaml, "rlvr-crds has no CRD file"), CustomResourceDefinition.class);
            client.resource(crd).serverSideApply();
            client.apiextensions()
                    .v1()
                    .customResourceDefinitions()
                    .withName(crd.getMetadata().getName())
                    .waitUntilCondition(ApiServer::established, 20, TimeUnit.SECONDS);
            // the cache that watches begin with is not there at once, and the client asks again until it is
            client.resources(RLVRJob.class)
                    .inAnyNamespace()
                    .list(new ListOptionsBuilder().withResourceVersion("0").build());
            crdApplied = true;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean established(@Nullable CustomResourceDefinition crd) {
        return crd != null
                && crd.getStatus() != null
                && crd.getStatus().getConditions() != null
                && crd.getStatus().getConditions().stream()
                        .anyMatch(condition -> condition.getType().equals("Established")
                                && condition.getStatus().equals("True"));
    }

    /** Runs kubectl with all rights. */
    public Kubectl kubectl() {
        return new Kubectl(assets.kubectl(), kubeconfigFile);
    }

    /** Where this server's files are: logs, certificates, keys. */
    Path folder() {
        return folder;
    }

    /** etcd and kube-apiserver, by name. */
    List<Server> servers() {
        return servers;
    }

    private byte[] certificate() {
        try {
            return Files.readAllBytes(folder.resolve(ApiServerStart.CERTIFICATE));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void stop() {
        servers.reversed().forEach(Server::stop);
        try {
            Folders.delete(folder);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot remove " + folder, e);
        }
    }

    @Override
    public void close() {
        stop();
        Runtime.getRuntime().removeShutdownHook(atExit);
    }

    /** One process that does not outlive this JVM. */
    record Server(String name, Process process, Path log) {
        /**
         * The shell becomes the server and leaves behind a child that waits for the end of standard input: that comes when this JVM closes
         * it or dies of whatever, {@code kill -9} included.
         */
        private static final String GUARD =
                "exec 3<&0; { read -r _ <&3; kill -KILL $$ 2>/dev/null; } >/dev/null 2>&1 & exec 3<&-; exec \"$@\" </dev/null";

        static Server start(Path log, Path command, String... arguments) throws IOException {
            List<String> line = new ArrayList<>(List.of("/bin/sh", "-c", GUARD, "guard", command.toString()));
            line.addAll(List.of(arguments));
            Process process = new ProcessBuilder(line)
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
            return new Server(String.valueOf(command.getFileName()), process, log);
        }

        void stop() {
            process.destroyForcibly();
            try {
                if (!process.waitFor(20, TimeUnit.SECONDS)) {
                    throw new IllegalStateException(name + " (process " + process.pid() + ") does not end");
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        String lastLines() throws IOException {
            List<String> lines = Files.readAllLines(log, StandardCharsets.UTF_8);
            return String.join("\n", lines.subList(Math.max(0, lines.size() - 8), lines.size()));
        }
    }
}
