package dev.rlvr.e2e.scale;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** How what was measured is written down. */
final class Figures {
    private Figures() {}

    /** The operator's resident memory at some point of the run. */
    static void memory(ObjectNode figures, OperatorProcess operator, String when) throws IOException {
        ObjectNode memory = figures.withObject("/memory_mib");
        memory.putObject(when).put("now", operator.memory("VmRSS")).put("highest", operator.memory("VmHWM"));
    }

    /** How many processors each process has used since. */
    static void busy(ObjectNode phase, ProcessorTime before, Map<String, ProcessHandle> processes) {
        Map<String, Double> busy = ProcessorTime.of(processes).busySince(before);
        phase.set("processors_busy", new ObjectMapper().valueToTree(busy));
    }

    static void quantiles(ObjectNode node, List<Double> seconds) {
        Quantiles of = Quantiles.of(seconds);
        node.put("median", of.median()).put("p99", of.p99()).put("highest", of.highest());
    }

    static Map<String, Long> countByWhat(List<AuditLog.Request> requests) {
        return requests.stream()
                .collect(Collectors.groupingBy(AuditLog.Request::what, TreeMap::new, Collectors.counting()));
    }

    /** How long the API server had the requests of each sort. */
    static void latencies(ObjectNode phase, List<AuditLog.Request> requests) {
        phase.set("request_seconds", new ObjectMapper().valueToTree(AuditLog.latencies(requests)));
    }

    static void reconciles(ObjectNode phase, Histogram took) {
        phase.putObject("reconcile_seconds")
                .put("count", took.count())
                .put("p50", took.quantile(0.5))
                .put("p99", took.quantile(0.99));
    }
}
