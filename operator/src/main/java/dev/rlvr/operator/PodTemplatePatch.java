package dev.rlvr.operator;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodSpecBuilder;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpecBuilder;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a user adds to a generated pod. Where it may go, how it is scheduled, and what is mounted besides; everything else is the
 * operator's and rejected, as are the names it uses.
 *
 * @param field of the job that holds the patch
 * @param onlyContainer name of the pod's one container
 * @param fetches whether the pod has an init container that downloads
 */
record PodTemplatePatch(String field, String onlyContainer, boolean fetches, JsonNode patch) {
    private static final Set<String> POD_FIELDS = Set.of(
            "nodeSelector",
            "tolerations",
            "affinity",
            "topologySpreadConstraints",
            "schedulerName",
            "priorityClassName",
            "runtimeClassName",
            "imagePullSecrets",
            "volumes",
            "initContainers",
            "containers");
    private static final Set<String> CONTAINER_FIELDS = Set.of("name", "env", "volumeMounts");
    private static final Set<String> VOLUMES = Set.of(MountedClaims.WORK, JobManifest.VOLUME, "tmp", "shm");
    private static final List<String> MOUNTS = List.of(
            "/var/lib/rlvr",
            "/var/lib/rlvr-jobs",
            "/var/lib/rlvr-hub",
            "/pvc",
            "/etc/rlvr",
            "/tmp",
            "/dev/shm",
            "/opt/rlvr");
    private static final Set<String> VARIABLES = Set.of("HOME", "HF_TOKEN", "JOB_COMPLETION_INDEX");
    private static final List<String> LABELS = List.of("rlvr.dev/", "batch.kubernetes.io/", "kueue.x-k8s.io/");

    static Optional<PodTemplatePatch> of(
            String field, String onlyContainer, boolean fetches, @Nullable JsonNode patch) {
        return Optional.ofNullable(patch).map(given -> new PodTemplatePatch(field, onlyContainer, fetches, given));
    }

    /** What of the patch cannot be applied: one sentence each, with the field and what is allowed. */
    List<String> problems() {
        List<String> problems = new ArrayList<>();
        fields(field, patch, Set.of("metadata", "spec"), problems);
        fields(field + ".metadata", patch.path("metadata"), Set.of("labels", "annotations"), problems);
        fields(field + ".spec", patch.path("spec"), POD_FIELDS, problems);
        for (String list : List.of("containers", "initContainers")) {
            patch.path("spec")
                    .path(list)
                    .forEach(container ->
                            fields("%s.spec.%s[]".formatted(field, list), container, CONTAINER_FIELDS, problems));
        }
        if (!problems.isEmpty()) {
            return problems;
        }
        PodTemplateSpec typed;
        try {
            typed = typed();
        } catch (KubernetesClientException | IllegalArgumentException e) {
            return List.of(field + ": is not a pod template: "
                    + String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
        }
        labels(typed).keySet().stream()
                .filter(PodTemplatePatch::reservedLabel)
                .forEach(label -> problems.add(field + ".metadata.labels: " + label + " is the operator's"));
        containers(typed, PodSpec::getContainers).forEach(container -> {
            String path = path("containers", container);
            if (!onlyContainer.equals(container.getName())) {
                problems.add(path + ": the pod has one container, " + onlyContainer);
            }
            container(path, container, problems);
        });
        containers(typed, PodSpec::getInitContainers).forEach(container -> {
            String path = path("initContainers", container);
            if (!fetches || !FetchContainer.CONTAINER.equals(container.getName())) {
                problems.add(path + ": the pod has "
                        + (fetches
                                ? "one init container, " + FetchContainer.CONTAINER
                                : "no init container, since no source is hf://"));
            }
            container(path, container, problems);
        });
        Optional.ofNullable(typed.getSpec()).map(PodSpec::getVolumes).orElse(List.of()).stream()
                .map(Volume::getName)
                .filter(name -> VOLUMES.contains(name) || name.startsWith(MountedClaims.SOURCE_PREFIX))
                .forEach(name -> problems.add(field + ".spec.volumes: " + name
                        + " is a volume of the operator's; choose another name (not work, job, tmp, shm or pvc-...)"));
        return problems;
    }

    private static void fields(String path, JsonNode node, Set<String> allowed, List<String> problems) {
        if (!node.isMissingNode() && !node.isObject()) {
            problems.add(path + ": must be an object");
        }
        node.fieldNames().forEachRemaining(name -> {
            if (!allowed.contains(name)) {
                problems.add(path + "." + name + ": cannot be patched; allowed are "
                        + String.join(", ", allowed.stream().sorted().toList()));
            }
        });
    }

    private String path(String list, Container container) {
        return "%s.spec.%s[%s]".formatted(field, list, container.getName());
    }

    private static void container(String path, Container container, List<String> problems) {
        container.getEnv().stream()
                .map(EnvVar::getName)
                .filter(name -> name.startsWith("RLVR_") || VARIABLES.contains(name))
                .forEach(name -> problems.add(path + ".env: " + name + " is set by the operator"));
        container.getVolumeMounts().stream()
                .map(VolumeMount::getMountPath)
                .filter(mount -> MOUNTS.stream().anyMatch(own -> mount.equals(own) || mount.startsWith(own + "/")))
                .forEach(mount -> problems.add(path + ".volumeMounts: " + mount
                        + " is the operator's; allowed are paths" + " outside " + String.join(", ", MOUNTS)));
    }

    private static boolean reservedLabel(String label) {
        return label.startsWith("app.kubernetes.io/") || LABELS.stream().anyMatch(label::startsWith);
    }

    /** The generated template with the patch on it; only for a patch without {@link #problems()}. */
    PodTemplateSpec applyTo(PodTemplateSpec generated) {
        PodTemplateSpec typed = typed();
        PodTemplateSpecBuilder result = new PodTemplateSpecBuilder(generated)
                .editMetadata()
                .addToLabels(labels(typed))
                .addToAnnotations(Optional.ofNullable(typed.getMetadata())
                        .map(metadata -> metadata.getAnnotations())
                        .orElse(Map.of()))
                .endMetadata();
        return typed.getSpec() == null
                ? result.build()
                : result.withSpec(merge(generated.getSpec(), typed.getSpec())).build();
    }

    private static PodSpec merge(PodSpec generated, PodSpec patch) {
        PodSpecBuilder result = new PodSpecBuilder(generated)
                .withTolerations(patch.getTolerations())
                .withAffinity(patch.getAffinity())
                .withTopologySpreadConstraints(patch.getTopologySpreadConstraints())
                .withSchedulerName(Optional.ofNullable(patch.getSchedulerName()).orElse(generated.getSchedulerName()))
                .withPriorityClassName(patch.getPriorityClassName())
                .withRuntimeClassName(patch.getRuntimeClassName())
                .withImagePullSecrets(patch.getImagePullSecrets())
                .addAllToVolumes(patch.getVolumes());
        if (patch.getNodeSelector() != null && !patch.getNodeSelector().isEmpty()) {
            result.withNodeSelector(new TreeMap<>(patch.getNodeSelector()));
        }
        return result.withContainers(merge(generated.getContainers(), patch.getContainers()))
                .withInitContainers(merge(generated.getInitContainers(), patch.getInitContainers()))
                .build();
    }

    /** The pod has at most one of each, and what is added is for that one. */
    private static List<Container> merge(List<Container> generated, List<Container> patches) {
        return generated.stream()
                .map(container -> {
                    ContainerBuilder merged = new ContainerBuilder(container);
                    for (Container added : patches) {
                        merged.addAllToEnv(added.getEnv()).addAllToVolumeMounts(added.getVolumeMounts());
                    }
                    return merged.build();
                })
                .toList();
    }

    private PodTemplateSpec typed() {
        return Serialization.unmarshal(patch.toString(), PodTemplateSpec.class);
    }

    private static Map<String, String> labels(PodTemplateSpec template) {
        return Optional.ofNullable(template.getMetadata())
                .map(metadata -> metadata.getLabels())
                .orElse(Map.of());
    }

    private static Stream<Container> containers(PodTemplateSpec template, Function<PodSpec, List<Container>> which) {
        return Optional.ofNullable(template.getSpec()).map(which).orElse(List.of()).stream();
    }
}
