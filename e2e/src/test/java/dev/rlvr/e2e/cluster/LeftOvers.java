package dev.rlvr.e2e.cluster;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What is in a namespace, and the volumes bound to it, besides what Kubernetes itself puts into each namespace. */
record LeftOvers(KubernetesClient client, String namespace) {
    Set<String> names() {
        Stream<? extends HasMetadata> objects = Stream.of(
                        client.batch().v1().jobs().inNamespace(namespace).list().getItems(),
                        client.apps()
                                .statefulSets()
                                .inNamespace(namespace)
                                .list()
                                .getItems(),
                        client.pods().inNamespace(namespace).list().getItems(),
                        client.services().inNamespace(namespace).list().getItems(),
                        client.configMaps().inNamespace(namespace).list().getItems(),
                        client.serviceAccounts().inNamespace(namespace).list().getItems(),
                        client.rbac().roles().inNamespace(namespace).list().getItems(),
                        client.rbac()
                                .roleBindings()
                                .inNamespace(namespace)
                                .list()
                                .getItems(),
                        client.persistentVolumeClaims()
                                .inNamespace(namespace)
                                .list()
                                .getItems())
                .flatMap(List::stream);
        Stream<? extends HasMetadata> volumes = client.persistentVolumes().list().getItems().stream()
                .filter(volume -> volume.getSpec().getClaimRef() != null
                        && namespace.equals(volume.getSpec().getClaimRef().getNamespace()));
        return Stream.concat(objects, volumes)
                .map(object -> object.getKind() + "/" + object.getMetadata().getName())
                .filter(name -> !name.equals("ConfigMap/kube-root-ca.crt") && !name.equals("ServiceAccount/default"))
                .collect(Collectors.toSet());
    }
}
