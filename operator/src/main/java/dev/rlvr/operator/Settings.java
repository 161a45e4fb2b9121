package dev.rlvr.operator;

import java.util.Optional;

/**
 * What the operator is configured with.
 *
 * @param trainerImage image of jobs whose spec names none
 * @param imagePullPolicy Always, IfNotPresent or Never
 * @param hubEndpoint hub that hf:// sources come from; empty for huggingface.co
 */
public record Settings(String trainerImage, String imagePullPolicy, Optional<String> hubEndpoint) {
    /** Settings with every default. */
    public static final Settings DEFAULT =
            new Settings(SettingsMapping.TRAINER_IMAGE, SettingsMapping.PULL_POLICY, Optional.empty());
}
