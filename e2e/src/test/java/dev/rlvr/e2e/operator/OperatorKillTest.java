package dev.rlvr.e2e.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.e2e.ApiServer;
import dev.rlvr.e2e.RealApiServer;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The operator dies after each of the writes of a job's life in turn; a new one must end at the same place. */
@RealApiServer
class OperatorKillTest {
    /** A crash, a restart and a success, with rollout servers: every kind of write but removal by age. */
    private static Ending life(int attempt) {
        return attempt == 1 ? new Ending.Exits(1, "boom") : new Ending.Succeeds();
    }

    private final ApiServer api;

    OperatorKillTest(ApiServer api) {
        this.api = api;
    }

    /** What must not depend on when the operator died. */
    private record End(
            State state,
            int attempt,
            RLVRJobStatus.Restarts restarts,
            Set<String> conditions,
            List<Integer> attempts,
            Set<String> objects) {}

    @Test
    void killedAfterAnyWriteANewOperatorEndsAtTheSamePlace() throws InterruptedException, ExecutionException {
        List<String> writes = new ArrayList<>();
        End undisturbed = live(Integer.MAX_VALUE, writes);
        assertThat(undisturbed.attempts()).containsExactly(1, 2);
        assertThat(writes).hasSizeGreaterThan(10);
        assertThat(writes)
                .as("servers stay over a restart")
                .filteredOn(write -> write.contains("statefulsets"))
                .extracting(write -> write.substring(0, write.indexOf(' ')))
                .containsExactly("POST", "DELETE");

        try (ExecutorService lives = Executors.newFixedThreadPool(4)) {
            List<Future<End>> ends = IntStream.range(0, writes.size())
                    .mapToObj(kill -> lives.submit(() -> live(kill, new ArrayList<>())))
                    .toList();
            for (int kill = 0; kill < ends.size(); kill++) {
                assertThat(ends.get(kill).get())
                        .as("killed before write %d, %s", kill + 1, writes.get(kill))
                        .isEqualTo(undisturbed);
            }
        }
    }

    private End live(int kill, List<String> writes) {
        try (Scene scene = Scene.open(api, OperatorKillTest::life)) {
            Writes first = new Writes(kill);
            try (RunningOperator killed = RunningOperator.start(api, scene.namespace(), first)) {
                assertThat(killed.writes().sent()).isEmpty();
                scene.create("rollout: {engine: Sglang, servers: {replicas: 2, gpusPerReplica: 0}}");
                Awaiting.until(
                        "the end or death at write " + (kill + 1),
                        () -> first.dead() || ended(scene),
                        () -> scene.find().map(RLVRJob::getStatus));
            }
            try (RunningOperator second = RunningOperator.start(api, scene.namespace())) {
                scene.await(State.Succeeded);
                Awaiting.until(
                        "attempt 1 and servers gone after death at write " + (kill + 1) + " of " + first.sent(),
                        () -> scene.objects().stream()
                                .noneMatch(object -> object.equals("Job/sum-1") || object.contains("server")),
                        () -> scene.objects() + ", and the second operator had written "
                                + second.writes().sent());
                writes.addAll(first.sent());
                assertThat(second.writes().sent())
                        .noneMatch(write -> write.startsWith("DELETE") && write.contains("persistentvolumeclaims"));
                return end(scene);
            }
        }
    }

    private static boolean ended(Scene scene) {
        return scene.find()
                .filter(job -> job.getStatus() != null
                        && job.getStatus().state() != null
                        && job.getStatus().state().ended())
                .isPresent();
    }

    private static End end(Scene scene) {
        RLVRJobStatus status = scene.job().getStatus();
        RLVRJobStatus.Restarts restarts = status.restarts();
        return new End(
                status.state(),
                status.attempt(),
                new RLVRJobStatus.Restarts(
                        restarts.total(),
                        restarts.user(),
                        restarts.infrastructure(),
                        null,
                        restarts.lastFailureReason()),
                status.conditions().stream().map(OperatorKillTest::withoutTime).collect(Collectors.toSet()),
                scene.cluster().attempts(),
                scene.objects());
    }

    private static String withoutTime(Condition condition) {
        return condition.getType() + "=" + condition.getStatus() + " " + condition.getReason();
    }
}
