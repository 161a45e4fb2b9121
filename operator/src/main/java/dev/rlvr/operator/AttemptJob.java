package dev.rlvr.operator;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.PodFailurePolicy;
import io.fabric8.kubernetes.api.model.batch.v1.PodFailurePolicyBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.PodFailurePolicyRule;
import io.fabric8.kubernetes.api.model.batch.v1.PodFailurePolicyRuleBuilder;
import java.util.Map;
import java.util.Optional;

/** One attempt: an Indexed Job, one completion per trainer pod, that ends with its first failed pod. Restarts are new attempts. */
final class AttemptJob {
    /** Prefix of labels that Kueue reads from a Job: copied from the RLVRJob. */
    static final String KUEUE = "kueue.x-k8s.io/";

    /** Label by which Kueue admits a Job. */
    static final String QUEUE = KUEUE + "queue-name";

    private AttemptJob() {}

    static Job of(Ownership owner, int attempt, Settings settings) {
        Map<String, String> labels = owner.labels(attempt);
        Optional<String> queue = owner.queue();
        queue.ifPresent(name -> labels.putAll(owner.queueLabels()));
        int replicas = owner.job().getSpec().trainer().replicas();
        return new JobBuilder()
                .withMetadata(new ObjectMetaBuilder()
                        .withNamespace(owner.namespace())
                        .withName(owner.attemptName(attempt))
                        .withLabels(labels)
                        .withOwnerReferences(owner.reference())
                        .build())
                .withNewSpec()
                .withCompletionMode("Indexed")
                .withCompletions(replicas)
                .withParallelism(replicas)
                .withBackoffLimit(0)
                .withPodReplacementPolicy("Failed")
                .withPodFailurePolicy(failurePolicy(owner.job().getSpec().fetches()))
                // only now: later, admission is the queue's business alone
                .withSuspend(queue.isPresent() ? Boolean.TRUE : null)
                .withTemplate(new TrainerPod(owner, attempt, settings).template())
                .endSpec()
                .build();
    }

    /** Each rule ends the Job at once; which one did it, and the exit code, are in the words of its Failed condition when pods are gone. */
    private static PodFailurePolicy failurePolicy(boolean fetches) {
        PodFailurePolicyBuilder policy = new PodFailurePolicyBuilder()
                .addNewRule()
                .withAction("FailJob")
                .addNewOnPodCondition("True", "DisruptionTarget")
                .endRule()
                .addToRules(onExit(TrainerPod.CONTAINER));
        // the API server refuses a rule for a container that the pod does not have
        return (fetches ? policy.addToRules(onExit(FetchContainer.CONTAINER)) : policy).build();
    }

    private static PodFailurePolicyRule onExit(String container) {
        return new PodFailurePolicyRuleBuilder()
                .withAction("FailJob")
                .withNewOnExitCodes()
                .withContainerName(container)
                .withOperator("NotIn")
                .withValues(0)
                .endOnExitCodes()
                .build();
    }
}
