package dev.rlvr.e2e.faults;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.LongFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The networks of two pods: this process's own network namespace and that of another process, joined by a pair of virtual Ethernet devices.
 * Each pod's address is on its loopback device, so that its own ranks reach each other also while it is cut off.
 */
final class Pods {
    private static final Pattern CONNECTION = Pattern.compile(":(\\d+)\\s+\\S+:(\\d+)\\s.*?pid=(\\d+)");
    private static final String CABLE = "pod0";

    private final List<List<String>> inside;

    private Pods(List<List<String>> inside) {
        this.inside = inside;
    }

    /** Lays the cable; {@code other} is the process that has the second pod's network namespace. */
    static Pods join(long other) throws IOException, InterruptedException {
        List<String> enter = List.of("nsenter", "--net=/proc/" + other + "/ns/net");
        Pods pods = new Pods(List.of(List.of(), enter));
        Commands.run(words("ip link add %s type veth peer name pod1 netns %d".formatted(CABLE, other)));
        for (int pod = 0; pod < 2; pod++) {
            pods.ip(pod, "link set lo up");
            pods.ip(pod, "addr add %s/32 dev lo".formatted(pods.address(pod)));
        }
        pods.ip(1, "link set pod1 up");
        pods.ip(1, "route add %s dev pod1 src %s".formatted(pods.address(0), pods.address(1)));
        pods.restore();
        return pods;
    }

    String address(int pod) {
        return "10.77.0." + (pod + 1);
    }

    /** The words of a command, for it to run in a pod's network. */
    List<String> in(int pod, List<String> command) {
        List<String> words = new ArrayList<>(inside.get(pod));
        words.addAll(command);
        return words;
    }

    /** From now on nothing that one pod sends reaches the other, and nobody is told. */
    void cut() throws IOException, InterruptedException {
        ip(0, "link set " + CABLE + " down");
    }

    void restore() throws IOException, InterruptedException {
        ip(0, "link set " + CABLE + " up");
        ip(0, "route replace %s dev %s src %s".formatted(address(1), CABLE, address(0)));
    }

    /**
     * Resets one connection of a pod.
     *
     * @param names what the process with a number is called
     * @return between whom it was; empty where there is none
     */
    Optional<String> reset(int pod, SplittableRandom random, LongFunction<String> names)
            throws IOException, InterruptedException {
        List<Matcher> found = new ArrayList<>();
        for (String line : Commands.run(in(pod, words("ss -Htnp state established")))
                .lines()
                .toList()) {
            Matcher connection = CONNECTION.matcher(line);
            if (connection.find()) {
                found.add(connection);
            }
        }
        if (found.isEmpty()) {
            return Optional.empty();
        }
        Matcher one = found.get(random.nextInt(found.size()));
        Commands.run(in(pod, words("ss -K -tn sport = :%s dport = :%s".formatted(one.group(1), one.group(2)))));
        String peer = found.stream()
                .filter(other ->
                        other.group(1).equals(one.group(2)) && other.group(2).equals(one.group(1)))
                .map(other -> names.apply(Long.parseLong(other.group(3))))
                .findFirst()
                .orElse("the other pod");
        return Optional.of(names.apply(Long.parseLong(one.group(3))) + " - " + peer);
    }

    private void ip(int pod, String arguments) throws IOException, InterruptedException {
        Commands.run(in(pod, words("ip " + arguments)));
    }

    private static List<String> words(String command) {
        return List.of(command.split(" "));
    }
}
