package dev.rlvr.trainer.launch;

import dev.rlvr.crds.Durations;
import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.TrainerSpec;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * What a launcher goes by.
 *
 * @param world whose rank is the first of this pod
 * @param group name of this attempt of this job, unlike every other's
 * @param rendezvous where replica 0 listens; only where there are several replicas
 * @param bindHost this pod's own address, by which others reach it
 * @param threads of each rank
 * @param devices for {@code CUDA_VISIBLE_DEVICES} of each rank of this pod; empty on CPUs
 * @param startDeadline longest wait for all replicas
 * @param peerTimeout longest time from a loss until all ranks have ended
 */
public record LaunchSettings(
        World world,
        String group,
        Optional<Address> rendezvous,
        String bindHost,
        int threads,
        List<String> devices,
        Duration startDeadline,
        Duration peerTimeout) {
    public LaunchSettings {
        devices = List.copyOf(devices);
    }

    static final String GROUP = "RLVR_GROUP";
    static final String BIND_HOST = "RLVR_BIND_HOST";

    /** CUDA's own setting: a process sees the GPUs that it names, by number or id, and no others. */
    static final String DEVICES = "CUDA_VISIBLE_DEVICES";

    static final String RENDEZVOUS = "RLVR_RENDEZVOUS";

    /** A host, by name or address, and a port. */
    record Address(String host, int port) {
        static Address parse(String text) {
            int colon = text.lastIndexOf(':');
            if (colon < 1 || !text.substring(colon + 1).matches("[0-9]{1,5}")) {
                throw new IllegalArgumentException(RENDEZVOUS + ": '" + text + "' is not HOST:PORT");
            }
            return new Address(text.substring(0, colon), Integer.parseInt(text.substring(colon + 1)));
        }

        /** Looks the name up anew: a pod's name may not exist yet. */
        InetSocketAddress resolve() {
            return new InetSocketAddress(host, port);
        }

        @Override
        public String toString() {
            return host + ":" + port;
        }
    }

    /**
     * Reads them.
     *
     * @param job with its defaults
     * @param environment as {@code docs/trainer.md} describes it
     * @param cores that this process may use
     * @throws IllegalArgumentException if a variable is missing or makes no sense
     */
    public static LaunchSettings of(RLVRJob job, Map<String, String> environment, int cores) {
        World world = World.of(job.getSpec().trainer(), environment);
        Optional<Address> rendezvous =
                Optional.ofNullable(environment.get(RENDEZVOUS)).map(Address::parse);
        if (world.replicas() > 1 && rendezvous.isEmpty()) {
            throw new IllegalArgumentException(
                    RENDEZVOUS + ": is not set; with several replicas it says where replica 0 listens, as HOST:PORT");
        }
        String group = "%s/%s/%s"
                .formatted(
                        job.getMetadata().getNamespace(),
                        job.getMetadata().getName(),
                        environment.getOrDefault("RLVR_ATTEMPT", "1"));
        return new LaunchSettings(
                world,
                environment.getOrDefault(GROUP, group),
                rendezvous,
                environment.getOrDefault(BIND_HOST, "127.0.0.1"),
                world.threads(job.getSpec().trainer(), environment, cores),
                devices(job.getSpec().trainer(), environment),
                Durations.parse(job.getSpec().lifecycle().startDeadline()),
                Durations.parse(job.getSpec().lifecycle().peerTimeout()));
    }

    /** The first GPUs of those that this process may use, one for each rank. */
    private static List<String> devices(TrainerSpec trainer, Map<String, String> environment) {
        int gpus = trainer.gpusPerReplica();
        List<String> visible = environment.containsKey(DEVICES)
                ? List.of(environment.get(DEVICES).split(",", -1))
                : IntStream.range(0, gpus).mapToObj(Integer::toString).toList();
        if (visible.size() < gpus) {
            throw new IllegalArgumentException("%s: names %d GPUs, fewer than spec.trainer.gpusPerReplica %d"
                    .formatted(DEVICES, visible.size(), gpus));
        }
        return visible.subList(0, gpus);
    }

    /** Time that ranks get to end by themselves once one has failed, before they are killed. */
    Duration lastWords() {
        Duration most = Duration.ofSeconds(5);
        Duration share = peerTimeout.dividedBy(12);
        return share.compareTo(most) < 0 ? share : most;
    }

    /** Time that a JVM gets to start: more than a small peer timeout, for many may start at once. */
    Duration firstSign() {
        Duration least = Duration.ofSeconds(60);
        return peerTimeout.compareTo(least) > 0 ? peerTimeout : least;
    }
}
