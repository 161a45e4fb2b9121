package dev.rlvr.e2e.scale;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Writes what the operator writes for a job, without an operator: the same objects, copied from those of a job that the operator has brought
 * to run, and as many status patches. It reads nothing, decides nothing and waits for nothing, so no operator can do it faster.
 *
 * @param account has the operator's rights, and writes the rest: who may do all is not asked whether he may grant a role
 * @param fleet creates the job, with all rights
 * @param sample what the operator made for a job, in order of creation; JSON without what the server fills in
 * @param sampleName name of that job
 * @param sampleUid uid of that job
 * @param statuses the statuses that the operator stored for it; JSON
 */
record BareClient(
        KubernetesClient account,
        Fleet fleet,
        List<String> sample,
        String sampleName,
        String sampleUid,
        List<String> statuses) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final PatchContext APPLY = new PatchContext.Builder()
            .withPatchType(PatchType.SERVER_SIDE_APPLY)
            .withFieldManager("bare-client")
            .withForce(true)
            .build();
    private static final List<Kind> KINDS = List.of(
            new Kind("v1", "PersistentVolumeClaim"),
            new Kind("v1", "ServiceAccount"),
            new Kind("rbac.authorization.k8s.io/v1", "Role"),
            new Kind("rbac.authorization.k8s.io/v1", "RoleBinding"),
            new Kind("v1", "Service"),
            new Kind("v1", "ConfigMap"),
            new Kind("batch/v1", "Job"),
            new Kind("events.k8s.io/v1", "Event"));
    private static final List<String> JOB_LABELS =
            List.of("controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name");

    private record Kind(String apiVersion, String kind) {}

    /**
     * Takes the objects of a job that runs for a sample.
     *
     * @param statuses how many status writes the operator made for it
     */
    static BareClient like(KubernetesClient account, Fleet fleet, String job, int statuses) {
        JsonNode stored = tree(fleet.get(job));
        List<String> sample = new ArrayList<>();
        for (Kind kind : KINDS) {
            fleet
                    .client()
                    .genericKubernetesResources(kind.apiVersion(), kind.kind())
                    .inNamespace(fleet.namespace(job))
                    .list()
                    .getItems()
                    .stream()
                    .filter(object -> isOf(job, object))
                    .forEach(object -> sample.add(bare((ObjectNode) tree(object))));
        }
        String status = stored.path("status").toString();
        return new BareClient(
                account,
                fleet,
                sample,
                job,
                stored.path("metadata").path("uid").asText(),
                // not equal to one another, or a patch would change nothing and be cheaper
                IntStream.range(0, statuses)
                        .mapToObj(i -> status.replaceFirst("\"message\":\"", "\"message\":\"" + i + " "))
                        .toList());
    }

    private static boolean isOf(String job, GenericKubernetesResource object) {
        return object.getKind().equals("Event")
                ? tree(object).path("regarding").path("name").asText().equals(job)
                : object.getMetadata().getLabels() != null
                        && job.equals(object.getMetadata().getLabels().get("rlvr.dev/job"));
    }

    /** As it was sent to the server. */
    private static String bare(ObjectNode object) {
        object.remove("status");
        ((ObjectNode) object.path("metadata"))
                .remove(List.of(
                        "uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "finalizers"));
        switch (object.path("kind").asText()) {
            case "Job" -> {
                ((ObjectNode) object.path("spec")).remove("selector");
                ((ObjectNode) object.path("metadata").path("labels")).remove(JOB_LABELS);
                ((ObjectNode) object.path("spec")
                                .path("template")
                                .path("metadata")
                                .path("labels"))
                        .remove(JOB_LABELS);
            }
            case "PersistentVolumeClaim" -> {
                ((ObjectNode) object.path("spec")).remove("volumeName");
                ((ObjectNode) object.path("metadata")).remove("annotations");
            }
            default -> {}
        }
        return object.toString();
    }

    private static JsonNode tree(HasMetadata object) {
        try {
            return JSON.readTree(Serialization.asJson(object));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Creates a job and everything that the operator would make for it. */
    void create(String name) {
        GenericKubernetesResource job = fleet.create(name);
        String uid = job.getMetadata().getUid();
        // the first announces the attempt, the others follow its Job
        patch(name, statuses.getFirst());
        for (String object : sample) {
            String own = object.replace(sampleUid, uid)
                    .replace(sampleName, name)
                    .replace(fleet.namespace(sampleName), fleet.namespace(name));
            account.resource(Serialization.unmarshal(own, GenericKubernetesResource.class))
                    .create();
        }
        statuses.stream().skip(1).forEach(status -> patch(name, status));
    }

    private void patch(String name, String status) {
        ObjectNode patch =
                JSON.createObjectNode().put("apiVersion", "rlvr.dev/v1alpha1").put("kind", "RLVRJob");
        patch.putObject("metadata").put("namespace", fleet.namespace(name)).put("name", name);
        try {
            patch.set("status", JSON.readTree(status));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        account.resource(Serialization.unmarshal(patch.toString(), GenericKubernetesResource.class))
                .subresource("status")
                .patch(APPLY);
    }

    /** Requests for one job. */
    int requests() {
        return 1 + statuses.size() + sample.size();
    }
}
