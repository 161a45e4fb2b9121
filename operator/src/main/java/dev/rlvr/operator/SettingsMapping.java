package dev.rlvr.operator;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.util.Optional;

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

    /** Hub that hf:// sources come from; without it huggingface.co. */
    Optional<String> hubEndpoint();

    /** Comma-separated namespaces to watch, or {@code JOSDK_ALL_NAMESPACES}; handed to the Operator SDK. */
    @WithDefault("JOSDK_ALL_NAMESPACES")
    String namespaces();

    /** Whether replicas elect the one that works. Without it, each works. */
    @WithDefault("false")
    boolean leaderElection();

    /** Name of the Lease that the replica that works holds. */
    @WithDefault("rlvr-operator")
    String leaseName();

    /** Namespace of the Lease; without it the operator's own. */
    Optional<String> leaseNamespace();

    /** Jobs that are reconciled at the same time; handed to the Operator SDK. */
    @WithDefault("8")
    int reconcileThreads();

    /** Whether log lines are JSON objects; handed to Quarkus. */
    @WithDefault("false")
    boolean jsonLogs();

    /** What is logged at least: ERROR, WARN, INFO, DEBUG; handed to Quarkus. */
    @WithDefault("INFO")
    String logLevel();

    /** Commit that the operator was built from, for --version, log and metrics; its image says it. */
    @WithDefault(Build.UNKNOWN)
    String commit();

    /** Address of health endpoints and metrics; handed to Quarkus. */
    @WithDefault("0.0.0.0")
    String host();

    /** Port of health endpoints and metrics; handed to Quarkus. */
    @WithDefault("8080")
    int port();
}
