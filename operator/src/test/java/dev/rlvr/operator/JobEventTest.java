package dev.rlvr.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.Manifest;
import dev.rlvr.crds.RLVRJob;
import dev.rlvr.lifecycle.Transition;
import dev.rlvr.lifecycle.Transition.Kind;
import io.fabric8.kubernetes.api.model.events.v1.Event;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class JobEventTest {
    private static final Instant NOW = Instant.parse("2026-03-01T12:00:00.123456789Z");

    private static Event event(String resourceVersion, Kind kind, String message) {
        RLVRJob job = Manifest.parse("""
                apiVersion: rlvr.dev/v1alpha1
                kind: RLVRJob
                metadata: {name: sum, namespace: team-a}
                spec:
                  model: {source: bundled://quickstart/model}
                  data: {source: bundled://quickstart/train.jsonl}
                  reward: {verifier: Numeric}
                """, "sum.yaml");
        job.getMetadata().setUid("1-2");
        job.getMetadata().setResourceVersion(resourceVersion);
        return JobEvent.of(new Ownership(job), new Transition(kind, message, 2), Optional.empty(), "operator-0", NOW);
    }

    @Test
    void anEventSaysWhatHappenedToWhichJob() {
        Event event = event("7", Kind.Restarting, "attempt 2 failed");
        assertThat(event.getMetadata().getNamespace()).isEqualTo("team-a");
        assertThat(event.getType()).isEqualTo("Warning");
        assertThat(event.getReason()).isEqualTo("Restarting");
        assertThat(event.getNote()).isEqualTo("attempt 2 failed");
        assertThat(event.getRegarding().getKind()).isEqualTo("RLVRJob");
        assertThat(event.getRegarding().getUid()).isEqualTo("1-2");
        assertThat(event.getReportingController()).isEqualTo("rlvr.dev/operator");
        assertThat(event.getEventTime().getTime()).isEqualTo("2026-03-01T12:00:00.123456Z");
    }

    @Test
    void theSameTransitionHasTheSameNameAndAnotherOneAnother() {
        String name = event("7", Kind.Started, "").getMetadata().getName();
        assertThat(name)
                .startsWith("sum.")
                .isEqualTo(event("7", Kind.Started, "").getMetadata().getName());
        assertThat(name)
                .isNotEqualTo(event("8", Kind.Started, "").getMetadata().getName())
                .isNotEqualTo(event("7", Kind.Resumed, "").getMetadata().getName());
    }

    @ParameterizedTest
    @EnumSource
    void onlyFailuresWarn(Kind kind) {
        Event event = event("7", kind, "");
        assertThat(event.getType()).isEqualTo(kind == Kind.Restarting || kind == Kind.Failed ? "Warning" : "Normal");
        assertThat(event.getAction()).isNotBlank();
    }

    @Test
    void aLongNoteIsCutToWhatTheApiServerTakesBetweenTwoCharacters() {
        String note = event("7", Kind.Failed, "a" + "😀".repeat(600)).getNote();
        assertThat(note.getBytes(StandardCharsets.UTF_8).length).isBetween(1000, 1024);
        assertThat(note).endsWith("😀");
    }
}
