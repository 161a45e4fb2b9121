package dev.rlvr.e2e.scale;

import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ServiceAccountBuilder;
import io.fabric8.kubernetes.api.model.rbac.ClusterRole;
import io.fabric8.kubernetes.api.model.rbac.ClusterRoleBindingBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What has to be there before the first job.
 *
 * @param client has all rights
 * @param fleet the jobs to come
 */
record Grounds(KubernetesClient client, Fleet fleet) {
    /** Creates the namespaces of the jobs and that of the operator. */
    void namespaces(String system) {
        for (String name :
                Stream.concat(fleet.namespaces().stream(), Stream.of(system)).toList()) {
            client.resource(new NamespaceBuilder()
                            .withNewMetadata()
                            .withName(name)
                            .endMetadata()
                            .build())
                    .create();
        }
    }

    /** Gives a new account what the role in a file says, in every namespace. */
    void grant(Path file, String system, String account) {
        ClusterRole role;
        try {
            role = Serialization.unmarshal(Files.readString(file), ClusterRole.class);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        client.resource(role).create();
        client.resource(new ServiceAccountBuilder()
                        .withNewMetadata()
                        .withNamespace(system)
                        .withName(account)
                        .endMetadata()
                        .build())
                .create();
        client.resource(new ClusterRoleBindingBuilder()
                        .withNewMetadata()
                        .withName(account)
                        .endMetadata()
                        .withNewRoleRef(
                                "rbac.authorization.k8s.io",
                                "ClusterRole",
                                role.getMetadata().getName())
                        .addNewSubject("", "ServiceAccount", account, system)
                        .build())
                .create();
    }

    /** In place of a provisioner: a volume that waits for the claim of a job. */
    void createVolume(String job) {
        client.resource(new PersistentVolumeBuilder()
                        .withNewMetadata()
                        .withName("of-" + job)
                        .endMetadata()
                        .withNewSpec()
                        .withCapacity(Map.of("storage", new Quantity("1Gi")))
                        .withAccessModes("ReadWriteOnce", "ReadWriteMany")
                        .withPersistentVolumeReclaimPolicy("Retain")
                        .withNewClaimRef()
                        .withApiVersion("v1")
                        .withKind("PersistentVolumeClaim")
                        .withNamespace(fleet.namespace(job))
                        .withName("rlvr-" + job)
                        .endClaimRef()
                        .withNewHostPath("/played", "")
                        .endSpec()
                        .build())
                .create();
    }
}
