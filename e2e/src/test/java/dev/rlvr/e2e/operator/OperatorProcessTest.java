package dev.rlvr.e2e.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.e2e.ApiServer;
import dev.rlvr.e2e.RealApiServer;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The operator as people start it: {@code java -jar quarkus-run.jar}. */
@RealApiServer
class OperatorProcessTest {
    private static final Path JAR = Path.of(
                    System.getProperty("rlvr.checkout"), "operator", "target", "quarkus-app", "quarkus-run.jar")
            .normalize();

    private final ApiServer api;

    @TempDir
    Path folder;

    OperatorProcessTest(ApiServer api) {
        this.api = api;
    }

    @Test
    void theJarTakesAJobOverFromOneThatWasKilled() throws IOException, InterruptedException {
        assertThat(JAR).as("built by mvn package").isRegularFile();
        int port = freePort();
        try (Scene scene = Scene.open(api, attempt -> attempt == 1 ? new Ending.RunsOn() : new Ending.Succeeds())) {
            Process first = start(scene, port, "first.log");
            try {
                scene.create();
                scene.await(State.Running);
                assertThat(get(port, "/q/health/ready")).isEqualTo(200);
                assertThat(get(port, "/q/health/live")).isEqualTo(200);
            } finally {
                first.destroyForcibly().waitFor();
            }
            scene.patchSpec("{\"lifecycle\":{\"suspend\":true}}");
            Process second = start(scene, port, "second.log");
            try {
                scene.await(State.Suspended);
                scene.patchSpec("{\"lifecycle\":{\"suspend\":false}}");
                scene.await(State.Succeeded);
            } finally {
                second.destroy();
                assertThat(second.waitFor(20, TimeUnit.SECONDS)).isTrue();
            }
            assertThat(scene.cluster().attempts()).containsExactly(1, 2);
            assertThat(Files.readString(folder.resolve("second.log")))
                    .contains(scene.namespace() + "/sum attempt 2: Succeeded")
                    .doesNotContain("ERROR");
        }
    }

    @Test
    void withoutTheResourceItSaysWhatToApply() throws IOException, InterruptedException {
        try (ApiServer bare = ApiServer.start()) {
            Process process = start(bare.kubeconfig(), "default", freePort(), "bare.log");
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isEqualTo(2);
            assertThat(Files.readString(folder.resolve("bare.log")))
                    .contains("has no RLVRJob resource (rlvr.dev/v1alpha1); apply it first: kubectl apply -f crds/")
                    .doesNotContain("Exception");
        }
    }

    private Process start(Scene scene, int port, String log) throws IOException {
        return start(OperatorRights.kubeconfig(api, scene.namespace()), scene.namespace(), port, log);
    }

    private Process start(String rights, String namespace, int port, String log) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-jar",
                        JAR.toString())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve(log).toFile());
        Path kubeconfig = Files.writeString(folder.resolve("kubeconfig"), rights);
        builder.environment().put("KUBECONFIG", kubeconfig.toString());
        builder.environment().put("RLVR_PORT", Integer.toString(port));
        builder.environment().put("RLVR_HOST", "127.0.0.1");
        builder.environment().put("RLVR_NAMESPACES", namespace);
        return builder.start();
    }

    private static int get(int port, String path) throws IOException, InterruptedException {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(
                            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                                    .build(),
                            HttpResponse.BodyHandlers.discarding())
                    .statusCode();
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }
}
