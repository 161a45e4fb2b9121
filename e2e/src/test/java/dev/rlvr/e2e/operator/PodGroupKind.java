package dev.rlvr.e2e.operator;

import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.time.Duration;
import org.awaitility.Awaitility;

/** Stand-ins of gang schedulers' kinds, with the fields that are used. */
public record PodGroupKind(ResourceDefinitionContext context) {
    /** Volcano's. */
    public static final PodGroupKind VOLCANO = of("scheduling.volcano.sh", "v1beta1");

    static final PodGroupKind COSCHEDULING = of("scheduling.x-k8s.io", "v1alpha1");

    private static PodGroupKind of(String group, String version) {
        return new PodGroupKind(new ResourceDefinitionContext.Builder()
                .withGroup(group)
                .withVersion(version)
                .withKind("PodGroup")
                .withPlural("podgroups")
                .withNamespaced(true)
                .build());
    }

    /** Applies it, and waits until its objects can be listed in a namespace. */
    public void install(KubernetesClient client, String namespace) {
        String name = "podgroups." + context.getGroup();
        client.resource(Serialization.unmarshal(
                        """
                        apiVersion: apiextensions.k8s.io/v1
                        kind: CustomResourceDefinition
                        metadata:
                          name: %s
                          annotations: {api-approved.kubernetes.io: unapproved}
                        spec:
                          group: %s
                          scope: Namespaced
                          names: {kind: PodGroup, plural: podgroups, singular: podgroup, listKind: PodGroupList}
                          versions:
                          - name: %s
                            served: true
                            storage: true
                            schema:
                              openAPIV3Schema:
                                type: object
                                properties:
                                  spec:
                                    type: object
                                    properties:
                                      minMember: {type: integer, minimum: 1}
                                      queue: {type: string}
                        """.formatted(name, context.getGroup(), context.getVersion()), CustomResourceDefinition.class))
                .serverSideApply();
        Awaitility.await(name)
                .atMost(Duration.ofSeconds(30))
                .ignoreExceptions()
                .until(() -> client.genericKubernetesResources(context)
                        .inNamespace(namespace)
                        .list()
                        .getItems()
                        .isEmpty());
    }
}
