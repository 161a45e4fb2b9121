package dev.rlvr.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.lifecycle.PodObservation.Phase;
import dev.rlvr.lifecycle.Transition.Kind;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a job waits for that begins from another one's model or checkpoint. */
class JobSourcesTest {
    private static final String BUNDLED = "bundled://quickstart/model";

    private static List<JobObservation> base(String state, Integer step) {
        return state.equals("none")
                ? List.of()
                : List.of(new JobObservation("base", State.valueOf(state), Optional.ofNullable(step)));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', nullValues = "-", textBlock = """
            job://base                         | none       | -  | there is no RLVRJob base in the namespace yet
            job://base                         | Queued     | -  | RLVRJob base is Queued; this job begins once it has succeeded
            job://base                         | Running    | 50 | RLVRJob base is Running; this job begins once it has succeeded
            job://base                         | Suspended  | 50 | RLVRJob base is Suspended; this job begins once it has succeeded
            job://base                         | Failed     | 50 | has failed; create it anew, or name one of its checkpoints
            job://base                         | Succeeded  | -  | -
            job://base/model                   | Running    | 50 | this job begins once it has succeeded
            job://base/model                   | Succeeded  | 50 | -
            job://base/checkpoints/step-000050 | none       | -  | there is no RLVRJob base
            job://base/checkpoints/step-000050 | Running    | -  | has saved no checkpoint yet; this job begins once step 50 is saved
            job://base/checkpoints/step-000050 | Running    | 40 | is Running and has saved step 40; this job begins once step 50 is saved
            job://base/checkpoints/step-000050 | Restarting | 50 | -
            job://base/checkpoints/step-000050 | Suspended  | 60 | -
            job://base/checkpoints/step-000050 | Failed     | 40 | -
            """)
    void aModel(String source, String state, Integer step, String waitsFor) {
        waits(Scene.from(source, ""), "spec.model.source: " + source, base(state, step), waitsFor);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', nullValues = "-", textBlock = """
            job://base                         | none       | -  | there is no RLVRJob base
            job://base                         | Running    | 50 | begins once it has ended, or name one of its checkpoints
            job://base                         | Failed     | 50 | -
            job://base                         | Succeeded  | 50 | -
            job://base                         | Failed     | -  | has ended without a checkpoint
            job://base/checkpoints/step-000050 | Running    | 50 | -
            """)
    void aCheckpointToGoOnFrom(String source, String state, Integer step, String waitsFor) {
        waits(Scene.from(BUNDLED, source), "spec.checkpoint.resumeFrom: " + source, base(state, step), waitsFor);
    }

    private static void waits(Scene scene, String named, List<JobObservation> jobs, String waitsFor) {
        scene.jobs = jobs;
        Plan plan = scene.decide();
        assertThat(scene.state()).isEqualTo(State.Queued);
        if (waitsFor == null) {
            assertThat(scene.condition("Ready").getReason()).isEqualTo("Creating");
            assertThat(scene.job.getStatus().attempt()).isEqualTo(1);
            return;
        }
        assertThat(scene.condition("Ready").getReason()).isEqualTo("WaitingForSource");
        assertThat(scene.condition("Ready").getMessage()).startsWith(named).contains(waitsFor);
        assertThat(scene.condition("Reconciling").getStatus()).isEqualTo("True");
        assertThat(plan.actions()).as("it holds nothing while it waits").isEmpty();
        assertThat(plan.lookAgainAfter()).contains(Duration.ofSeconds(10));
        assertThat(scene.job.getStatus().attempt()).isNull();
        assertThat(Transition.between(Optional.empty(), plan.status()))
                .extracting(Transition::kind)
                .containsExactly(Kind.WaitingForSource);
        assertThat(scene.decide().status()).as("nothing to write again").isEqualTo(plan.status());
    }

    @Test
    void aChainOfTwoBeginsWithTheSecondOnceTheFirstHasSucceeded() {
        Scene second = Scene.from("job://base", "");
        second.decide();
        second.jobs = base("Running", 10);
        second.decide();
        second.jobs = base("Succeeded", 20);
        second.afterSeconds(10).decide();
        assertThat(second.job.getStatus().attempt()).isEqualTo(1);
    }

    @Test
    void onceItHasBegunItDoesNotNeedTheOtherJobAnyMore() {
        Scene second = Scene.from("job://base", "");
        second.jobs = base("Succeeded", 20);
        second.running();
        second.jobs = List.of();
        second.exists(second.attempt(1, Scene.pods(new Phase.Failed(Failure.ofExitCode(1, "a crash")))));
        second.decide();
        second.exists().decide();
        assertThat(second.job.getStatus().attempt()).isEqualTo(2);
    }

    @Test
    void theJobsThatSourcesNameAreNamedOnce() {
        assertThat(JobSources.names(Scene.from("job://base", "job://base/checkpoints/step-000010")
                        .job
                        .getSpec()))
                .containsExactly("base");
        assertThat(JobSources.names(Scene.of().job.getSpec())).isEmpty();
    }
}
