package dev.rlvr.e2e.chaos;

import dev.rlvr.e2e.chaos.Storm.Succession;
import dev.rlvr.operator.RLVRJobReconciler;
import dev.rlvr.operator.Settings;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.javaoperatorsdk.operator.Operator;
import io.javaoperatorsdk.operator.OperatorException;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The operator of a namespace, started again whenever it dies: at once, or only after the next one works already. */
final class Operators implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Operators.class);
    private static final int PATIENCE_MILLIS = 4_000;

    /** How long two work beside each other. */
    private static final Duration BESIDE = Duration.ofSeconds(1);

    private final ChaosProxy proxy;
    private final String kubeconfig;
    private final String namespace;
    private final Clock clock;
    private final ExecutorService successions = Executors.newSingleThreadExecutor();
    private final AtomicInteger replaced = new AtomicInteger();
    private Optional<Running> current = Optional.empty();

    Operators(ChaosProxy proxy, String kubeconfig, String namespace, Clock clock) {
        this.proxy = proxy;
        this.kubeconfig = kubeconfig;
        this.namespace = namespace;
        this.clock = clock;
    }

    private record Running(Operator operator, Door door) {
        void kill() {
            door.shut();
            operator.stop();
        }
    }

    /** Starts the first one, and waits until it works. */
    void start() throws InterruptedException {
        try {
            successions.submit(() -> current = Optional.of(next())).get();
        } catch (ExecutionException e) {
            throw new IllegalStateException("the operator does not start", e);
        }
    }

    /** How often one was replaced. */
    int replaced() {
        return replaced.get();
    }

    private void replace(Door door, Succession succession) {
        successions.execute(() -> {
            Running last = current.orElseThrow();
            // it may have been replaced already, or never have come to work
            if (!last.door().equals(door)) {
                return;
            }
            replaced.incrementAndGet();
            if (succession == Succession.BeforeDeath) {
                current = Optional.of(next());
                pause(BESIDE);
                last.kill();
            } else {
                last.kill();
                current = Optional.of(next());
            }
        });
    }

    private static void pause(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** What a restart policy does: one that cannot start in this weather is started again. */
    private Running next() {
        while (true) {
            Door[] own = new Door[1];
            Door door = proxy.open(succession -> replace(own[0], succession));
            own[0] = door;
            Operator operator = operator(door);
            try {
                operator.start();
                return new Running(operator, door);
            } catch (OperatorException | IllegalStateException e) {
                LOG.info("{}: the operator does not start: {}", namespace, e.getMessage());
                new Running(operator, door).kill();
            }
        }
    }

    private Operator operator(Door door) {
        Config config = Config.fromKubeconfig(kubeconfig);
        config.setMasterUrl(door.url().toString());
        config.setRequestTimeout(PATIENCE_MILLIS);
        config.setRequestRetryBackoffLimit(proxy.storm().shared().nextInt(2) * 3);
        KubernetesClient client =
                new KubernetesClientBuilder().withConfig(config).build();
        Operator operator = new Operator(overrider -> overrider
                .withKubernetesClient(client)
                .withCloseClientOnStop(true)
                .withReconciliationTerminationTimeout(Duration.ZERO));
        operator.register(
                new FastReconciler(new RLVRJobReconciler(client, Settings.DEFAULT, clock)),
                configuration -> configuration.settingNamespaces(Set.of(namespace)));
        return operator;
    }

    @Override
    public void close() {
        successions.execute(() -> current.ifPresent(Running::kill));
        successions.close();
    }
}
