package dev.rlvr.operator;

import dev.rlvr.crds.Durations;
import dev.rlvr.crds.ModelSpec;
import dev.rlvr.crds.RolloutSpec;
import dev.rlvr.crds.Source;
import dev.rlvr.crds.Source.Scheme;
import dev.rlvr.crds.TrainerEnvironment;
import dev.rlvr.crds.TrainerSpec;
import dev.rlvr.crds.TrainerSpec.Precision;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpecBuilder;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.ProbeBuilder;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The pod of one rollout server, under the restricted Pod Security Standard: our own server from the trainer's image, or SGLang or vLLM where the
 * spec names an image. {@code docs/rollout-servers.md} has their interfaces. They read weights from the checkpoint volume, which is mounted
 * read-only where the trainer has it.
 */
record ServerPod(Ownership owner, RolloutSpec.Servers spec, Settings settings) {
    static final String CONTAINER = "server";
    static final String TEMPLATE = "spec.rollout.servers.podTemplate";

    /** SGLang takes up to 20 s to say that it is not healthy. */
    private static final int HEALTH_TIMEOUT_SECONDS = 25;

    /** A server may take so long for new weights. */
    private static final Duration LONGEST_SILENCE = Duration.ofMinutes(30);

    PodTemplateSpec template(Map<String, String> labels) {
        PodTemplateSpec generated = generated(labels);
        return patch().map(patch -> patch.applyTo(generated)).orElse(generated);
    }

    /** What keeps the spec from making this pod: one sentence each. */
    List<String> problems() {
        List<String> problems = new ArrayList<>();
        patch().map(PodTemplatePatch::problems).ifPresent(problems::addAll);
        if (!own() && source().scheme() == Scheme.BUNDLED) {
            problems.add("spec.model.source: " + model().source() + " is in the trainer's image, and"
                    + " spec.rollout.servers.image is another; use hf:// or pvc://, or leave the image out");
        }
        if (!own() && source().rest().startsWith("checkpoints/")) {
            problems.add("spec.model.source: " + model().source()
                    + ": servers of another image read only what a job has" + " exported; use job://" + source().owner()
                    + "/model, or leave spec.rollout.servers.image out");
        }
        return problems;
    }

    private Optional<PodTemplatePatch> patch() {
        return PodTemplatePatch.of(TEMPLATE, CONTAINER, owner.job().getSpec().fetches(), spec.podTemplate());
    }

    private PodTemplateSpec generated(Map<String, String> labels) {
        return new PodTemplateSpecBuilder()
                .withNewMetadata()
                .withLabels(labels)
                .endMetadata()
                .withNewSpec()
                .withServiceAccountName(owner.sharedName())
                .withAutomountServiceAccountToken(false)
                .withEnableServiceLinks(false)
                .withTerminationGracePeriodSeconds(10L)
                .withSecurityContext(RestrictedPod.pod())
                .withInitContainers(fetch().container(spec.resources()).stream().toList())
                .withContainers(container())
                .withVolumes(volumes())
                .endSpec()
                .build();
    }

    private Container container() {
        return new ContainerBuilder()
                .withName(CONTAINER)
                .withImage(image())
                .withImagePullPolicy(settings.imagePullPolicy())
                .withCommand(command())
                .withArgs(arguments())
                .withEnv(environment())
                .addNewPort()
                .withName("http")
                .withContainerPort(ServerPods.PORT)
                .endPort()
                .withReadinessProbe(health(5, 3))
                .withLivenessProbe(health(60, Math.toIntExact(patience().toMinutes())))
                .withResources(TrainerPod.withGpus(spec.resources(), spec.gpuResource(), spec.gpusPerReplica()))
                .withTerminationMessagePolicy("FallbackToLogsOnError")
                .withSecurityContext(RestrictedPod.container(own()))
                .withVolumeMounts(mounts())
                .build();
    }

    /** What answers in the pod. */
    private enum Program {
        OWN,
        SGLANG,
        VLLM
    }

    private Program program() {
        if (own()) {
            return Program.OWN;
        }
        return owner.job().getSpec().rollout().engine() == RolloutSpec.Engine.Vllm ? Program.VLLM : Program.SGLANG;
    }

    private boolean own() {
        return spec.image() == null;
    }

    private String image() {
        return Optional.ofNullable(spec.image()).orElseGet(() -> TrainerPod.image(owner, settings));
    }

    private FetchContainer fetch() {
        return new FetchContainer(owner, settings, MountedClaims.ofServers(owner));
    }

    private List<String> command() {
        return switch (program()) {
            case OWN -> List.of();
            case SGLANG -> List.of("python3", "-m", "sglang.launch_server");
            case VLLM -> List.of("vllm", "serve");
        };
    }

    private List<String> arguments() {
        List<String> arguments = new ArrayList<>(
                switch (program()) {
                    case OWN ->
                        List.of(
                                "serve",
                                "--model",
                                model().source(),
                                "--precision",
                                trainer().precision().name());
                    case SGLANG ->
                        List.of(
                                "--model-path",
                                path(),
                                "--weight-version",
                                "default",
                                "--enable-deterministic-inference",
                                "--dtype",
                                dataType());
                    case VLLM ->
                        List.of(
                                path(),
                                "--enable-scale-out",
                                "--logprobs-mode",
                                "processed_logprobs",
                                "--dtype",
                                dataType());
                });
        if (program() != Program.OWN && spec.gpusPerReplica() > 1) {
            String option = program() == Program.SGLANG ? "--tp-size" : "--tensor-parallel-size";
            arguments.addAll(List.of(option, Integer.toString(spec.gpusPerReplica())));
        }
        if (program() == Program.VLLM && spec.gpusPerReplica() == 0) {
            arguments.add("--no-enable-chunked-prefill"); // vLLM ends at a seeded prompt that a CPU reads in parts
        }
        if (own() && source().scheme() == Scheme.HF && model().revision() != null) {
            arguments.addAll(List.of("--revision", model().revision()));
        }
        arguments.addAll(List.of("--host", "0.0.0.0", "--port", Integer.toString(ServerPods.PORT)));
        arguments.addAll(spec.arguments());
        return arguments;
    }

    /** What SGLang and vLLM call the trainer's precision. */
    private String dataType() {
        return trainer().precision() == Precision.BF16 ? "bfloat16" : "float32";
    }

    /** The folder of the model where SGLang and vLLM find it. */
    private String path() {
        Source source = source();
        return switch (source.scheme()) {
            case HF -> FetchContainer.LINK;
            case PVC -> MountedClaims.SOURCE_ROOT + source.path();
            case JOB -> MountedClaims.JOBS + source.owner() + "/model";
            case FILE, BUNDLED -> source.path();
        };
    }

    private List<EnvVar> environment() {
        // the root file system may be read-only, and belongs to another user: libraries unpack to the home folder
        List<EnvVar> environment = new ArrayList<>(List.of(new EnvVar("HOME", "/tmp", null)));
        if (own()) {
            environment.add(new EnvVar("RLVR_BUNDLED", "/opt/rlvr/bundled", null));
            TrainerEnvironment.NATIVE.forEach((name, value) -> environment.add(new EnvVar(name, value, null)));
        }
        environment.addAll(fetch().sources());
        environment.addAll(TrainerPod.jobs(MountedClaims.ofServers(owner)));
        if (program() == Program.VLLM) {
            environment.add(new EnvVar("VLLM_SERVER_DEV_MODE", "1", null)); // it has no weight updates without
        }
        return environment;
    }

    private Probe health(int periodSeconds, int failures) {
        return new ProbeBuilder()
                .withNewHttpGet()
                .withPath("/health")
                .withNewPort(ServerPods.PORT)
                .endHttpGet()
                .withPeriodSeconds(periodSeconds)
                .withTimeoutSeconds(HEALTH_TIMEOUT_SECONDS)
                .withFailureThreshold(failures)
                .build();
    }

    /** Until a server that is never healthy is started again: what loading may take, too. */
    private Duration patience() {
        Duration start = Durations.parse(owner.job().getSpec().lifecycle().startDeadline());
        return start.compareTo(LONGEST_SILENCE) > 0 ? start : LONGEST_SILENCE;
    }

    private List<Volume> volumes() {
        List<Volume> volumes = new ArrayList<>(MountedClaims.ofServers(owner).volumes());
        if (owner.job().getSpec().fetches()) {
            volumes.add(JobManifest.volume(owner));
        }
        volumes.addAll(TrainerPod.scratch());
        return volumes;
    }

    private List<VolumeMount> mounts() {
        return Stream.concat(MountedClaims.ofServers(owner).mounts().stream(), TrainerPod.scratchMounts().stream())
                .toList();
    }

    private TrainerSpec trainer() {
        return owner.job().getSpec().trainer();
    }

    private ModelSpec model() {
        return owner.job().getSpec().model();
    }

    private Source source() {
        return Source.parse(model().source());
    }
}
