package dev.rlvr.operator;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.quarkus.kubernetes.client.KubernetesClientObjectMapperCustomizer;
import jakarta.inject.Singleton;

/**
 * Leaves managed fields out of everything that the client reads: who wrote which field is often half of an object, and nobody here asks. So
 * no cache ever holds them, whichever namespace or kind it is of.
 */
@Singleton
final class WithoutManagedFields implements KubernetesClientObjectMapperCustomizer {
    @Override
    public void customize(ObjectMapper mapper) {
        mapper.addMixIn(ObjectMeta.class, LeanMetadata.class);
    }

    @JsonIgnoreProperties("managedFields")
    private interface LeanMetadata {}
}
