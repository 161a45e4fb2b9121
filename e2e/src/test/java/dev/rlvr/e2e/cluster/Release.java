package dev.rlvr.e2e.cluster;

import io.fabric8.kubernetes.client.utils.Serialization;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The chart's release, changed as the cluster's administrator would: with helm.
 *
 * @param chart folder of the chart
 * @param values file of the values that this cluster needs, whatever a test changes
 */
record Release(Path chart, Path values) {
    static final String NAME = "rlvr-operator";
    static final String NAMESPACE = "rlvr-system";

    /** Installs or upgrades the release and waits until the operator is ready; what an earlier call set is forgotten. */
    void install(String... settings) {
        List<String> line = new ArrayList<>(List.of("helm", "upgrade", "--install", NAME, chart.toString()));
        line.addAll(List.of("--namespace", NAMESPACE, "--create-namespace", "--values", values.toString()));
        line.addAll(List.of("--wait", "--timeout", "4m"));
        for (String setting : settings) {
            line.addAll(List.of("--set", setting));
        }
        Commands.run(line.toArray(String[]::new));
    }

    /** The number of the release's newest revision. */
    int revision() {
        List<?> history = Serialization.unmarshal(
                Commands.run("helm", "history", NAME, "--namespace", NAMESPACE, "--max", "1", "--output", "json"),
                List.class);
        return (Integer) ((Map<?, ?>) history.getLast()).get("revision");
    }

    /** Goes back to an earlier revision, and waits until the operator is ready. */
    void rollback(int revision) {
        Commands.run(
                "helm",
                "rollback",
                NAME,
                Integer.toString(revision),
                "--namespace",
                NAMESPACE,
                "--wait",
                "--timeout",
                "4m");
    }

    /**
     * Runs the chart's own tests.
     *
     * @throws IllegalStateException with helm's words if one fails
     */
    String test() {
        return Commands.run("helm", "test", NAME, "--namespace", NAMESPACE, "--timeout", "2m");
    }

    void uninstall() {
        Commands.run("helm", "uninstall", NAME, "--namespace", NAMESPACE, "--wait");
    }
}
