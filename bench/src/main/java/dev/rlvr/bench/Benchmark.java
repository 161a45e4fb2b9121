package dev.rlvr.bench;

import java.util.List;

/**
 * A piece of work that ours and the peers do.
 *
 * @param name {@code training-8m-f32}: its first word is what a user asks for to get all of a kind
 * @param what for people, in one line
 * @param work how much of {@code unit} a round is: tokens, bytes
 * @param memory what the figure of memory means
 * @param tolerance by how much the checks of both sides may differ, relative; infinite where they cannot be compared
 * @param warmups rounds that are not counted
 * @param rounds rounds that are
 * @param ours our side
 * @param peers at least one
 */
record Benchmark(
        String name,
        String what,
        double work,
        String unit,
        String memory,
        double tolerance,
        int warmups,
        int rounds,
        Contestant ours,
        List<Contestant> peers) {
    Benchmark {
        peers = List.copyOf(peers);
    }

    /** Whether a user who asks for {@code asked} means this one. */
    boolean is(String asked) {
        return name.equals(asked) || name.startsWith(asked + "-");
    }

    Benchmark withRounds(int count, int unmeasured) {
        return new Benchmark(name, what, work, unit, memory, tolerance, unmeasured, count, ours, peers);
    }
}
