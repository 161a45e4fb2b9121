package dev.rlvr.e2e.chaos;

import io.vertx.core.buffer.Buffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;

/** Lists as they once were. An API server that has lagged behind answers so, where any age will do: resourceVersion=0, or a cache's first list. */
final class OldLists {
    private static final int KEPT = 20;

    private final Map<String, List<Buffer>> bodies = new HashMap<>();

    synchronized void keep(String uri, Buffer body) {
        List<Buffer> kept = bodies.computeIfAbsent(uri, key -> new ArrayList<>());
        kept.add(body);
        if (kept.size() > KEPT) {
            kept.removeFirst();
        }
    }

    synchronized Optional<Buffer> old(String uri, RandomGenerator random) {
        List<Buffer> kept = bodies.getOrDefault(uri, List.of());
        return kept.isEmpty() ? Optional.empty() : Optional.of(kept.get(random.nextInt(kept.size())));
    }
}
