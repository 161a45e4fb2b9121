package dev.rlvr.e2e.chaos;

import dev.rlvr.e2e.chaos.Fate.Cost;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What has really befallen a job so far: the truth that its status is compared with, and its story for who has to read it. */
final class Life {
    private final Schedule schedule;
    private final List<Note> notes = new ArrayList<>();
    private final Map<Integer, Set<Cost>> costs = new HashMap<>();
    private final Set<String> removed = new HashSet<>();
    private final List<Flight> creations = new ArrayList<>();
    private Optional<Flight> end = Optional.empty();
    private boolean deleted;
    private int raised;

    Life(Schedule schedule) {
        this.schedule = schedule;
    }

    /** Something that happened at a {@link System#nanoTime}. */
    record Note(long at, String text) {}

    /** A request of an operator on its way through the API server, between two {@link System#nanoTime}s. */
    record Flight(Door operator, Request request, long from, long to) {
        private boolean isBeside(Flight other) {
            return !operator.equals(other.operator) && from <= other.to && other.from <= to;
        }
    }

    Schedule schedule() {
        return schedule;
    }

    synchronized void note(String text) {
        notes.add(new Note(System.nanoTime(), text));
    }

    synchronized List<Note> notes() {
        return List.copyOf(notes);
    }

    /** Something that may be charged to that budget has befallen an attempt. */
    synchronized void befell(int attempt, Cost cost) {
        costs.computeIfAbsent(attempt, number -> EnumSet.noneOf(Cost.class)).add(cost);
    }

    synchronized Set<Cost> costs(int attempt) {
        return costs.getOrDefault(attempt, Set.of());
    }

    /** Something was created, or a status that says that the job has ended was stored, perhaps not the first such. */
    synchronized void passed(Flight flight) {
        if (flight.request().creates()) {
            creations.add(flight);
        } else {
            end = end.or(() -> Optional.of(flight));
        }
    }

    /** Whether one operator was creating such an object while another one stored the end. */
    synchronized boolean isCreatedWhileItEnds(String plural) {
        return creations.stream()
                .filter(creation -> creation.request().creates(plural))
                .anyMatch(creation -> end.filter(creation::isBeside).isPresent());
    }

    /** An object was removed by somebody else than the operator. */
    synchronized void removed(String uid) {
        removed.add(uid);
    }

    synchronized boolean isRemoved(String uid) {
        return removed.contains(uid);
    }

    synchronized void deleted() {
        deleted = true;
    }

    /** Whether somebody has deleted the resource. */
    synchronized boolean isDeleted() {
        return deleted;
    }

    synchronized void raised(int by) {
        raised += by;
    }

    synchronized int raised() {
        return raised;
    }
}
