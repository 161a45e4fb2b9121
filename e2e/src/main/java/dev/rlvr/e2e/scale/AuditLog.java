package dev.rlvr.e2e.scale;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Every request of the operator, as the API server has logged it. */
record AuditLog(Path file) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Set<String> READS = Set.of("get", "list", "watch");

    /** The API server's policy: one line for each request of this user that has ended, none of anybody else. */
    static String policy(String user) {
        return """
            apiVersion: audit.k8s.io/v1
            kind: Policy
            omitStages: [RequestReceived, ResponseStarted]
            rules:
            - {level: Metadata, users: ['%s']}
            - {level: None}
            """.formatted(user);
    }

    /**
     * One request.
     *
     * @param what verb, resource and subresource
     * @param about address and name of the object, of a list with its label selector
     * @param write whether it was meant to change something
     * @param code HTTP status of the answer
     * @param received when the API server got it
     * @param took how long the API server had it
     */
    record Request(String what, String about, boolean write, int code, Instant received, Duration took) {}

    /** The requests that arrived in this time; watches aside, which last. */
    List<Request> between(Instant from, Instant to) {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.map(AuditLog::parse)
                    .filter(request -> !request.what().startsWith("watch "))
                    .filter(request -> !request.received().isBefore(from)
                            && request.received().isBefore(to))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Bytes so far: it grows with every request that ends. */
    long size() {
        try {
            return Files.exists(file) ? Files.size(file) : 0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Request parse(String line) {
        try {
            JsonNode event = JSON.readTree(line);
            JsonNode object = event.path("objectRef");
            String subresource = object.path("subresource").asText("");
            Instant received =
                    Instant.parse(event.path("requestReceivedTimestamp").asText());
            String verb = event.path("verb").asText();
            String address = event.path("requestURI").asText();
            return new Request(
                    verb + " "
                            + object.path("resource").asText(address)
                            + (subresource.isEmpty() ? "" : "/" + subresource),
                    address + " " + object.path("name").asText(),
                    !READS.contains(verb),
                    event.path("responseStatus").path("code").asInt(),
                    received,
                    Duration.between(
                            received, Instant.parse(event.path("stageTimestamp").asText())));
        } catch (IOException e) {
            throw new UncheckedIOException("not an audit event: " + line, e);
        }
    }

    /** How long the API server had the requests of each sort, in seconds. */
    static Map<String, Quantiles> latencies(List<Request> requests) {
        Map<String, List<Double>> seconds = requests.stream()
                .collect(Collectors.groupingBy(
                        Request::what,
                        TreeMap::new,
                        Collectors.mapping(request -> request.took().toNanos() / 1e9, Collectors.toList())));
        Map<String, Quantiles> quantiles = new TreeMap<>();
        seconds.forEach((what, all) -> quantiles.put(what, Quantiles.of(all)));
        return quantiles;
    }
}
