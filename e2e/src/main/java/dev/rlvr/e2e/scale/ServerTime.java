package dev.rlvr.e2e.scale;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How long the API server itself had the requests of each reconcile: an operator that costs nothing would be no faster. */
final class ServerTime {
    private static final String STATUS = "patch rlvrjobs/status";

    private ServerTime() {}

    /**
     * Finds the reconciles in what was logged: each reads, then stores the status, then writes the rest, so where one of a job's requests
     * belongs before the last one, another reconcile has begun.
     *
     * @param requests of all jobs, in any order
     * @param job finds a job's name in what a request is about
     * @return seconds of each, requests at the same time counted once
     */
    static List<Double> ofReconciles(List<AuditLog.Request> requests, Pattern job) {
        Map<String, List<AuditLog.Request>> byJob = new TreeMap<>();
        requests.stream()
                .sorted(Comparator.comparing(AuditLog.Request::received))
                .forEach(request -> {
                    Matcher name = job.matcher(request.about());
                    if (name.find()) {
                        byJob.computeIfAbsent(name.group(), _ -> new ArrayList<>())
                                .add(request);
                    }
                });
        return byJob.values().stream()
                .flatMap(all -> reconciles(all).stream())
                .map(ServerTime::seconds)
                .toList();
    }

    private static List<List<AuditLog.Request>> reconciles(List<AuditLog.Request> ofJob) {
        List<List<AuditLog.Request>> reconciles = new ArrayList<>();
        int last = Integer.MAX_VALUE;
        for (AuditLog.Request request : ofJob) {
            int stage = stage(request);
            if (stage < last || (stage == last && request.what().equals(STATUS))) {
                reconciles.add(new ArrayList<>());
            }
            reconciles.getLast().add(request);
            last = stage;
        }
        return reconciles;
    }

    private static int stage(AuditLog.Request request) {
        if (!request.write()) {
            return 0;
        }
        return request.what().equals(STATUS) ? 1 : 2;
    }

    /** In the order in which they arrived. */
    private static double seconds(List<AuditLog.Request> requests) {
        Duration busy = Duration.ZERO;
        Instant until = Instant.MIN;
        for (AuditLog.Request request : requests) {
            Instant begin = request.received().isAfter(until) ? request.received() : until;
            Instant end = request.received().plus(request.took());
            if (end.isAfter(begin)) {
                busy = busy.plus(Duration.between(begin, end));
                until = end;
            }
        }
        return busy.toNanos() / 1e9;
    }
}
