package dev.rlvr.crds;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * An {@link RLVRJob} as text. Reading does what the API server does with {@code kubectl apply}: strict fields, the CRD's
 * defaults, its schema and its rules; so a manifest that runs locally is one that a cluster takes.
 */
public final class Manifest {
    private static final String API_VERSION = RLVRJob.GROUP + "/" + RLVRJob.VERSION;
    private static final String LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
    private static final ObjectMapper JSON = new JsonMapper();

    private Manifest() {}

    /**
     * Reads a YAML or JSON file.
     *
     * @throws ManifestException where the file cannot be read or is not a valid RLVRJob, with a line for each problem
     */
    public static RLVRJob read(Path file) {
        return parse(text(file), file.toString());
    }

    /**
     * Reads a file that has what {@link #write} made of a job that was read: neither defaults nor checks, which take most of the time.
     *
     * @throws ManifestException where the file cannot be read
     */
    public static RLVRJob readChecked(Path file) {
        return bind(ManifestText.parse(text(file), file.toString()));
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (NoSuchFileException e) {
            throw new ManifestException(List.of(file + ": no such file"));
        } catch (CharacterCodingException e) {
            throw new ManifestException(List.of(file + ": is not UTF-8 text"));
        } catch (IOException e) {
            throw new ManifestException(List.of(
                    file + ": cannot be read: " + (Files.isDirectory(file) ? "it is a folder" : e.getMessage())));
        }
    }

    /**
     * Reads YAML or JSON text. Of the metadata it takes what {@link #write} writes; a missing namespace is {@code default}.
     *
     * @param origin name of the text in messages about its syntax
     * @throws ManifestException where the text is not a valid RLVRJob, with a line for each problem
     */
    public static RLVRJob parse(String text, String origin) {
        return bind(checked(text, origin));
    }

    /** The manifest of a job: name, namespace, labels, annotations and the spec. Reading it gives them back. */
    public static String write(RLVRJob job) {
        ObjectNode root = JSON.createObjectNode();
        root.put("apiVersion", API_VERSION).put("kind", RLVRJob.KIND);
        ObjectMeta from = job.getMetadata();
        ObjectNode metadata = root.putObject("metadata").put("name", from.getName());
        if (from.getNamespace() != null) {
            metadata.put("namespace", from.getNamespace());
        }
        put(metadata, "labels", from.getLabels());
        put(metadata, "annotations", from.getAnnotations());
        root.set("spec", JSON.valueToTree(job.getSpec()));
        try {
            return new ObjectMapper(new YAMLFactory()
                            .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
                            .disable(YAMLGenerator.Feature.SPLIT_LINES))
                    .writeValueAsString(root);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The object with the schema's defaults, as the API server would store it. */
    static ObjectNode checked(String text, String origin) {
        ObjectNode root = ManifestText.parse(text, origin);
        List<String> problems = new ArrayList<>();
        expect("apiVersion", API_VERSION, root, problems);
        expect("kind", RLVRJob.KIND, root, problems);
        if (!problems.isEmpty()) {
            throw new ManifestException(problems);
        }
        problems.addAll(Metadata.check(root));
        // The API server ignores the status of a manifest too: it has a writer of its own.
        root.remove("status");
        Schema schema = Schema.ofResource();
        schema.applyDefaults(root);
        SchemaCheck check = new SchemaCheck(new FieldNames(schema));
        check.check("", root, schema);
        problems.addAll(check.problems());
        if (!problems.isEmpty()) {
            throw new ManifestException(problems);
        }
        return root;
    }

    private static void expect(String field, String value, ObjectNode root, List<String> problems) {
        if (!root.path(field).asText().equals(value)) {
            problems.add(field + ": "
                    + (root.has(field) ? "'" + root.path(field).asText() + "' is not " : "is required: ") + value);
        }
    }

    private static RLVRJob bind(ObjectNode root) {
        try {
            RLVRJob job = new RLVRJob();
            job.setMetadata(metadata(root.path("metadata")));
            job.setSpec(JSON.treeToValue(root.path("spec"), RLVRJobSpec.class));
            return job;
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("the Java types do not take what the CRD allows", e);
        }
    }

    /** By hand: Jackson would look into every type that an ObjectMeta can hold, which takes longer than all the rest. */
    private static ObjectMeta metadata(JsonNode from) {
        ObjectMeta metadata = new ObjectMeta();
        metadata.setName(from.path("name").asText());
        metadata.setNamespace(from.path("namespace").asText());
        metadata.setLabels(texts(from.path("labels")));
        metadata.setAnnotations(texts(from.path("annotations")));
        return metadata;
    }

    private static Map<String, String> texts(JsonNode object) {
        Map<String, String> texts = new TreeMap<>();
        object.properties()
                .forEach(entry -> texts.put(entry.getKey(), entry.getValue().asText()));
        return texts;
    }

    private static void put(ObjectNode metadata, String field, Map<String, String> entries) {
        Map<String, String> kept = new TreeMap<>(entries == null ? Map.of() : entries);
        kept.remove(LAST_APPLIED);
        if (!kept.isEmpty()) {
            metadata.set(field, JSON.valueToTree(kept));
        }
    }
}
