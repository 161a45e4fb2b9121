package dev.rlvr.e2e.chaos;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How far watches have got, by their path: where a replay can begin. */
final class Positions {
    private static final Pattern VERSION = Pattern.compile("\"resourceVersion\":\"([0-9]+)\"");
    private static final int KEPT = 40;

    private final Map<String, Deque<Long>> passed = new HashMap<>();

    synchronized void pass(String path, String event) {
        Matcher version = VERSION.matcher(event);
        if (version.find()) {
            Deque<Long> at = passed.computeIfAbsent(path, key -> new ArrayDeque<>());
            at.add(Long.parseLong(version.group(1)));
            if (at.size() > KEPT) {
                at.removeFirst();
            }
        }
    }

    /** A position that was passed before that one. */
    synchronized OptionalLong before(String path, long position, RandomGenerator random) {
        List<Long> earlier = passed.getOrDefault(path, new ArrayDeque<>()).stream()
                .filter(at -> at < position)
                .toList();
        return earlier.isEmpty() ? OptionalLong.empty() : OptionalLong.of(earlier.get(random.nextInt(earlier.size())));
    }
}
