package dev.rlvr.cli.console;

import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.Evaluation;
import dev.rlvr.crds.RLVRJobStatus.State;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/** Tells the story of a run: what is worth a line that stays, and the figures in between. */
public final class Narrator {
    private record Measurement(String name, int step) {}

    private final Screen screen;
    private final Set<Measurement> told = new HashSet<>();
    private String lastTrouble = "";
    private int attempt;

    /** Tells it on this screen. */
    public Narrator(Screen screen) {
        this.screen = screen;
    }

    /** What an earlier command has told already. */
    public void assume(RLVRJobStatus status) {
        evaluations(status).forEach(e -> told.add(new Measurement(e.name(), e.step())));
        attempt = Objects.requireNonNullElse(status.attempt(), 0);
    }

    /** Tells what is new. */
    public void show(RLVRJobStatus status, String phase) {
        tellTrouble(status);
        tellAttempt(status);
        tellEvaluations(status);
        screen.progress(status, phase);
    }

    private void tellTrouble(RLVRJobStatus status) {
        if (status.state() == State.Restarting) {
            String trouble = readiness(status).map(Condition::getMessage).orElse("");
            if (!trouble.equals(lastTrouble) && !trouble.isEmpty()) {
                screen.say(trouble);
            }
            lastTrouble = trouble;
        }
    }

    private void tellAttempt(RLVRJobStatus status) {
        int now = Objects.requireNonNullElse(status.attempt(), 0);
        if (now > attempt) {
            attempt = now;
            if (status.checkpoint() != null) {
                screen.say("Goes on from step " + status.checkpoint().step() + " (attempt " + now + ").");
            } else if (now > 1) {
                screen.say("Starts again: there was no checkpoint yet (attempt " + now + ").");
            }
        }
    }

    private void tellEvaluations(RLVRJobStatus status) {
        for (Evaluation e : evaluations(status)) {
            if (told.add(new Measurement(e.name(), e.step()))) {
                screen.say("evaluation after step " + e.step() + ": " + e.name() + " " + Figures.percent(e.avgAtK())
                        + " (" + Figures.measure(e) + ")");
            }
        }
    }

    private static List<Evaluation> evaluations(RLVRJobStatus status) {
        return status.evaluation() == null ? List.of() : status.evaluation();
    }

    private static Optional<Condition> readiness(RLVRJobStatus status) {
        return status.conditions() == null
                ? Optional.empty()
                : status.conditions().stream()
                        .filter(condition -> condition.getType().equals("Ready"))
                        .findFirst();
    }
}
