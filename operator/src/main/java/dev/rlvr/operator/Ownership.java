package dev.rlvr.operator;

import dev.rlvr.crds.RLVRJob;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Names, labels and owner reference of what belongs to a job. Names are functions of the job's, so that creating twice changes nothing.
 *
 * @param claims checkpoint claims of other jobs, by job, where these exist
 */
record Ownership(RLVRJob job, Map<String, String> claims) {
    /** Value of the label that scopes every cache and every removal. */
    static final String MANAGER = "rlvr-operator";

    static final String MANAGED_BY = "app.kubernetes.io/managed-by";
    static final String JOB = RLVRJob.GROUP + "/job";
    static final String ATTEMPT = RLVRJob.GROUP + "/attempt";

    /** Tells what is of this job from what is left of a deleted one of the same name. */
    static final String UID = RLVRJob.GROUP + "/job-uid";

    /** Number under which attempts of such a deleted job are seen. */
    static final int LEFTOVERS = 0;

    Ownership(RLVRJob job) {
        this(job, Map.of());
    }

    String namespace() {
        return job.getMetadata().getNamespace();
    }

    String name() {
        return job.getMetadata().getName();
    }

    /** Name of what all attempts share; the prefix makes it a DNS-1035 label even where the job's name begins with a digit. */
    String sharedName() {
        return sharedName(name());
    }

    private static String sharedName(String job) {
        return "rlvr-" + job;
    }

    /** The claim that another job's checkpoints are on. One that was deleted has left that of its own name. */
    String claimOf(String other) {
        return claims.getOrDefault(other, sharedName(other));
    }

    /** The folder on a checkpoint volume that a job of this namespace writes to. */
    String workFolder(String job) {
        return namespace() + "-" + job;
    }

    String attemptName(int attempt) {
        return name() + "-" + attempt;
    }

    Map<String, String> labels() {
        return new TreeMap<>(Map.of(MANAGED_BY, MANAGER, "app.kubernetes.io/name", "rlvr-trainer", JOB, name()));
    }

    /** Labels by which the job's pods are found, trainers and servers alike. */
    Map<String, String> podSelector() {
        return new TreeMap<>(Map.of(MANAGED_BY, MANAGER, JOB, name()));
    }

    /** The queue that the job waits in, where it has one. */
    Optional<String> queue() {
        return Optional.ofNullable(job.getMetadata().getLabels()).map(labels -> labels.get(AttemptJob.QUEUE));
    }

    /** Everything that the job's labels tell Kueue: the queue, and perhaps a priority. */
    Map<String, String> queueLabels() {
        Map<String, String> labels =
                new TreeMap<>(Optional.ofNullable(job.getMetadata().getLabels()).orElse(Map.of()));
        labels.keySet().removeIf(label -> !label.startsWith(AttemptJob.KUEUE));
        return labels;
    }

    String labelSelector() {
        return "%s=%s,%s=%s".formatted(MANAGED_BY, MANAGER, JOB, name());
    }

    Map<String, String> labels(int attempt) {
        Map<String, String> labels = labels();
        labels.put(ATTEMPT, Integer.toString(attempt));
        labels.put(UID, job.getMetadata().getUid());
        return labels;
    }

    /** Metadata of something that goes when the job goes. */
    ObjectMeta shared() {
        return new ObjectMetaBuilder(kept()).withOwnerReferences(reference()).build();
    }

    /** Metadata of something that stays when the job goes. */
    ObjectMeta kept() {
        return new ObjectMetaBuilder()
                .withNamespace(namespace())
                .withName(sharedName())
                .withLabels(labels())
                .build();
    }

    OwnerReference reference() {
        return new OwnerReferenceBuilder()
                .withApiVersion(job.getApiVersion())
                .withKind(job.getKind())
                .withName(name())
                .withUid(job.getMetadata().getUid())
                .withController(true)
                .withBlockOwnerDeletion(true)
                .build();
    }

    /** Whether an object carries this job's labels. */
    boolean has(HasMetadata object) {
        Map<String, String> labels =
                Optional.ofNullable(object.getMetadata().getLabels()).orElse(Map.of());
        return MANAGER.equals(labels.get(MANAGED_BY)) && name().equals(labels.get(JOB));
    }

    /** Whether an object is not owned by another object: a deleted job of the same name, most likely. */
    boolean mayOwn(HasMetadata object) {
        return Optional.ofNullable(object.getMetadata().getOwnerReferences()).orElse(List.of()).stream()
                .filter(reference -> Boolean.TRUE.equals(reference.getController()))
                .allMatch(reference -> job.getMetadata().getUid().equals(reference.getUid()));
    }

    /** The attempt that a Job or pod belongs to; {@link #LEFTOVERS} where it is not of this job. */
    int attempt(HasMetadata object) {
        Map<String, String> labels =
                Optional.ofNullable(object.getMetadata().getLabels()).orElse(Map.of());
        String number = labels.getOrDefault(ATTEMPT, "");
        boolean own = job.getMetadata().getUid().equals(labels.get(UID));
        return own && number.matches("[1-9][0-9]{0,8}") ? Integer.parseInt(number) : LEFTOVERS;
    }
}
