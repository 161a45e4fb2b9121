package dev.rlvr.e2e.operator;

import dev.rlvr.e2e.ApiServer;
import io.fabric8.kubernetes.api.model.ServiceAccountBuilder;
import io.fabric8.kubernetes.api.model.rbac.ClusterRole;
import io.fabric8.kubernetes.api.model.rbac.PolicyRule;
import io.fabric8.kubernetes.api.model.rbac.RoleBinding;
import io.fabric8.kubernetes.api.model.rbac.RoleBindingBuilder;
import io.fabric8.kubernetes.api.model.rbac.RoleBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;

/** A service account that has what {@code operator/deploy/cluster-role.yaml} says, in one namespace, and nothing else. */
public final class OperatorRights {
    /** The account's name. */
    public static final String ACCOUNT = "the-operator";

    private static final Path ROLE =
            Path.of(System.getProperty("rlvr.checkout"), "operator", "deploy", "cluster-role.yaml");

    private OperatorRights() {}

    /** Makes that account in a namespace. */
    public static void grant(KubernetesClient admin, String namespace) {
        ClusterRole role = role();
        admin.resource(role).serverSideApply();
        admin.resource(new ServiceAccountBuilder()
                        .withNewMetadata()
                        .withNamespace(namespace)
                        .withName(ACCOUNT)
                        .endMetadata()
                        .build())
                .create();
        admin.resource(binding(namespace, "ClusterRole", role.getMetadata().getName()))
                .create();
    }

    /** Replaces what was granted by the same without one API group. */
    static void grantWithout(KubernetesClient admin, String namespace, String apiGroup) {
        ClusterRole all = role();
        admin.resource(new RoleBuilder()
                        .withNewMetadata()
                        .withNamespace(namespace)
                        .withName(ACCOUNT)
                        .endMetadata()
                        .withRules(all.getRules().stream()
                                .filter(rule -> !rule.getApiGroups().contains(apiGroup))
                                .toList())
                        .build())
                .create();
        admin.rbac().roleBindings().inNamespace(namespace).withName(ACCOUNT).delete();
        admin.resource(binding(namespace, "Role", ACCOUNT)).create();
    }

    private static RoleBinding binding(String namespace, String kind, String role) {
        return new RoleBindingBuilder()
                .withNewMetadata()
                .withNamespace(namespace)
                .withName(ACCOUNT)
                .endMetadata()
                .withNewRoleRef("rbac.authorization.k8s.io", kind, role)
                .addNewSubject("", "ServiceAccount", ACCOUNT, namespace)
                .build();
    }

    /** All that the role grants. */
    static Set<UsedRight> granted() {
        Set<UsedRight> granted = new TreeSet<>();
        for (PolicyRule rule : role().getRules()) {
            for (String group : rule.getApiGroups()) {
                for (String resource : rule.getResources()) {
                    rule.getVerbs().forEach(verb -> granted.add(new UsedRight(group, resource, verb)));
                }
            }
        }
        return granted;
    }

    /** A kubeconfig of that account. */
    public static String kubeconfig(ApiServer api, String namespace) {
        return api.kubeconfig(api.serviceAccountToken(namespace, ACCOUNT));
    }

    private static ClusterRole role() {
        try {
            return Serialization.unmarshal(Files.readString(ROLE), ClusterRole.class);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
