package dev.rlvr.e2e.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.e2e.ApiServer;
import dev.rlvr.e2e.RealApiServer;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.api.model.rbac.RoleBindingBuilder;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several replicas of the operator, of which one works; and what each of them tells a monitoring system. */
@RealApiServer
class ReplicasTest {
    private static final Path LEASE_ROLE =
            Path.of(System.getProperty("rlvr.checkout"), "operator", "deploy", "lease-role.yaml");

    private final ApiServer api;

    @TempDir
    Path folder;

    ReplicasTest(ApiServer api) {
        this.api = api;
    }

    @Test
    void anotherReplicaGoesOnWhenTheOneThatWorksIsStoppedOrKilled() throws IOException, InterruptedException {
        try (Scene scene = Scene.open(api, _ -> new Ending.RunsOn())) {
            grantLease(scene);
            try (OperatorJar first = start(scene, "first");
                    OperatorJar second = start(awaitLeader(first, scene), "second")) {
                await().atMost(Duration.ofSeconds(60))
                        .untilAsserted(() -> assertThat(second.isReady())
                                .as("one that stands by is ready too")
                                .isTrue());
                assertThat(second.sample("rlvr_operator_leader")).hasValue(0);
                scene.create();
                scene.await(State.Running);
                assertThat(first.sample("rlvr_jobs{state=\"Running\"}")).hasValue(1);
                await().untilAsserted(() -> assertThat(second.sample("rlvr_jobs{state=\"Running\"}"))
                        .as("one that stands by sees the jobs too, so sums over replicas are wrong")
                        .hasValue(1));

                String holder = holder(scene);
                assertThat(first.stop()).isEqualTo(143);
                assertThat(holder(scene))
                        .as("the lease was given back, not waited for")
                        .isNotEqualTo(holder);
                awaitLeader(second, scene);
                scene.patchSpec("{\"lifecycle\":{\"suspend\":true}}");
                scene.await(State.Suspended);

                try (OperatorJar third = start(scene, "third")) {
                    await().atMost(Duration.ofSeconds(60))
                            .untilAsserted(() -> assertThat(third.isReady()).isTrue());
                    second.kill();
                    awaitLeader(third, scene);
                    scene.patchSpec("{\"lifecycle\":{\"suspend\":false}}");
                    scene.await(State.Running);
                }
            }
            assertThat(scene.cluster().attempts()).containsExactly(1, 2);
        }
    }

    private static String holder(Scene scene) {
        return String.valueOf(scene.client()
                .leases()
                .inNamespace(scene.namespace())
                .withName("rlvr-operator")
                .get()
                .getSpec()
                .getHolderIdentity());
    }

    @Test
    void oneThatHasLostItsLeaseEndsAtOnce() throws IOException, InterruptedException {
        try (Scene scene = Scene.open(api, _ -> new Ending.RunsOn())) {
            grantLease(scene);
            try (OperatorJar operator = start(scene, "loser")) {
                awaitLeader(operator, scene);
                scene.client()
                        .leases()
                        .inNamespace(scene.namespace())
                        .withName("rlvr-operator")
                        // the operator renews it meanwhile, so whatever version is stored
                        .patch(
                                PatchContext.of(PatchType.JSON_MERGE),
                                "{\"spec\":{\"holderIdentity\":\"somebody else\"}}");
                assertThat(operator.process().waitFor(Duration.ofSeconds(40))).isTrue();
                assertThat(operator.process().exitValue()).isEqualTo(1);
                assertThat(operator.log()).content().contains("The lease rlvr-operator was lost");
            }
        }
    }

    @Test
    void itTellsHowJobsFareAndWhichBuildItIs() throws IOException, InterruptedException {
        try (Scene scene = Scene.open(api, attempt -> attempt == 1 ? new Ending.RunsOn() : new Ending.Succeeds());
                OperatorJar operator = OperatorJar.start(
                        api,
                        scene.namespace(),
                        folder.resolve("metrics.log"),
                        Map.of("RLVR_JSON_LOGS", "true", "RLVR_COMMIT", "abc123"))) {
            scene.create();
            scene.await(State.Running);
            scene.client()
                    .batch()
                    .v1()
                    .jobs()
                    .inNamespace(scene.namespace())
                    .withName(Scene.JOB + "-1")
                    .delete();
            scene.await(State.Succeeded);

            assertThat(operator.sample("rlvr_jobs{state=\"Succeeded\"}")).hasValue(1);
            assertThat(operator.sample("rlvr_job_restarts_total{budget=\"infrastructure\",reason=\"Removed\"}"))
                    .hasValue(1);
            assertThat(operator.sample("rlvr_job_transitions_total{from=\"None\",to=\"Queued\"}"))
                    .hasValue(1);
            assertThat(operator.sample("rlvr_job_queue_wait_seconds_count").orElse(0))
                    .as("the second attempt may be over before it is seen to run")
                    .isBetween(1.0, 2.0);
            assertThat(operator.sample("rlvr_operator_leader")).hasValue(1);
            assertThat(operator.sample("rlvr_operator_build_info{commit=\"abc123\",version="))
                    .hasValue(1);
            assertThat(operator.sample("reconciliations_execution_duration_seconds_count"))
                    .isPresent();
            String told = operator.metrics();
            for (String query : ChartQueries.all()) {
                assertThat(ChartQueries.metrics(query))
                        .as(query)
                        .isNotEmpty()
                        .allSatisfy(metric -> assertThat(told).containsPattern("(?m)^" + metric + "[{ ]"));
            }
            for (String line : Files.readAllLines(operator.log())) {
                assertThat(line)
                        .startsWith("{\"timestamp\":\"")
                        .contains("\"level\":\"")
                        .endsWith("}");
            }
            assertThat(operator.log()).content().contains("commit abc123").contains("/sum attempt 2: Succeeded");
        }
    }

    @Test
    void itsVersionNamesTheCommit() throws IOException, InterruptedException {
        ProcessBuilder builder = OperatorJar.command("--version");
        builder.environment().put("RLVR_COMMIT", "abc123");
        Process process = builder.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).isZero();
        assertThat(said).matches("rlvr-operator \\d+\\.\\d+\\.\\d+(-SNAPSHOT)?, commit abc123, Java 2\\d\\S*\\n");
    }

    private OperatorJar start(Scene scene, String name) throws IOException {
        return OperatorJar.start(
                api,
                scene.namespace(),
                folder.resolve(name + ".log"),
                Map.of("RLVR_LEADER_ELECTION", "true", "RLVR_LEASE_NAMESPACE", scene.namespace()));
    }

    private static Scene awaitLeader(OperatorJar operator, Scene scene) {
        await().atMost(Duration.ofSeconds(60))
                .untilAsserted(() ->
                        assertThat(operator.sample("rlvr_operator_leader")).hasValue(1));
        return scene;
    }

    private static void grantLease(Scene scene) throws IOException {
        Role role = Serialization.unmarshal(Files.readString(LEASE_ROLE), Role.class);
        role.getMetadata().setNamespace(scene.namespace());
        scene.client().resource(role).create();
        scene.client()
                .resource(new RoleBindingBuilder()
                        .withNewMetadata()
                        .withNamespace(scene.namespace())
                        .withName("lease")
                        .endMetadata()
                        .withNewRoleRef(
                                "rbac.authorization.k8s.io",
                                "Role",
                                role.getMetadata().getName())
                        .addNewSubject("", "ServiceAccount", OperatorRights.ACCOUNT, scene.namespace())
                        .build())
                .create();
    }
}
