package dev.rlvr.e2e.chaos;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.Restarts;
import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.e2e.chaos.Fate.Cost;
import dev.rlvr.e2e.chaos.History.Version;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.Watcher.Action;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What the operator promises, checked version by version against the history of one job and what has really befallen it. */
final class Promises {
    private static final int CONDITIONS = 10;
    private static final Set<String> TRAINERS = Set.of("f:progress", "f:checkpoint", "f:evaluation");
    private static final Set<String> DEADLINES = Set.of("StartDeadlineExceeded", "Stalled");

    private final Life life;
    private final Map<String, HasMetadata> present = new LinkedHashMap<>();
    private final Map<Integer, Job> created = new HashMap<>();
    private final Set<Integer> charged = new HashSet<>();
    private final List<String> broken = new ArrayList<>();
    private Optional<RLVRJobStatus> stored = Optional.empty();

    private Promises(Life life) {
        this.life = life;
    }

    /** What was not kept, in a sentence each. */
    static List<String> broken(Life life, List<Version> versions) {
        Promises promises = new Promises(life);
        versions.forEach(promises::next);
        return promises.broken;
    }

    private void require(boolean holds, Version version, String violation) {
        if (!holds) {
            broken.add("revision %d, %s: %s".formatted(version.revision(), version, violation));
        }
    }

    private void next(Version version) {
        switch (version.object()) {
            case RLVRJob job
            when version.action() != Action.DELETED ->
                Optional.ofNullable(job.getStatus()).ifPresent(status -> status(version, status));
            case Job job when version.action() == Action.ADDED -> attempt(version, job);
            case Pod _, RLVRJob _ -> {}
            default -> {
                if (version.action() == Action.ADDED) {
                    requireAlive(version);
                }
            }
        }
        if (version.action() == Action.DELETED) {
            present.remove(version.uid());
        } else {
            present.put(version.uid(), version.object());
        }
    }

    private void requireAlive(Version version) {
        require(
                !ended() || life.isCreatedWhileItEnds(version.object().getPlural()),
                version,
                "was created after the end");
    }

    private boolean ended() {
        return stored.map(RLVRJobStatus::state).filter(State::ended).isPresent();
    }

    private void attempt(Version version, Job job) {
        requireAlive(version);
        int number = Hands.attempt(job).orElse(0);
        Integer announced = stored.map(RLVRJobStatus::attempt).orElse(null);
        require(
                Integer.valueOf(number).equals(announced),
                version,
                "attempt %d begins where the status says %s".formatted(number, announced));
        require(
                stored.map(RLVRJobStatus::attemptStartTime).isPresent(),
                version,
                "attempt %d begins though it is over".formatted(number));
        present.values().stream()
                .filter(other -> (other instanceof Job || other instanceof Pod)
                        && Hands.attempt(other).isPresent())
                .forEach(other ->
                        require(false, version, "two attempts at once: %s is still there".formatted(name(other))));
        Job before = created.put(number, job);
        if (before != null) {
            require(
                    life.isRemoved(before.getMetadata().getUid()),
                    version,
                    "attempt %d was made twice".formatted(number));
            require(
                    before.getSpec()
                            .getTemplate()
                            .getSpec()
                            .getContainers()
                            .equals(job.getSpec().getTemplate().getSpec().getContainers()),
                    version,
                    "attempt %d was made again, and differs".formatted(number));
        }
    }

    private static String name(HasMetadata object) {
        return object.getKind() + " " + object.getMetadata().getName();
    }

    private void status(Version version, RLVRJobStatus next) {
        stored.ifPresent(last -> {
            if (last.state() != null) {
                kept(version, last, next);
                ends(version, last, next);
            }
            trainers(version, last, next);
        });
        if (next.state() != null) {
            restarts(version, stored.map(RLVRJobStatus::restarts).orElse(Restarts.NONE), next);
        }
        stored = Optional.of(next);
    }

    private void kept(Version version, RLVRJobStatus last, RLVRJobStatus next) {
        require(
                next.state() != null
                        && next.restarts() != null
                        && next.conditions() != null
                        && next.conditions().size() == CONDITIONS,
                version,
                "the operator's part of the status is lost: " + next);
        require(number(next.attempt()) >= number(last.attempt()), version, "the attempt's number goes back");
        require(number(next.attempt()) <= number(last.attempt()) + 1, version, "an attempt's number is left out");
        require(
                last.startTime() == null || last.startTime().equals(next.startTime()),
                version,
                "the start time changes from %s to %s".formatted(last.startTime(), next.startTime()));
        require(
                last.observedGeneration() == null
                        || (next.observedGeneration() != null
                                && next.observedGeneration() >= last.observedGeneration()),
                version,
                "the observed generation goes back");
    }

    private void ends(Version version, RLVRJobStatus last, RLVRJobStatus next) {
        if (last.state().ended()) {
            require(last.state() == next.state(), version, "the end is not final: " + next.state());
            require(Objects.equals(last.completionTime(), next.completionTime()), version, "the end moves");
            require(Objects.equals(last.restarts(), next.restarts()), version, "restarts change after the end");
        } else if (next.state() != null && next.state().ended()) {
            require(next.completionTime() != null, version, "an end without a time");
            String reason = reason(next);
            Set<Cost> costs = life.costs(number(next.attempt()));
            boolean exhausted = next.restarts() != null
                    && (DEADLINES.contains(reason) || costs.contains(Cost.User) || costs.contains(Cost.Infrastructure));
            require(
                    next.state() == State.Succeeded || costs.contains(Cost.TheJob) || exhausted,
                    version,
                    "failed for %s where only %s happened to attempt %s".formatted(reason, costs, next.attempt()));
        }
    }

    private void trainers(Version version, RLVRJobStatus last, RLVRJobStatus next) {
        int before = last.progress() == null ? 0 : last.progress().step();
        int after = next.progress() == null ? 0 : next.progress().step();
        require(after >= before, version, "progress is lost: step %d after %d".formatted(after, before));
        before = last.checkpoint() == null ? 0 : last.checkpoint().step();
        after = next.checkpoint() == null ? 0 : next.checkpoint().step();
        require(after >= before, version, "a checkpoint is lost: step %d after %d".formatted(after, before));
        require(!operatorClaimsTrainers(version), version, "the operator claims what is the trainer's");
    }

    /** Whether the operator's applies have named one of the trainer's fields of the status. */
    private static boolean operatorClaimsTrainers(Version version) {
        return version.object().getMetadata().getManagedFields().stream()
                .filter(entry -> "rlvr-operator".equals(entry.getManager()))
                .map(entry -> entry.getFieldsV1().getAdditionalProperties().get("f:status"))
                .anyMatch(owned ->
                        owned instanceof Map<?, ?> status && TRAINERS.stream().anyMatch(status::containsKey));
    }

    private void restarts(Version version, Restarts last, RLVRJobStatus status) {
        Restarts next = Objects.requireNonNullElse(status.restarts(), Restarts.NONE);
        require(next.total() >= last.total(), version, "restarts are forgotten: %s after %s".formatted(next, last));
        Schedule schedule = life.schedule();
        require(
                next.user() <= schedule.userBudget() + life.raised()
                        && next.infrastructure() <= schedule.infrastructureBudget(),
                version,
                "beyond the budget: " + next);
        if (next.total() == last.total()) {
            return;
        }
        int attempt = number(status.attempt());
        require(next.total() == last.total() + 1, version, "one failure is charged twice: " + next);
        require(charged.add(attempt), version, "attempt %d is charged twice".formatted(attempt));
        // a checkpoint of the attempt that failed gives both budgets back in the same write
        boolean user = next.user() > last.user() || (next.user() == 1 && next.infrastructure() == 0);
        String reason = reason(status);
        require(
                life.costs(attempt).contains(user ? Cost.User : Cost.Infrastructure) || DEADLINES.contains(reason),
                version,
                "%s is charged to the %s where only %s happened to attempt %d"
                        .formatted(reason, user ? "user" : "infrastructure", life.costs(attempt), attempt));
    }

    private static int number(@Nullable Integer attempt) {
        return attempt == null ? 0 : attempt;
    }

    private static String reason(RLVRJobStatus status) {
        return Optional.ofNullable(status.conditions()).orElse(List.of()).stream()
                .filter(condition -> condition.getType().equals("Ready"))
                .map(Condition::getReason)
                .findFirst()
                .orElse("");
    }
}
