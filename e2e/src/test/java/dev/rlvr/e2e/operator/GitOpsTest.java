package dev.rlvr.e2e.operator;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.cel.common.CelValidationException;
import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.e2e.ApiServer;
import dev.rlvr.e2e.RealApiServer;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** {@code examples/gitops}: what Argo CD and Flux would say of jobs that the operator has led, and where their manifests point. */
@RealApiServer
class GitOpsTest {
    private static final Path CHECKOUT = Path.of(System.getProperty("rlvr.checkout"));
    private static final Path FOLDER = CHECKOUT.resolve("examples/gitops");
    private static final Path SCRIPT = FOLDER.resolve("argocd/health.lua");
    private static final JsonMapper JSON = new JsonMapper();
    private static final YAMLMapper YAML = new YAMLMapper();

    /**
     * A job's way to a state, and what is said of it there.
     *
     * @param state where the operator leads it
     * @param message part of what Argo CD shows
     * @param quickstart what Flux says that waits for the end
     * @param fleet what Flux says that waits until all is under way
     */
    record Story(
            Ending pods,
            List<String> labels,
            String spec,
            State state,
            String argoCd,
            String message,
            FluxHealth quickstart,
            FluxHealth fleet) {}

    @SuppressWarnings("UnusedVariable") // read by @FieldSource
    private static final List<Story> STORIES = List.of(
            new Story(
                    new Ending.RunsOn(),
                    List.of("kueue.x-k8s.io/queue-name: team-a"),
                    "lifecycle: {}",
                    State.Queued,
                    "Progressing",
                    "team-a",
                    FluxHealth.InProgress,
                    FluxHealth.Current),
            new Story(
                    new Ending.Unschedulable("0/3 nodes are available: 3 Insufficient cpu."),
                    List.of(),
                    "lifecycle: {}",
                    State.Starting,
                    "Progressing",
                    "3 Insufficient cpu",
                    FluxHealth.InProgress,
                    FluxHealth.InProgress),
            new Story(
                    new Ending.RunsOn(),
                    List.of(),
                    "lifecycle: {}",
                    State.Running,
                    "Healthy",
                    "attempt 1 trains",
                    FluxHealth.InProgress,
                    FluxHealth.Current),
            new Story(
                    new Ending.Succeeds(),
                    List.of(),
                    "lifecycle: {}",
                    State.Succeeded,
                    "Healthy",
                    "all steps are done",
                    FluxHealth.Current,
                    FluxHealth.Current),
            new Story(
                    new Ending.Exits(1, "java.lang.ArithmeticException: loss is NaN at step 7"),
                    List.of(),
                    "lifecycle: {restarts: {user: 0}}",
                    State.Failed,
                    "Degraded",
                    "loss is NaN at step 7",
                    FluxHealth.Failed,
                    FluxHealth.Failed),
            new Story(
                    new Ending.Exits(2, "spec.data.answerField: 'anwser' is in no line of train.jsonl"),
                    List.of(),
                    "lifecycle: {}",
                    State.Failed,
                    "Degraded",
                    "spec.data.answerField",
                    FluxHealth.Failed,
                    FluxHealth.Failed),
            new Story(
                    new Ending.RunsOn(),
                    List.of(),
                    "lifecycle: {suspend: true}",
                    State.Suspended,
                    "Suspended",
                    "spec.lifecycle.suspend",
                    FluxHealth.InProgress,
                    FluxHealth.Current));

    private final ApiServer api;

    GitOpsTest(ApiServer api) {
        this.api = api;
    }

    @ParameterizedTest
    @FieldSource("STORIES")
    void bothSayWhatTheConditionsSay(Story story) throws IOException, CelValidationException {
        try (Scene scene = Scene.open(api, attempt -> story.pods());
                RunningOperator _ = RunningOperator.start(api, scene.namespace())) {
            scene.create(story.labels(), story.spec());
            RLVRJob job = scene.await(
                    story.state() + " " + story.message(),
                    stored -> stored.getStatus() != null
                            && stored.getStatus().state() == story.state()
                            && Scene.condition(stored, "Ready").getMessage().contains(story.message()));
            JsonNode resource = JSON.readTree(api.kubectl()
                    .run("get", "rlvr", job.getMetadata().getName(), "-n", scene.namespace(), "-o", "json"));

            ArgoCdHealth health = ArgoCdHealth.of(SCRIPT, resource);

            assertThat(health.status()).isEqualTo(story.argoCd());
            assertThat(health.message()).contains(story.message());
            assertThat(FluxHealth.of(expressions("quickstart"), resource)).isEqualTo(story.quickstart());
            assertThat(FluxHealth.of(expressions("fleet"), resource)).isEqualTo(story.fleet());
        }
    }

    @Test
    void whatNoOperatorHasSeenIsUnderWay() throws IOException, CelValidationException {
        try (Scene scene = Scene.open(api, attempt -> new Ending.Succeeds())) {
            scene.create();
            assertUnderWay(resource(scene));
            try (RunningOperator _ = RunningOperator.start(api, scene.namespace())) {
                scene.await(State.Succeeded);
            }
            assertThat(ArgoCdHealth.of(SCRIPT, resource(scene)).status()).isEqualTo("Healthy");

            scene.patchSpec("{\"lifecycle\":{\"ttlAfterFinished\":\"7d\"}}");

            assertUnderWay(resource(scene));
        }
    }

    private void assertUnderWay(JsonNode resource) throws IOException, CelValidationException {
        assertThat(ArgoCdHealth.of(SCRIPT, resource).status()).isEqualTo("Progressing");
        assertThat(FluxHealth.of(expressions("quickstart"), resource)).isEqualTo(FluxHealth.InProgress);
        assertThat(FluxHealth.of(expressions("fleet"), resource)).isEqualTo(FluxHealth.InProgress);
    }

    private JsonNode resource(Scene scene) throws IOException {
        return JSON.readTree(api.kubectl().run("get", "rlvr", Scene.JOB, "-n", scene.namespace(), "-o", "json"));
    }

    @Test
    void argoCdGetsTheScriptThatIsTestedHere() throws IOException {
        JsonNode settings = YAML.readTree(
                api.kubectl().run("kustomize", FOLDER.resolve("argocd").toString()));

        assertThat(settings.at("/metadata/name").asText()).isEqualTo("argocd-cm");
        assertThat(settings.path("data")
                        .path("resource.customizations.health.rlvr.dev_RLVRJob")
                        .asText())
                .isEqualTo(Files.readString(SCRIPT));
    }

    @Test
    void theApplicationSetMakesTheRunsOfTheFleet(@TempDir Path copy) throws IOException {
        JsonNode set =
                YAML.readTree(FOLDER.resolve("argocd/applicationset.yaml").toFile());
        JsonNode generators = set.at("/spec/generators/0/matrix/generators");
        String seed = generators.at("/1/list/elements/1/seed").asText();
        copyTree(CHECKOUT.resolve("examples/fleet"), copy.resolve("examples/fleet"));
        copyTree(CHECKOUT.resolve("examples/quickstart"), copy.resolve("examples/quickstart"));
        Set<JsonNode> runs = new HashSet<>();
        for (Path variant :
                variants(copy, generators.at("/0/git/directories/0/path").asText())) {
            // what Argo CD does: kustomize edit add component
            File file = variant.resolve("kustomization.yaml").toFile();
            ObjectNode kustomization = (ObjectNode) YAML.readTree(file);
            set.at("/spec/template/spec/source/kustomize/components")
                    .forEach(path -> kustomization
                            .withArray("components")
                            .add(path.asText().replace("{{.seed}}", seed)));
            YAML.writeValue(file, kustomization);
            runs.add(YAML.readTree(api.kubectl().run("kustomize", variant.toString())));
        }

        assertThat(generators.at("/1/list/elements")).hasSize(Fleet.SEEDS);
        assertThat(runs).hasSize(Fleet.RUNS / Fleet.SEEDS);
        for (String run : Fleet.render(api.kubectl(), ".")) {
            JsonNode manifest = YAML.readTree(run);
            if (manifest.at("/metadata/labels/seed").asText().equals(seed)) {
                assertThat(runs).contains(manifest);
            }
        }
    }

    private static List<Path> variants(Path checkout, String pattern) throws IOException {
        assertThat(pattern).endsWith("/*");
        try (Stream<Path> folders = Files.list(checkout.resolve(pattern.substring(0, pattern.length() - 2)))) {
            return folders.toList();
        }
    }

    /** Copies the YAML files; the quickstart's model is not part of a manifest. */
    private static void copyTree(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".yaml")).toList()) {
                Path target = to.resolve(from.relativize(file).toString());
                Files.createDirectories(target.getParent());
                Files.copy(file, target);
            }
        }
    }

    @Test
    void everyPathInGitIsThere() throws IOException {
        List<String> paths = new ArrayList<>();
        paths.add(YAML.readTree(FOLDER.resolve("argocd/application.yaml").toFile())
                .at("/spec/source/path")
                .asText());
        for (JsonNode kustomization : flux("Kustomization")) {
            paths.add(kustomization.at("/spec/path").asText());
        }

        assertThat(paths)
                .hasSize(3)
                .allSatisfy(path -> assertThat(CHECKOUT.resolve(path).resolve("kustomization.yaml"))
                        .isRegularFile());
        String source = flux("GitRepository").getFirst().at("/metadata/name").asText();
        assertThat(flux("Kustomization"))
                .allMatch(kustomization ->
                        kustomization.at("/spec/sourceRef/name").asText().equals(source));
    }

    private static JsonNode expressions(String kustomization) throws IOException {
        return flux("Kustomization").stream()
                .filter(object -> object.at("/metadata/name").asText().equals(kustomization))
                .findFirst()
                .orElseThrow()
                .at("/spec/healthCheckExprs/0");
    }

    private static List<JsonNode> flux(String kind) throws IOException {
        List<JsonNode> objects = YAML.readerFor(JsonNode.class)
                .<JsonNode>readValues(FOLDER.resolve("flux/fleet.yaml").toFile())
                .readAll();
        return objects.stream()
                .filter(object -> object.path("kind").asText().equals(kind))
                .toList();
    }
}
