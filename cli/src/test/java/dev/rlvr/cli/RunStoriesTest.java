package dev.rlvr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.rlvr.cli.CommandLineProcess.Finished;
import dev.rlvr.cli.CommandLineProcess.World;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a user of {@code rlvr run} lives through. */
@Tag("slow")
class RunStoriesTest {
    @TempDir
    private Path folder;

    @Test
    void aRunShowsItsStepsAndEndsWithResultsModelAndReportAndIsNotRunAgain() throws Exception {
        World world = World.in(folder);

        Finished run = world.run("run", "job.yaml");

        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out())
                .contains("default/story in runs/default-story")
                .containsPattern(
                        "step 12/12 reward 0\\.\\d\\d entropy 0\\.\\d{3} threshold 0\\.\\d{3} kept 20\\.0 % 2,310 tok/s")
                .containsPattern("held-out +avg@8, 300 problems +34\\.0 % +93\\.0 % +\\+59\\.0 points")
                .contains("trained model  runs/default-story/model")
                .contains("report         runs/default-story/report.html");
        assertThat(status(world).path("state").asText()).isEqualTo("Succeeded");
        assertThat(world.work().resolve("logs/attempt-1.log")).content().contains("attempt 1");
        assertThat(world.work().resolve("pictures/overview.png")).isNotEmptyFile();

        assertThat(world.run("status").out())
                .containsPattern("NAME +STATE +STEP +REWARD +ENTROPY +TOK/S +RESTARTS +AGE")
                .containsPattern("story +Succeeded +12 +0\\.\\d{3} +0\\.\\d{4} +2310 +0 ")
                .containsPattern("Complete +True +Succeeded");

        Finished again = world.run("run", "job.yaml");
        assertThat(again.exitCode()).isZero();
        assertThat(again.out()).contains("This job is done: 12 steps.").contains("--fresh");

        Path manifest = folder.resolve("job.yaml");
        Files.writeString(manifest, Files.readString(manifest).replace("steps: 12", "steps: 14"));
        Finished other = world.run("run", "job.yaml");
        assertThat(other.exitCode()).isEqualTo(2);
        assertThat(other.err()).contains("--fresh").contains("  spec.algorithm.steps: 12, now 14");
        assertThat(world.work().resolve("logs/attempt-2.log")).doesNotExist();
    }

    @Test
    void eachReplicaIsALauncherThatKnowsWhereTheFirstListensAndHowManyCoresItHas() throws Exception {
        World world = World.in(folder);
        Path manifest = folder.resolve("job.yaml");
        Files.writeString(
                manifest,
                Files.readString(manifest)
                        .replace("gpusPerReplica: 0", "gpusPerReplica: 0, replicas: 2, ranksPerReplica: 64"));

        Finished run = world.run("run", "job.yaml");

        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(world.work().resolve("logs/attempt-1-pod-1.log"))
                .content()
                .matches(
                        "\\{OMP_NUM_THREADS=1, RLVR_RENDEZVOUS=127\\.0\\.0\\.1:\\d+, RLVR_REPLICA=1, RLVR_THREADS=1}\\s+");
    }

    private static final Pattern SERVER =
            Pattern.compile("--model\\|bundled://model\\|--host\\|127\\.0\\.0\\.1\\|--port\\|(\\d+)\\|--precision\\|F32"
                    + "\\|--threads\\|3\\|--rows\\|64");

    private static List<String> portsOf(World world, int server) throws IOException {
        String log = Files.readString(world.work().resolve("logs/server-" + server + ".log"));
        return SERVER.matcher(log).results().map(match -> match.group(1)).toList();
    }

    private static World served(Path folder, String... behaviour) throws IOException {
        World world = World.in(folder, behaviour);
        Path manifest = folder.resolve("job.yaml");
        Files.writeString(
                manifest,
                Files.readString(manifest)
                        .replace("gpusPerReplica: 0", "gpusPerReplica: 0, threadsPerRank: 3")
                        .replace(
                                "rollout: {",
                                "rollout: {engine: Sglang, servers: {replicas: 2, gpusPerReplica: 0,"
                                        + " extraArgs: [--rows, '64']}, "));
        return world;
    }

    @Test
    void rolloutServersAreProcessesThatAllAttemptsFindAndThatGoWithTheRun() throws Exception {
        World world = served(folder, "crashAfterStep=6", "crashAttempts=1");

        CommandLineProcess started = world.start("run", "job.yaml");
        Finished run = started.finish();

        assertThat(run.exitCode()).as(run.err() + run.out()).isZero();
        List<String> ports =
                List.of(portsOf(world, 0).getFirst(), portsOf(world, 1).getFirst());
        assertThat(portsOf(world, 0))
                .as("starts of server 0, over two attempts")
                .hasSize(1);
        for (int attempt = 1; attempt <= 2; attempt++) {
            assertThat(world.work().resolve("logs/attempt-" + attempt + ".log"))
                    .content()
                    .contains("servers http://127.0.0.1:%s,http://127.0.0.1:%s"
                            .formatted(ports.getFirst(), ports.getLast()));
        }
        assertThat(ProcessHandle.allProcesses()
                        .filter(process -> process.info()
                                .commandLine()
                                .filter(line -> line.contains("--port " + ports.getFirst()))
                                .isPresent()))
                .isEmpty();
    }

    @Test
    void aRolloutServerThatEndsIsStartedAgainAtItsPort() throws Exception {
        World world = served(folder, "stepMillis=300");
        Files.createFile(folder.resolve("checkout/examples/fragile-servers"));

        Finished run = world.run("run", "job.yaml");

        assertThat(run.exitCode()).as(run.err() + run.out()).isZero();
        assertThat(portsOf(world, 1)).hasSize(2);
        assertThat(Set.copyOf(portsOf(world, 1))).hasSize(1);
        assertThat(status(world).path("attempt").asInt()).isEqualTo(1);
    }

    @Test
    void aCrashedTrainerIsRestartedFromItsCheckpoint() throws Exception {
        World world = World.in(folder, "crashAfterStep=6", "crashAttempts=1");

        Finished run = world.run("run", "job.yaml");

        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out())
                .contains("the loss of step 6 is not a number")
                .contains("Goes on from step 4 (attempt 2).")
                .contains("12 steps, 2 attempts");
        assertThat(status(world).path("restarts").path("total").asInt()).isEqualTo(1);
        assertThat(stepsOf(world)).containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    }

    @Test
    void aTrainerThatKeepsCrashingEndsTheJobWithItsLastLinesUntilItIsStartedAnew() throws Exception {
        World world = World.in(folder, "crashAfterStep=2", "crashAttempts=9");
        world.manifest("  lifecycle: {restarts: {user: 1}}\n");

        Finished run = world.run("run", "job.yaml");

        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.out())
                .contains("The job failed: the loss of step 2 is not a number")
                .contains("Last lines of runs/default-story/logs/attempt-2.log:")
                .contains("IllegalStateException: the loss is not a number");
        assertThat(world.run("run", "job.yaml").exitCode()).isEqualTo(1);

        world.behave();
        Finished fresh = world.run("run", "job.yaml", "--fresh");
        assertThat(fresh.exitCode()).as(fresh.err()).isZero();
        assertThat(fresh.out()).contains("The earlier run is kept in runs/default-story.before-1");
        assertThat(folder.resolve("runs/default-story.before-1/logs/attempt-2.log"))
                .exists();
        assertThat(status(world).path("attempt").asInt()).isEqualTo(1);
    }

    @Test
    void aWrongManifestIsRefusedBeforeAnythingStarts() throws Exception {
        World world = World.in(folder);
        world.manifest("  algoritm: {}\n");

        Finished run = world.run("run", "job.yaml");

        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.err().lines()).hasSize(1).first().asString().contains("algoritm");
        assertThat(folder.resolve("runs")).doesNotExist();
    }

    @Test
    void whatTheTrainersCheckFindsIsRefusedBeforeAnythingStarts() throws Exception {
        World world = World.in(folder, "badInput=spec.data.source: line 3 is not JSON");

        Finished run = world.run("run", "job.yaml");

        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.err().strip()).isEqualTo("spec.data.source: line 3 is not JSON");
        assertThat(world.work()).doesNotExist();
    }

    @Test
    void whatSourcesOfAHubAreIsSettledOnceForTheRun() throws Exception {
        World world = World.in(folder, "crashAfterStep=5", "crashAttempts=1");
        world.replace("bundled://model", "hf://org/tiny");

        Finished run = world.run("run", "job.yaml");

        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out()).containsOnlyOnce("model.safetensors: 10 of 10 MB");
        Path noted = world.work().toRealPath().resolve("sources.json");
        assertThat(noted).hasContent("{\"hf://org/tiny@main\": \"0123\"}");
        for (int attempt = 1; attempt <= 2; attempt++) {
            assertThat(world.work().resolve("logs/attempt-" + attempt + ".log"))
                    .content()
                    .contains("sources " + noted);
        }
        assertThat(world.run("run", "job.yaml", "--fresh").out())
                .as("a fresh run asks afresh")
                .contains("10 of 10 MB")
                .doesNotContain("again");
    }

    @Test
    void aModelThatAHubDoesNotHaveIsRefusedBeforeAnythingStarts() throws Exception {
        World world = World.in(folder);
        world.replace("bundled://model", "hf://org/tiny");
        Files.createFile(folder.resolve("checkout/examples/no-such-model"));

        Finished run = world.run("run", "job.yaml");

        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.err().strip()).isEqualTo("spec.model.source: hf://org/tiny does not exist");
        assertThat(world.work()).doesNotExist();
    }

    @Test
    void ctrlCWritesACheckpointAndTheSameCommandGoesOnAtNoCost() throws Exception {
        World world = World.in(folder, "endlessStep=6");

        Finished stopped =
                world.start("run", "job.yaml").until("step 5/12").interrupt().finish();

        assertThat(stopped.exitCode()).isEqualTo(130);
        assertThat(stopped.out())
                .contains("Stopped after step 5 of 12; the checkpoint of step 5 is in")
                .contains("./rlvr run job.yaml");
        assertThat(status(world).path("state").asText()).isEqualTo("Suspended");

        world.behave();
        Finished goneOn = world.run("run", "job.yaml");

        assertThat(goneOn.exitCode()).as(goneOn.err()).isZero();
        assertThat(goneOn.out()).contains("Goes on from step 5 (attempt 2).");
        assertThat(status(world).path("restarts").path("total").asInt()).isZero();
    }

    @Test
    void aKilledCommandTakesItsTrainerAlongAndTheNextGoesOn() throws Exception {
        World world = World.in(folder, "endlessStep=6");
        CommandLineProcess run = world.start("run", "job.yaml").until("step 5/12");
        run.kill();

        world.behave();
        Finished next = world.run("run", "job.yaml");

        assertThat(next.exitCode()).as(next.err()).isZero();
        assertThat(ProcessHandle.of(trainerOf(world, 1)).filter(ProcessHandle::isAlive))
                .isEmpty();
        assertThat(status(world).path("restarts").path("total").asInt()).isZero();
        assertThat(stepsOf(world)).containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    }

    @Test
    void aTrainerThatOutlivedItsCommandIsStoppedBeforeTheNextStarts() throws Exception {
        World world = World.in(folder, "endlessStep=6", "deaf=true");
        world.start("run", "job.yaml").until("step 5/12").kill();
        ProcessHandle leftBehind = ProcessHandle.of(trainerOf(world, 1)).orElseThrow();
        assertThat(leftBehind.isAlive()).isTrue();

        world.behave();
        Finished next = world.run("run", "job.yaml");

        assertThat(next.exitCode()).as(next.err()).isZero();
        assertThat(leftBehind.isAlive()).isFalse();
        assertThat(next.out()).contains("Goes on from step 5 (attempt 2).");
    }

    @Test
    void aSecondCtrlCEndsATrainerThatDoesNotStop() throws Exception {
        World world = World.in(folder, "endlessStep=6", "stubborn=true");

        Finished stopped = world.start("run", "job.yaml")
                .until("step 5/12")
                .interrupt()
                .until("Stopping:")
                .interrupt()
                .finish();

        assertThat(stopped.exitCode()).isEqualTo(130);
        assertThat(stopped.out()).contains("the checkpoint of step 4 is in");
        assertThat(ProcessHandle.of(trainerOf(world, 1)).filter(ProcessHandle::isAlive))
                .isEmpty();
    }

    @Test
    void oneFolderIsForOneCommandAtATime() throws Exception {
        World world = World.in(folder, "endlessStep=6");
        CommandLineProcess first = world.start("run", "job.yaml").until("step 5/12");

        Finished second = world.run("run", "job.yaml");

        assertThat(second.exitCode()).isEqualTo(2);
        assertThat(second.err()).contains("in use by another rlvr (process " + first.pid() + ")");
        assertThat(first.interrupt().finish().exitCode()).isEqualTo(130);
    }

    @Test
    void aFolderWithSomebodyElsesFilesIsLeftAlone() throws Exception {
        World world = World.in(folder);
        Path theirs = Files.createDirectories(folder.resolve("thesis"));
        Files.writeString(theirs.resolve("thesis.tex"), "important");

        Finished run = world.run("run", "job.yaml", "--work", "thesis", "--fresh");

        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.err()).contains("thesis is not empty");
        try (Stream<Path> content = Files.list(theirs)) {
            assertThat(content).containsExactly(theirs.resolve("thesis.tex"));
        }
    }

    private static JsonNode status(World world) throws IOException {
        return new ObjectMapper().readTree(world.work().resolve("status.json").toFile());
    }

    private static List<Integer> stepsOf(World world) throws IOException {
        ObjectMapper json = new ObjectMapper();
        return Files.readAllLines(world.work().resolve("metrics.jsonl")).stream()
                .map(line -> {
                    try {
                        return json.readTree(line).path("step").asInt();
                    } catch (IOException e) {
                        throw new AssertionError(line, e);
                    }
                })
                .toList();
    }

    private static long trainerOf(World world, int attempt) throws IOException {
        Matcher pid = Pattern.compile("as process (\\d+)")
                .matcher(Files.readString(world.work().resolve("logs/attempt-" + attempt + ".log")));
        assertThat(pid.find()).isTrue();
        return Long.parseLong(pid.group(1));
    }
}
