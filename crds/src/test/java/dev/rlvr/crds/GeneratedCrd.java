package dev.rlvr.crds;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.crdv2.generator.CRDGenerator;
import io.fabric8.crdv2.generator.CRDPostProcessor;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceColumnDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinitionVersion;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** Generates the CRD from the Java types. */
final class GeneratedCrd {
    private GeneratedCrd() {}

    static String yaml() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        new CRDGenerator()
                .forCRDVersions("v1")
                .withPostProcessor(new Refinements())
                .withParallelGenerationEnabled(false)
                .withOutput(new InMemory(bytes))
                .customResourceClasses(RLVRJob.class)
                .generate();
        return bytes.toString(StandardCharsets.UTF_8);
    }

    /** What the annotations cannot say. */
    private static final class Refinements implements CRDPostProcessor {
        private static final List<String> COLUMNS = Arrays.stream(
                        RLVRJob.class.getAnnotationsByType(AdditionalPrinterColumn.class))
                .map(AdditionalPrinterColumn::name)
                .toList();

        @Override
        public HasMetadata process(HasMetadata crd, String version) {
            CustomResourceDefinitionVersion served =
                    ((CustomResourceDefinition) crd).getSpec().getVersions().getFirst();
            served.getAdditionalPrinterColumns()
                    .sort(Comparator.comparingInt(
                            (CustomResourceColumnDefinition column) -> COLUMNS.indexOf(column.getName())));
            JSONSchemaProps schema = served.getSchema().getOpenAPIV3Schema();
            emptyObjectDefaults(schema);
            JSONSchemaProps spec = schema.getProperties().get("spec");
            JSONSchemaProps status = schema.getProperties().get("status");
            keyedBy("name", spec.getProperties().get("evaluation"));
            keyedBy("name", status.getProperties().get("evaluation"));
            keyedBy("type", status.getProperties().get("conditions"));
            spec.getProperties()
                    .get("trainer")
                    .getProperties()
                    .get("podTemplate")
                    .setAdditionalProperties(null);
            return crd;
        }

        /** An object defaults to {}: the API server then fills in the defaults of its fields. */
        private static void emptyObjectDefaults(JSONSchemaProps schema) {
            if (schema.getDefault() != null && "object".equals(schema.getType())) {
                schema.setDefault(JsonNodeFactory.instance.objectNode());
            }
            if (schema.getProperties() != null) {
                schema.getProperties().values().forEach(Refinements::emptyObjectDefaults);
            }
        }

        /** A list with a key, so that two field managers can own an entry each under server-side apply. */
        private static void keyedBy(String key, JSONSchemaProps list) {
            list.setXKubernetesListType("map");
            list.setXKubernetesListMapKeys(List.of(key));
            JSONSchemaProps item = list.getItems().getSchema();
            if (!item.getRequired().contains(key)) {
                item.getRequired().add(key);
            }
        }
    }

    private record InMemory(ByteArrayOutputStream bytes) implements CRDGenerator.CRDOutput<OutputStream> {
        @Override
        public OutputStream outputFor(String crdName) {
            return bytes;
        }

        @Override
        public URI crdURI(String crdName) {
            return URI.create("file:///" + crdName);
        }

        @Override
        public void close() throws IOException {
            bytes.close();
        }
    }
}
