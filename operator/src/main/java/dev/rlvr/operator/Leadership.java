package dev.rlvr.operator;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderCallbacks;
import io.javaoperatorsdk.operator.api.config.LeaderElectionConfiguration;
import jakarta.enterprise.context.Dependent;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Which of several replicas works: the one that holds a Lease in the operator's namespace. Without an election, every one does. */
@Singleton
final class Leadership {
    private static final Logger LOG = LoggerFactory.getLogger(Leadership.class);
    private static final int LOST = 1;

    private final KubernetesClient client;
    private final boolean elected;
    private final String lease;
    private final Optional<String> namespace;
    private final String identity;
    private volatile boolean leads;
    private volatile boolean stopping;

    Leadership(KubernetesClient client, SettingsMapping settings) {
        this.client = client;
        this.elected = settings.leaderElection();
        this.lease = settings.leaseName();
        this.namespace = settings.leaseNamespace();
        // the name alone would be the same again where a container restarts in its pod
        this.identity = Optional.ofNullable(System.getenv("HOSTNAME")).orElse("operator") + "-" + UUID.randomUUID();
        this.leads = !elected;
    }

    boolean leads() {
        return leads;
    }

    /** What the Operator SDK asks for; nothing where there is no election. */
    @Nullable
    // the builder leaves no choice but the SDK's own exit, and that would wait for the very shutdown that it is called
    // from
    @SuppressWarnings("deprecation")
    LeaderElectionConfiguration configuration() {
        if (!elected) {
            return null;
        }
        return new LeaderElectionConfiguration(
                lease,
                namespace.orElseGet(client::getNamespace),
                LeaderElectionConfiguration.LEASE_DURATION_DEFAULT_VALUE,
                LeaderElectionConfiguration.RENEW_DEADLINE_DEFAULT_VALUE,
                LeaderElectionConfiguration.RETRY_PERIOD_DEFAULT_VALUE,
                identity,
                new LeaderCallbacks(this::began, this::ended, this::changed),
                false);
    }

    private void began() {
        leads = true;
        LOG.info("This replica works ({})", identity);
    }

    /** Somebody else works from now on: nothing that is under way here may be written any more, so the process ends at once. */
    private void ended() {
        leads = false;
        if (!stopping) {
            LOG.error("The lease {} was lost; this replica ends, its next start stands by", lease);
            Runtime.getRuntime().halt(LOST);
        }
    }

    private void changed(String leader) {
        if (!leader.equals(identity)) {
            LOG.info("This replica stands by; {} works", leader);
        }
    }

    /** An orderly end begins, in which the SDK ends the election: that is no loss. */
    void stopping() {
        stopping = true;
    }

    /** Whoever stands by need not wait until the lease runs out. To be called last of all: nothing may be written after it. */
    void giveBack() {
        if (!elected) {
            return;
        }
        try {
            String where = namespace.orElseGet(client::getNamespace);
            Lease held = client.leases().inNamespace(where).withName(lease).get();
            if (held != null && identity.equals(held.getSpec().getHolderIdentity())) {
                held.getSpec().setHolderIdentity("");
                held.getSpec().setLeaseDurationSeconds(1);
                client.resource(held).update();
            }
        } catch (KubernetesClientException e) {
            LOG.warn("The lease {} could not be given back: {}", lease, e.getMessage());
        }
    }

    /** Hands the choice to the Operator SDK. */
    @Dependent
    static final class Election {
        @Produces
        @Dependent
        @Nullable
        LeaderElectionConfiguration configuration(Leadership leadership) {
            return leadership.configuration();
        }
    }
}
