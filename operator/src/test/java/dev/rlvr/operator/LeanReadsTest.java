package dev.rlvr.operator;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import org.junit.jupiter.api.Test;

class WithoutManagedFieldsTest {
    @Test
    void whatTheClientReadsHasNoManagedFieldsAndEverythingElse() {
        ObjectMapper mapper = new ObjectMapper();
        KubernetesSerialization client = new KubernetesSerialization(mapper, false);
        new WithoutManagedFields().customize(mapper);

        ConfigMap read = client.unmarshal("""
                apiVersion: v1
                kind: ConfigMap
                metadata:
                  name: settings
                  labels: {a: b}
                  resourceVersion: "7"
                  managedFields:
                  - {manager: kubectl, operation: Apply, apiVersion: v1, fieldsType: FieldsV1, fieldsV1: {"f:data": {}}}
                data: {key: value}
                """, ConfigMap.class);

        assertThat(read.getMetadata().getManagedFields()).isEmpty();
        assertThat(read.getMetadata().getAdditionalProperties()).isEmpty();
        assertThat(read.getMetadata().getLabels()).containsEntry("a", "b");
        assertThat(read.getMetadata().getResourceVersion()).isEqualTo("7");
        assertThat(read.getData()).containsEntry("key", "value");
    }
}
