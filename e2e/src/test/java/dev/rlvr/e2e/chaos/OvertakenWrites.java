package dev.rlvr.e2e.chaos;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Statuses that are still on their way when their sender, or the next operator, stores another one: each arrives right after the first that
 * differs from it. So two writers meet whatever the machine's timing, and only who compares what is stored is safe.
 */
final class OvertakenWrites {
    private final Map<String, Held> held = new ConcurrentHashMap<>();

    private record Held(String body, Runnable arrive) {}

    /** Keeps a write; one of that job that is still on its way is lost. */
    void hold(String job, String body, Runnable arrive) {
        held.put(job, new Held(body, arrive));
    }

    /** Lets what this write has overtaken arrive. */
    void stored(String job, String body) {
        Optional.ofNullable(held.get(job))
                .filter(write -> !write.body().equals(body) && held.remove(job, write))
                .ifPresent(write -> write.arrive().run());
    }
}
