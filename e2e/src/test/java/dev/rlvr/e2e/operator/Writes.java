package dev.rlvr.e2e.operator;

import io.fabric8.kubernetes.client.http.BasicBuilder;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.Interceptor;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** Counts the writes of a client, and lets no request through once so many were sent: as if the process had been killed. */
final class Writes implements Interceptor {
    private final int limit;
    private final List<String> sent = new ArrayList<>();
    private final Set<UsedRight> used = new TreeSet<>();
    private boolean dead;

    Writes(int limit) {
        this.limit = limit;
    }

    @Override
    public synchronized void before(BasicBuilder builder, HttpRequest request, RequestTags tags) {
        UsedRight.of(request.method(), request.uri()).ifPresent(used::add);
        boolean write = !request.method().equals("GET");
        dead |= write && sent.size() == limit;
        if (dead) {
            throw new DeadException();
        }
        if (write) {
            sent.add(request.method() + " " + request.uri().getPath());
        }
    }

    /** The writes so far, as {@code POST /api/v1/...}. */
    synchronized List<String> sent() {
        return List.copyOf(sent);
    }

    /** The rights that all requests so far needed, reads included. */
    synchronized Set<UsedRight> used() {
        return new TreeSet<>(used);
    }

    /** Whether a write was refused. */
    synchronized boolean dead() {
        return dead;
    }

    /** What a killed process would not even see. */
    static final class DeadException extends RuntimeException {
        DeadException() {
            super("killed");
        }
    }
}
