package dev.rlvr.e2e.cluster;

import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The chart as a release before some fields of the resource's spec were added. */
final class OlderChart {
    private OlderChart() {}

    /**
     * Copies a chart and takes fields out of its CRD.
     *
     * @param chart the chart as it is
     * @param folder where the copy goes
     * @param fields paths below {@code spec}, such as {@code lifecycle.ttlAfterFinished}
     */
    static void write(Path chart, Path folder, List<String> fields) {
        try (Stream<Path> files = Files.walk(chart)) {
            for (Path file : files.toList()) {
                // links into the checkout become files
                if (!file.equals(chart)) {
                    Files.copy(file, folder.resolve(chart.relativize(file).toString()));
                }
            }
            Path crd = folder.resolve("files/crd.yaml");
            Map<String, Object> definition = map(Serialization.unmarshal(Files.readString(crd), LinkedHashMap.class));
            fields.forEach(field -> remove(spec(definition), field));
            Files.writeString(crd, Serialization.asYaml(definition));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Map<String, Object> spec(Map<String, Object> definition) {
        Map<String, Object> version = map(((List<?>) map(definition.get("spec")).get("versions")).getFirst());
        return map(map(map(map(version.get("schema")).get("openAPIV3Schema")).get("properties"))
                .get("spec"));
    }

    private static void remove(Map<String, Object> schema, String field) {
        Map<String, Object> parent = schema;
        String[] names = field.split("\\.");
        for (String name : List.of(names).subList(0, names.length - 1)) {
            parent = map(map(parent.get("properties")).get(name));
        }
        String name = names[names.length - 1];
        if (map(parent.get("properties")).remove(name) == null) {
            throw new IllegalArgumentException("the resource has no spec." + field);
        }
        // a default may not name what the schema does not have
        if (parent.get("default") != null) {
            map(parent.get("default")).remove(name);
        }
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> map(Object value) {
        return (Map<String, Object>) value;
    }
}
