package dev.rlvr.operator;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/** The settings as SmallRye Config reads them: system property {@code rlvr.trainer-image}, environment variable {@code RLVR_TRAINER_IMAGE}. */
@ConfigMapping(prefix = "rlvr")
interface SettingsMapping {
    String TRAINER_IMAGE = "rlvr-trainer:latest";
    String PULL_POLICY = "IfNotPresent";

    /** Image of jobs whose spec names none. */
    @WithDefault(TRAINER_IMAGE)
    String trainerImage();

    /** Always, IfNotPresent or Never. */
    @WithDefault(PULL_POLICY)
    String imagePullPolicy();

    /** Comma-separated namespaces to watch, or {@code JOSDK_ALL_NAMESPACES}; handed to the Operator SDK. */
    @WithDefault("JOSDK_ALL_NAMESPACES")
    String namespaces();

    /** Address of health endpoints; handed to Quarkus. */
    @WithDefault("0.0.0.0")
    String host();

    /** Port of health endpoints; handed to Quarkus. */
    @WithDefault("8080")
    int port();
}
