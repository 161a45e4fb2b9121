package dev.rlvr.e2e.operator;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.e2e.Kubectl;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** The runs of {@code examples/fleet} in a scene's namespace, and what their people and their queue do to them. */
record Fleet(Scene scene) {
    static final int SEEDS = 3;
    static final int RUNS = 6 * SEEDS;
    static final Path FOLDER = Path.of(System.getProperty("rlvr.checkout"), "examples", "fleet");

    /** What {@code kubectl kustomize} makes of a folder of the fleet, one manifest each. */
    static List<String> render(Kubectl kubectl, String folder) {
        return Arrays.stream(kubectl.run("kustomize", FOLDER.resolve(folder).toString())
                        .split("(?m)^---\\R"))
                .toList();
    }

    /** Applies the whole fleet; returns what kubectl says, a line for each run. */
    List<String> apply(String... options) {
        List<String> arguments = new ArrayList<>(List.of("apply", "-k", FOLDER.toString(), "-n", scene.namespace()));
        arguments.addAll(List.of(options));
        return scene.api()
                .kubectl()
                .run(arguments.toArray(String[]::new))
                .lines()
                .toList();
    }

    List<RLVRJob> runs() {
        return scene.client()
                .resources(RLVRJob.class)
                .inNamespace(scene.namespace())
                .list()
                .getItems();
    }

    void await(String what, Predicate<RLVRJob> holds) {
        Awaiting.until(
                what,
                () -> runs().size() == RUNS && runs().stream().allMatch(holds),
                () -> runs().stream().map(RLVRJob::getStatus).toList());
    }

    /** Lets every run go on that waits in this queue, as Kueue does where there is quota for all. */
    void admit(String queue) {
        Awaiting.until("Jobs in the queue " + queue, () -> queued(queue).size() == RUNS, () -> queued(queue));
        queued(queue)
                .forEach(job -> scene.client().resource(job).edit(stored -> {
                    stored.getSpec().setSuspend(false);
                    return stored;
                }));
    }

    private List<Job> queued(String queue) {
        return scene.client()
                .batch()
                .v1()
                .jobs()
                .inNamespace(scene.namespace())
                .withLabel("kueue.x-k8s.io/queue-name", queue)
                .list()
                .getItems();
    }

    /** The version of every object in the namespace: any write makes another map. */
    Map<String, String> versions() {
        return scene.cluster().everything().stream()
                .collect(Collectors.toMap(
                        object -> object.getKind() + "/" + object.getMetadata().getName(),
                        object -> object.getMetadata().getGeneration() + " "
                                + object.getMetadata().getResourceVersion()));
    }

    /** Returns once the operator has written nothing for a while. */
    static void awaitIdle(RunningOperator operator) throws InterruptedException {
        int before;
        do {
            before = operator.writes().sent().size();
            Thread.sleep(1_500);
        } while (operator.writes().sent().size() != before);
    }
}
