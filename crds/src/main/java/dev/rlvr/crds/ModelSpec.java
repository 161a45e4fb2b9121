package dev.rlvr.crds;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import org.jspecify.annotations.Nullable;

/** Where the base model comes from: a folder in the Hugging Face layout. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ModelSpec(
        @Required
        @Pattern(Source.PATTERN)
        @JsonPropertyDescription("Hugging Face model folder: hf://ORG/NAME, pvc://CLAIM/PATH, file:///PATH or"
                + " bundled://NAME (shipped with the trainer).")
        String source,

        @Default("main") @JsonPropertyDescription("Branch, tag or commit; only read for hf:// sources. Default main.")
        String revision,

        @JsonPropertyDescription("Secret in the job's namespace whose key 'token' opens a private hf:// source.")
        @Nullable
        String secretName) {}
