package dev.rlvr.crds;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import org.jspecify.annotations.Nullable;

/** Where the base model comes from: a folder in the Hugging Face layout. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
        value = "self.source.startsWith('hf://') || !(has(self.revision) || has(self.secretName))",
        message = "revision and secretName have no effect on a source that is not hf://; remove them")
public record ModelSpec(
        @Required
        @Size(max = Source.MAX_LENGTH)
        @ValidationRule(value = Source.MODEL_RULE, message = Source.MODEL_MESSAGE)
        @JsonPropertyDescription("Hugging Face model folder: hf://ORG/NAME, pvc://CLAIM/PATH, file:///PATH or"
                + " bundled://NAME (shipped with the trainer). job://NAME is what the job of that name has trained (its"
                + " export, else its newest checkpoint) and is waited for; job://NAME/checkpoints/step-NNNNNN is one of"
                + " its checkpoints.")
        String source,

        @Size(min = 1, max = 256)
        @JsonPropertyDescription("Branch, tag or commit of an hf:// source. Default main.")
        @Nullable
        String revision,

        @Size(min = 1, max = 253)
        @JsonPropertyDescription("Secret in the job's namespace whose key 'token' opens a private hf:// source.")
        @Nullable
        String secretName) {}
