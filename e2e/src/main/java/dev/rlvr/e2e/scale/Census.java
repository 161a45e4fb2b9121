package dev.rlvr.e2e.scale;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * How many objects of each kind a cluster has, without reading them.
 *
 * @param counts by the name of the resource
 */
record Census(Map<String, Long> counts) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Every kind that a job has something of; events, which expire, aside. */
    private static final Map<String, List<String>> RESOURCES = Map.of(
            "apis/rlvr.dev/v1alpha1", List.of("rlvrjobs"),
            "apis/batch/v1", List.of("jobs"),
            "apis/apps/v1", List.of("statefulsets", "controllerrevisions"),
            "apis/rbac.authorization.k8s.io/v1", List.of("roles", "rolebindings"),
            "apis/discovery.k8s.io/v1", List.of("endpointslices"),
            "api/v1",
                    List.of(
                            "endpoints",
                            "pods",
                            "services",
                            "serviceaccounts",
                            "secrets",
                            "configmaps",
                            "persistentvolumeclaims"));

    static Census of(KubernetesClient client) {
        Map<String, Long> counts = new TreeMap<>();
        RESOURCES.forEach((group, resources) -> {
            for (String resource : resources) {
                // from the API server's cache: without a selector it knows how many it has not listed
                JsonNode list = parse(client.raw("/%s/%s?limit=1".formatted(group, resource)));
                counts.put(
                        resource,
                        list.path("items").size()
                                + list.path("metadata")
                                        .path("remainingItemCount")
                                        .asLong(0));
            }
        });
        return new Census(counts);
    }

    /** Objects of all kinds together. */
    long total() {
        return counts.values().stream().mapToLong(Long::longValue).sum();
    }

    private static JsonNode parse(String json) {
        try {
            return JSON.readTree(json);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
