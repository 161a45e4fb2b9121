package dev.rlvr.crds;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;

/** Where {@code hf://} sources are downloaded to, where that is not the checkpoint volume. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record HubCacheSpec(
        @Required
        @Size(min = 1, max = 253)
        @JsonPropertyDescription(
                "Existing claim that is downloaded to; jobs that name the same one share it, and it is never deleted."
                        + " ReadWriteMany where pods on several nodes use it.")
        String claimName) {}
