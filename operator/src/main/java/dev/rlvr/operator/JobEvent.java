package dev.rlvr.operator;

import dev.rlvr.lifecycle.Transition;
import io.fabric8.kubernetes.api.model.MicroTime;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.api.model.events.v1.Event;
import io.fabric8.kubernetes.api.model.events.v1.EventBuilder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Optional;
import java.util.UUID;

/** The event that tells people of one transition. */
final class JobEvent {
    static final String CONTROLLER = "rlvr.dev/operator";

    /** Bytes of UTF-8 that the API server takes as a note. */
    private static final int LONGEST_NOTE = 1024;

    private static final DateTimeFormatter MICROS =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'").withZone(ZoneOffset.UTC);

    private JobEvent() {}

    /**
     * Makes the event. Its name is a function of the job as it was stored before the transition and of what happened: the same transition,
     * told twice, is the same event.
     *
     * @param owner the job with the resourceVersion that it had before
     * @param attempt the attempt's Job, where it exists
     * @param instance which operator tells
     */
    static Event of(
            Ownership owner, Transition transition, Optional<ObjectReference> attempt, String instance, Instant now) {
        return new EventBuilder()
                .withNewMetadata()
                .withNamespace(owner.namespace())
                .withName(name(owner, transition))
                .endMetadata()
                .withType(transition.kind().warns() ? "Warning" : "Normal")
                .withReason(transition.kind().name())
                .withAction(action(transition.kind()))
                .withNote(note(transition.message()))
                .withRegarding(new ObjectReferenceBuilder()
                        .withApiVersion(owner.job().getApiVersion())
                        .withKind(owner.job().getKind())
                        .withNamespace(owner.namespace())
                        .withName(owner.name())
                        .withUid(owner.job().getMetadata().getUid())
                        .build())
                .withRelated(attempt.orElse(null))
                .withEventTime(new MicroTime(MICROS.format(now)))
                .withReportingController(CONTROLLER)
                .withReportingInstance(instance)
                .build();
    }

    private static String name(Ownership owner, Transition transition) {
        String what = "%s/%s/%s/%d"
                .formatted(
                        owner.job().getMetadata().getUid(),
                        owner.job().getMetadata().getResourceVersion(),
                        transition.kind(),
                        transition.attempt());
        UUID digest = UUID.nameUUIDFromBytes(what.getBytes(StandardCharsets.UTF_8));
        return "%s.%016x".formatted(owner.name(), digest.getMostSignificantBits());
    }

    /** What the operator does about it. */
    private static String action(Transition.Kind kind) {
        return switch (kind) {
            case Started, Resumed -> "StartAttempt";
            case Restarting, Evicted, Suspending -> "StopAttempt";
            case WaitingForSource, WaitingForQuota, Suspended -> "Wait";
            case QuotaReserved, Running -> "Observe";
            case Succeeded, Failed -> "EndJob";
        };
    }

    private static String note(String message) {
        String note = message;
        while (note.getBytes(StandardCharsets.UTF_8).length > LONGEST_NOTE) {
            int length = Math.min(note.length() - 1, LONGEST_NOTE);
            // never half a surrogate pair
            note = note.substring(0, Character.isHighSurrogate(note.charAt(length - 1)) ? length - 1 : length);
        }
        return note;
    }
}
