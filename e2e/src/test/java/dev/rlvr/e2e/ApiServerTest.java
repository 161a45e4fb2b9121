package dev.rlvr.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.ServiceAccountBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

@RealApiServer
class ApiServerTest {
    private final ApiServer api;

    ApiServerTest(ApiServer api) {
        this.api = api;
    }

    @Test
    void theServerIsOfTheVersionThatTheProjectTestsAgainst() {
        try (KubernetesClient admin = api.admin()) {
            assertThat(admin.getKubernetesVersion().getGitVersion()).isEqualTo("v" + KubeAssets.VERSION);
        }
        assertThat(api.kubectl().run("version")).doesNotContain("WARNING");
    }

    @Test
    void aServiceAccountMayDoNothingThatNoRoleAllows() {
        String namespace = api.createNamespace("nobody");
        try (KubernetesClient admin = api.admin()) {
            admin.resource(new ServiceAccountBuilder()
                            .withNewMetadata()
                            .withName("nobody")
                            .withNamespace(namespace)
                            .endMetadata()
                            .build())
                    .create();
        }
        try (KubernetesClient nobody = api.client(api.serviceAccountToken(namespace, "nobody"))) {
            assertThatThrownBy(() -> nobody.pods().inNamespace(namespace).list().getItems())
                    .isInstanceOf(KubernetesClientException.class)
                    .hasMessageContaining("system:serviceaccount:" + namespace + ":nobody")
                    .extracting(e -> ((KubernetesClientException) e).getCode())
                    .isEqualTo(403);
        }
    }

    @Test
    void theServersDieWithAJvmThatIsKilled() throws IOException {
        Process jvm = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Starter.class.getName())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader output = jvm.inputReader()) {
            String ready = output.readLine();
            assertThat(ready).isEqualTo("ready");
            var servers = jvm.descendants()
                    .filter(p -> p.info().command().orElse("").contains("kube-apiserver")
                            || p.info().command().orElse("").contains("etcd"))
                    .collect(Collectors.toList());
            assertThat(servers).hasSize(2);
            jvm.destroyForcibly();
            await().atMost(Duration.ofSeconds(10)).until(() -> servers.stream().noneMatch(ProcessHandle::isAlive));
        } finally {
            jvm.destroyForcibly();
        }
    }

    /** Starts a second API server and waits to be killed. */
    static final class Starter {
        private Starter() {}

        /** Says ready on standard output. */
        public static void main(String[] arguments) throws InterruptedException {
            try (ApiServer server = ApiServer.start()) {
                System.out.println(server.url().getPort() > 0 ? "ready" : "no port");
                Thread.sleep(Duration.ofMinutes(5));
            }
        }
    }
}
