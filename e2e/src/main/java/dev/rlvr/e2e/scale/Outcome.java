package dev.rlvr.e2e.scale;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;

/**
 * What a run has found.
 *
 * @param targets what was wanted and what is
 * @param figures all that was measured
 */
record Outcome(Targets targets, ObjectNode figures) {
    /** Both for people, in Markdown. */
    String page(String where) {
        return """
            %s, %d jobs of %d pods in %d namespaces:

            %s
            | | |
            | --- | --- |
            | bare client: created → Job and all pods; deletion | %.1f jobs/s with %d requests a job; %.1f jobs/s |
            | created → Job; → all pods; → `Running`, median and p99 | %s; %s; %s s |
            | all jobs `Running` | %.1f jobs/s |
            | requests of the operator for a job | %.1f |
            | reconciles while all are created at once; median, p99 | %.0f; %.0f, %.0f ms |
            | at %.1f new jobs a second: median, p99; created → `Running`, median and p99 | %.0f, %.0f ms; %s s |
            | the API server's own time for that, median and p99 | a reconcile %s; Role %s, RoleBinding %s; lists of Jobs %s, of pods %s; status %s ms |
            | memory (RSS) with all jobs; after the restart; at the end | %.0f; %.0f; %.0f MiB |
            | restart → first reconcile; all caches full; all jobs reconciled | %.1f; %.1f; %.1f s |
            | restart → a new job runs; one that has ended meanwhile is `Succeeded`; a bare client reads as much | %.1f; %.1f; %.1f s |
            | deletion with the operator, without it | %.1f, %.1f jobs/s |
            | end of 429 → all jobs `Running` | %.1f s |
            | processors busy while jobs are created | %s |
            """.formatted(
                        where,
                        figures.path("jobs").asInt(),
                        figures.path("pods").asInt(),
                        figures.path("teams").asInt(),
                        targets.table(),
                        number("/bare_client/jobs_per_second"),
                        figures.at("/bare_client/requests_per_job").asInt(),
                        number("/bare_client/deleted_per_second"),
                        quantiles("/creation/seconds_to_job"),
                        quantiles("/creation/seconds_to_pods"),
                        quantiles("/creation/seconds_to_running"),
                        number("/creation/jobs_per_second_running"),
                        number("/creation/requests_per_job"),
                        number("/creation/reconcile_seconds/count"),
                        1e3 * number("/creation/reconcile_seconds/p50"),
                        1e3 * number("/creation/reconcile_seconds/p99"),
                        number("/steady/rate"),
                        1e3 * number("/steady/reconcile_seconds/p50"),
                        1e3 * number("/steady/reconcile_seconds/p99"),
                        quantiles("/steady/seconds_to_running"),
                        quantiles("/steady/server_seconds_of_a_reconcile", "%.0f, %.0f", 1e3),
                        milliseconds("create roles"),
                        milliseconds("create rolebindings"),
                        milliseconds("list jobs"),
                        milliseconds("list pods"),
                        milliseconds("patch rlvrjobs~1status"),
                        number("/memory_mib/after_creation/now"),
                        number("/memory_mib/after_restart/now"),
                        number("/memory_mib/at_the_end/now"),
                        number("/restart/first_reconcile_seconds"),
                        number("/restart/ready_seconds"),
                        number("/restart/all_reconciled_seconds"),
                        number("/restart/new_job_runs_seconds"),
                        number("/restart/ended_job_succeeded_seconds"),
                        number("/restart/bare_client_reads_seconds"),
                        number("/deletion/jobs_per_second"),
                        number("/deletion/jobs_per_second_without_the_operator"),
                        number("/seconds_from_the_end_of_429_to_all_running"),
                        busy("/creation/processors_busy"));
    }

    private double number(String pointer) {
        return figures.at(pointer).asDouble(Double.NaN);
    }

    private String quantiles(String pointer) {
        return quantiles(pointer, "%.1f, %.1f", 1);
    }

    private String milliseconds(String request) {
        return quantiles("/steady/request_seconds/" + request, "%.0f, %.0f", 1e3);
    }

    private String quantiles(String pointer, String format, double factor) {
        return String.format(
                Locale.ROOT, format, factor * number(pointer + "/median"), factor * number(pointer + "/p99"));
    }

    private String busy(String pointer) {
        StringBuilder text = new StringBuilder();
        figures.at(pointer)
                .properties()
                .forEach(process -> text.append(text.isEmpty() ? "" : ", ")
                        .append(process.getKey())
                        .append(String.format(Locale.ROOT, " %.2f", share(process.getValue()))));
        return text.toString();
    }

    private static double share(JsonNode value) {
        return value.asDouble();
    }
}
