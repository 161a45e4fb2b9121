package dev.rlvr.e2e.cluster;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What pods of a job have logged so far, each line with the time that the node wrote before it. */
record TrainerLog(List<String> lines) {
    private static final Pattern STEP = Pattern.compile("^(\\S+) .*attempt \\d+ step (\\d+)/\\d+ reward .*");
    private static final Pattern GOES_ON = Pattern.compile(".*attempt \\d+: going on from step (\\d+) of .*");

    static TrainerLog of(KubernetesClient client, List<Pod> pods) {
        return new TrainerLog(pods.stream().flatMap(pod -> lines(client, pod)).toList());
    }

    private static Stream<String> lines(KubernetesClient client, Pod pod) {
        try {
            return client.pods().resource(pod).usingTimestamps().getLog().lines();
        } catch (KubernetesClientException e) {
            // it does not run yet, or no longer
            return Stream.of();
        }
    }

    /** All finished steps, in the order of the lines. */
    Stream<StepLine> steps() {
        return lines.stream()
                .map(STEP::matcher)
                .filter(Matcher::matches)
                .map(match -> new StepLine(Integer.parseInt(match.group(2)), Instant.parse(match.group(1))));
    }

    Optional<Integer> goesOnFrom() {
        return lines.stream()
                .map(GOES_ON::matcher)
                .filter(Matcher::matches)
                .map(match -> Integer.valueOf(match.group(1)))
                .findFirst();
    }

    /** The last lines. */
    String end() {
        return String.join("\n", lines.subList(Math.max(0, lines.size() - 15), lines.size()));
    }
}
