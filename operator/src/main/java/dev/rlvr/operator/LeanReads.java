package dev.rlvr.operator;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.annotation.JsonDeserialize;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.util.StdConverter;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodStatus;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.batch.v1.JobSpec;
import io.fabric8.kubernetes.api.model.batch.v1.JobStatus;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.api.model.rbac.RoleBinding;
import io.quarkus.kubernetes.client.KubernetesClientObjectMapperCustomizer;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.Map;

/**
 * Leaves out of everything that the client reads what nobody here asks for: who wrote which field, of the operator's own objects the specs,
 * which it made itself, and of manifests all but their fingerprints. Together they are most of an object, so caches of thousands of jobs stay
 * small, whichever namespace they are of; what is left shares its strings and has no empty collections of its own.
 * What is written is written whole.
 */
@Singleton
public final class LeanReads implements KubernetesClientObjectMapperCustomizer {
    @Override
    public void customize(ObjectMapper mapper) {
        mapper.addMixIn(ObjectMeta.class, OfMetadata.class);
        mapper.addMixIn(PodSpec.class, OfPodSpec.class);
        mapper.addMixIn(Container.class, OfContainer.class);
        mapper.addMixIn(PodStatus.class, OfPodStatus.class);
        mapper.addMixIn(ContainerStatus.class, OfContainerStatus.class);
        mapper.addMixIn(JobSpec.class, OfJobSpec.class);
        mapper.addMixIn(JobStatus.class, OfJobStatus.class);
        mapper.addMixIn(StatefulSet.class, OfSpec.class);
        mapper.addMixIn(Service.class, OfSpecAndStatus.class);
        mapper.addMixIn(PersistentVolumeClaim.class, OfSpecAndStatus.class);
        mapper.addMixIn(ConfigMap.class, OfConfigMap.class);
        mapper.addMixIn(Role.class, OfRole.class);
        mapper.addMixIn(RoleBinding.class, OfRoleBinding.class);
        mapper.registerModule(new SimpleModule("small")
                .addDeserializer(String.class, new SharedStrings())
                .setDeserializerModifier(new SmallCollections()));
    }

    @JsonIgnoreProperties("managedFields")
    private interface OfMetadata {}

    /** The node's name, and of containers what follows, are read. */
    @JsonIgnoreProperties(
            value = {
                "affinity",
                "dnsConfig",
                "ephemeralContainers",
                "hostAliases",
                "imagePullSecrets",
                "initContainers",
                "nodeSelector",
                "overhead",
                "readinessGates",
                "resourceClaims",
                "schedulingGates",
                "securityContext",
                "tolerations",
                "topologySpreadConstraints",
                "volumes"
            },
            allowGetters = true)
    private interface OfPodSpec {}

    /** The name and the limit of memory are read. */
    @JsonIgnoreProperties(
            value = {
                "args",
                "command",
                "env",
                "envFrom",
                "image",
                "lifecycle",
                "livenessProbe",
                "ports",
                "readinessProbe",
                "securityContext",
                "startupProbe",
                "volumeDevices",
                "volumeMounts"
            },
            allowGetters = true)
    private interface OfContainer {}

    @JsonIgnoreProperties(
            value = {"allocatedResources", "hostIP", "hostIPs", "podIP", "podIPs", "resourceClaimStatuses", "resources"
            },
            allowGetters = true)
    interface OfPodStatus {
        @JsonDeserialize(converter = AskedConditions.class)
        void setConditions(List<PodCondition> conditions);
    }

    static final class AskedConditions extends StdConverter<List<PodCondition>, List<PodCondition>> {
        @Override
        public List<PodCondition> convert(List<PodCondition> all) {
            return all.stream()
                    .filter(condition -> PodLife.CONDITIONS.contains(condition.getType()))
                    .toList();
        }
    }

    @JsonIgnoreProperties(
            value = {
                "allocatedResources",
                "allocatedResourcesStatus",
                "containerID",
                "imageID",
                "resources",
                "user",
                "volumeMounts"
            },
            allowGetters = true)
    private interface OfContainerStatus {}

    /** Whether it is suspended is read. */
    @JsonIgnoreProperties(
            value = {"podFailurePolicy", "selector", "successPolicy", "template"},
            allowGetters = true)
    private interface OfJobSpec {}

    /** Conditions are read. */
    @JsonIgnoreProperties(
            value = {"completedIndexes", "failedIndexes", "uncountedTerminatedPods"},
            allowGetters = true)
    private interface OfJobStatus {}

    @JsonIgnoreProperties(value = "spec", allowGetters = true)
    private interface OfSpec {}

    @JsonIgnoreProperties(
            value = {"spec", "status"},
            allowGetters = true)
    private interface OfSpecAndStatus {}

    /** Whether it is the manifest that is wanted is read. */
    interface OfConfigMap {
        @JsonDeserialize(contentUsing = Fingerprint.class)
        void setData(Map<String, String> data);
    }

    @JsonIgnoreProperties(value = "rules", allowGetters = true)
    private interface OfRole {}

    @JsonIgnoreProperties(
            value = {"roleRef", "subjects"},
            allowGetters = true)
    private interface OfRoleBinding {}
}
