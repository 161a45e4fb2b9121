package dev.rlvr.operator;

/**
 * What the operator is configured with.
 *
 * @param trainerImage image of jobs whose spec names none
 * @param imagePullPolicy Always, IfNotPresent or Never
 */
public record Settings(String trainerImage, String imagePullPolicy) {
    /** Settings with every default. */
    public static final Settings DEFAULT = new Settings(SettingsMapping.TRAINER_IMAGE, SettingsMapping.PULL_POLICY);
}
