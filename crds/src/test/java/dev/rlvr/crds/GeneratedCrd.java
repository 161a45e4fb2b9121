package dev.rlvr.crds;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
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
import java.util.Map;

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
        private static final String QUANTITY = "^[0-9]+(\\.[0-9]+)?([KMGTPE]i|[munkMGTPE]|[eE][-+]?[0-9]+)?$";

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
            // The API server drops a priority of 0; kept here, every apply would be a change.
            served.getAdditionalPrinterColumns().stream()
                    .filter(column -> Integer.valueOf(0).equals(column.getPriority()))
                    .forEach(column -> column.setPriority(null));
            JSONSchemaProps schema = served.getSchema().getOpenAPIV3Schema();
            schema.setDescription(
                    "One reinforcement-learning run with verifiable rewards: what to train, on what, how, and where"
                            + " its state goes.");
            schema.setRequired(List.of("spec"));
            everyNode(schema);
            JSONSchemaProps spec = schema.getProperties().get("spec");
            JSONSchemaProps status = schema.getProperties().get("status");
            spec.setDescription("What to train, on what, how, and where its state goes.");
            status.setDescription("What is the case; written by the operator and the trainer.");
            describe(status.getProperties().get("conditions").getItems().getSchema());
            keyedBy("name", spec.getProperties().get("evaluation"));
            keyedBy("name", status.getProperties().get("evaluation"));
            keyedBy("type", status.getProperties().get("conditions"));
            opaque(spec.getProperties().get("trainer"));
            opaque(spec.getProperties().get("rollout").getProperties().get("servers"));
            return crd;
        }

        /** The generator says of a map what its values are, and a pod template has values of all kinds. */
        private static void opaque(JSONSchemaProps holder) {
            holder.getProperties().get("podTemplate").setAdditionalProperties(null);
        }

        private static void everyNode(JSONSchemaProps schema) {
            if (schema.getDefault() != null && "object".equals(schema.getType())) {
                schema.setDefault(filledIn(schema));
            }
            // An annotation of a record component is on its field and on its accessor: the generator finds it twice.
            if (schema.getXKubernetesValidations() != null) {
                schema.setXKubernetesValidations(
                        schema.getXKubernetesValidations().stream().distinct().toList());
            }
            if ("string".equals(schema.getType()) && schema.getXKubernetesValidations() != null) {
                // The API server's own text for a string that breaks a rule does not show it.
                schema.getXKubernetesValidations()
                        .forEach(rule -> rule.setMessageExpression("\"'\" + self + \"' " + rule.getMessage() + "\""));
            }
            if (Boolean.TRUE.equals(schema.getXKubernetesIntOrString())) {
                schema.setPattern(QUANTITY);
                schema.setMaxLength(64L);
            }
            if (schema.getProperties() != null) {
                schema.getProperties().values().forEach(Refinements::everyNode);
            }
            if (schema.getItems() != null) {
                everyNode(schema.getItems().getSchema());
            }
            if (schema.getAdditionalProperties() != null) {
                everyNode(schema.getAdditionalProperties().getSchema());
            }
        }

        /** The API server asks the rules of a default as it stands, before it fills in the defaults of its fields. */
        private static JsonNode filledIn(JSONSchemaProps schema) {
            ObjectNode fields = JsonNodeFactory.instance.objectNode();
            schema.getProperties().forEach((name, field) -> {
                if (field.getDefault() != null) {
                    fields.set(name, "object".equals(field.getType()) ? filledIn(field) : field.getDefault());
                }
            });
            return fields;
        }

        private static void describe(JSONSchemaProps condition) {
            Map.of(
                            "type", "Name of the condition.",
                            "status", "True, False or Unknown.",
                            "reason", "Why, in one word for programs.",
                            "message", "Why, and what a person has to do, if anything.",
                            "lastTransitionTime", "When the status last changed (RFC 3339).",
                            "observedGeneration", "Generation of the spec that the condition answers to.")
                    .forEach((field, text) ->
                            condition.getProperties().get(field).setDescription(text));
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
