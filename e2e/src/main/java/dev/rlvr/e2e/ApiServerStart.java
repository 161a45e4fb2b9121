package dev.rlvr.e2e;

import dev.rlvr.e2e.ApiServer.Server;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * Brings one {@link ApiServer} up.
 *
 * @param arguments of kube-apiserver, after the usual ones
 */
record ApiServerStart(KubeAssets assets, Duration patience, List<String> arguments) {
    /** The API server writes its own certificate here, and the authority that signed it. */
    static final String CERTIFICATE = "certificates/apiserver.crt";

    /** What tokens of service accounts are signed with. */
    static final String ACCOUNTS_KEY = "sa.key";

    private static final String FOLDER_PREFIX = "rlvr-apiserver-";
    private static final int TRIES = 3;

    ApiServer start() throws IOException {
        Path parent = Path.of(System.getProperty("java.io.tmpdir"));
        removeFoldersOfDeadProcesses(parent);
        // a free port may be taken by another process between the look and the use
        for (int attempt = 1; ; attempt++) {
            Path folder = Files.createTempDirectory(
                    parent,
                    FOLDER_PREFIX + ProcessHandle.current().pid() + "-",
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            List<Server> servers = new ArrayList<>();
            try {
                return start(folder, servers);
            } catch (IOException | RuntimeException e) {
                servers.reversed().forEach(Server::stop);
                Folders.delete(folder);
                boolean portTaken = String.valueOf(e.getMessage()).contains("address already in use");
                if (!portTaken || attempt == TRIES) {
                    throw e;
                }
            }
        }
    }

    private ApiServer start(Path folder, List<Server> servers) throws IOException {
        String adminToken = UUID.randomUUID().toString();
        Path tokens = Files.writeString(folder.resolve("tokens.csv"), adminToken + ",admin,admin,\"system:masters\"\n");
        KeyPair keys = serviceAccountKeys();
        Path privateKey = pem(
                folder.resolve(ACCOUNTS_KEY), "PRIVATE KEY", keys.getPrivate().getEncoded());
        Path publicKey =
                pem(folder.resolve("sa.pub"), "PUBLIC KEY", keys.getPublic().getEncoded());

        List<Integer> ports = freePorts(3);
        String etcd = "http://127.0.0.1:" + ports.get(0);
        String peer = "http://127.0.0.1:" + ports.get(1);
        servers.add(Server.start(
                folder.resolve("etcd.log"),
                assets.etcd(),
                "--name=test",
                "--data-dir=" + folder.resolve("etcd"),
                "--unsafe-no-fsync",
                "--log-level=warn",
                "--listen-client-urls=" + etcd,
                "--advertise-client-urls=" + etcd,
                "--listen-peer-urls=" + peer,
                "--initial-advertise-peer-urls=" + peer,
                "--initial-cluster=test=" + peer));
        List<String> command = new ArrayList<>(List.of(
                "--etcd-servers=" + etcd,
                "--bind-address=127.0.0.1",
                "--advertise-address=127.0.0.1",
                "--endpoint-reconciler-type=none",
                "--secure-port=" + ports.get(2),
                "--cert-dir=" + folder.resolve("certificates"),
                "--token-auth-file=" + tokens,
                "--authorization-mode=RBAC",
                "--service-cluster-ip-range=10.96.0.0/16",
                "--service-account-issuer=https://kubernetes.default.svc",
                "--service-account-key-file=" + publicKey,
                "--service-account-signing-key-file=" + privateKey,
                // tests write what controllers and kubelets would, in bursts
                "--enable-priority-and-fairness=false"));
        command.addAll(arguments);
        servers.add(
                Server.start(folder.resolve("kube-apiserver.log"), assets.apiServer(), command.toArray(String[]::new)));

        URI url = URI.create("https://127.0.0.1:" + ports.get(2));
        awaitFile(folder.resolve(CERTIFICATE), servers);
        ApiServer server = new ApiServer(assets, folder, List.copyOf(servers), url, adminToken);
        awaitReady(server, servers);
        return server;
    }

    private void awaitFile(Path file, List<Server> servers) throws IOException {
        long deadline = System.nanoTime() + patience.toNanos();
        while (Files.notExists(file) || Files.size(file) == 0) {
            check(servers, deadline);
        }
    }

    private void awaitReady(ApiServer server, List<Server> servers) throws IOException {
        long deadline = System.nanoTime() + patience.toNanos();
        Config impatient = Config.fromKubeconfig(server.kubeconfig());
        impatient.setRequestRetryBackoffLimit(0);
        try (KubernetesClient client =
                new KubernetesClientBuilder().withConfig(impatient).build()) {
            while (!isReady(client)) {
                check(servers, deadline);
            }
        }
    }

    private static boolean isReady(KubernetesClient client) {
        try {
            return Optional.ofNullable(client.raw("/readyz")).orElse("").equals("ok")
                    // the roles are there before namespaces are
                    && client.namespaces().withName("default").get() != null;
        } catch (KubernetesClientException notYet) {
            return false;
        }
    }

    private static void check(List<Server> servers, long deadline) throws IOException {
        for (Server server : servers) {
            if (!server.process().isAlive()) {
                throw new IllegalStateException(server.name() + " ended with exit code "
                        + server.process().exitValue() + ":\n" + server.lastLines());
            }
        }
        if (System.nanoTime() > deadline) {
            throw new IllegalStateException("the API server does not become ready:\n"
                    + servers.getLast().lastLines());
        }
        try {
            Thread.sleep(50);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the API server starts", e);
        }
    }

    /** What a JVM leaves that was killed: its folder carries its process id. */
    private static void removeFoldersOfDeadProcesses(Path parent) throws IOException {
        try (Stream<Path> entries = Files.list(parent)) {
            for (Path folder : entries.filter(ApiServerStart::ownerIsDead).toList()) {
                Folders.delete(folder);
            }
        }
    }

    private static boolean ownerIsDead(Path folder) {
        String name = String.valueOf(folder.getFileName());
        if (!name.matches(FOLDER_PREFIX + "[0-9]+-[0-9]+") || !Files.isWritable(folder)) {
            return false;
        }
        long owner = Long.parseLong(name.substring(FOLDER_PREFIX.length(), name.lastIndexOf('-')));
        return ProcessHandle.of(owner).isEmpty();
    }

    static List<Integer> freePorts(int count) throws IOException {
        List<ServerSocket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                sockets.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
            }
            return sockets.stream().map(ServerSocket::getLocalPort).toList();
        } finally {
            for (ServerSocket socket : sockets) {
                socket.close();
            }
        }
    }

    private static KeyPair serviceAccountKeys() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
            generator.initialize(2048);
            return generator.generateKeyPair();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has RSA", e);
        }
    }

    private static Path pem(Path file, String type, byte[] der) throws IOException {
        String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
        return Files.writeString(file, "-----BEGIN %1$s-----\n%2$s\n-----END %1$s-----\n".formatted(type, body));
    }
}
