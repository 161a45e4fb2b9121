package dev.rlvr.e2e.faults;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The processes of one attempt. All trainers in this process namespace are its own. */
final class Attempt {
    private static final int LOOK_MILLIS = 50;

    /** Each pod's network has its own, and the first pod's own ports are chosen by the kernel from 32768 on. */
    private static final int FIRST_PORT = 20_000;

    private final int number;
    private final JobFolder job;
    private final List<Process> launchers;
    private final long startedAt = System.nanoTime();
    private final Set<Long> frozen = new HashSet<>();
    private final Set<Long> killed = new HashSet<>();

    private Attempt(int number, JobFolder job, List<Process> launchers) {
        this.number = number;
        this.job = job;
        this.launchers = launchers;
    }

    static Attempt start(Trainer trainer, Pods pods, JobFolder job, Schedule schedule, int number) throws IOException {
        List<Process> launchers = new ArrayList<>();
        for (int pod = 0; pod < schedule.pods(); pod++) {
            launchers.add(trainer.launch(pods, job, number, pod, FIRST_PORT + number));
        }
        return new Attempt(number, job, launchers);
    }

    int number() {
        return number;
    }

    long startedAt() {
        return startedAt;
    }

    /** The step it goes on from; empty until all ranks have met and rank 0 has said so. */
    OptionalInt from() throws IOException {
        Pattern line = Pattern.compile("attempt %d: (?:going on|starting) from step (\\d+)".formatted(number));
        Matcher said = line.matcher(log(0));
        return said.find() ? OptionalInt.of(Integer.parseInt(said.group(1))) : OptionalInt.empty();
    }

    /** What all pods have written. */
    Stream<String> lines() throws IOException {
        StringBuilder all = new StringBuilder();
        for (int pod = 0; pod < launchers.size(); pod++) {
            all.append(log(pod));
        }
        return all.toString().lines();
    }

    private String log(int pod) throws IOException {
        return Files.readString(job.log(number, pod), StandardCharsets.ISO_8859_1);
    }

    long launcher(int pod) {
        return launchers.get(pod).pid();
    }

    /** The process of a rank, once there is one; empty if the attempt ends before. */
    Optional<Long> rank(int rank) throws InterruptedException {
        while (!over()) {
            for (long trainer : trainers()) {
                if (environment(trainer).contains("\0RLVR_RANK=" + rank + "\0")) {
                    return Optional.of(trainer);
                }
            }
            Thread.sleep(LOOK_MILLIS);
        }
        return Optional.empty();
    }

    /** What people call a process. */
    String name(long process) {
        for (int pod = 0; pod < launchers.size(); pod++) {
            if (launcher(pod) == process) {
                return "launcher " + pod;
            }
        }
        Matcher rank = Pattern.compile("\0RLVR_RANK=(\\d+)\0").matcher(environment(process));
        return rank.find() ? "rank " + rank.group(1) : "a trainer";
    }

    void kill(long process) throws InterruptedException {
        killed.add(process);
        Commands.signal("KILL", process);
    }

    void freeze(long process) throws InterruptedException {
        frozen.add(process);
        Commands.signal("STOP", process);
    }

    /** Whether only frozen processes are left of it. */
    boolean over() {
        return trainers().stream().allMatch(frozen::contains);
    }

    /** Waits until it is over; returns whether that is in time. */
    boolean await(long untilNanos) throws InterruptedException {
        while (!over()) {
            if (System.nanoTime() > untilNanos) {
                return false;
            }
            Thread.sleep(LOOK_MILLIS);
        }
        return true;
    }

    /** Does what a back end does at last: ends what cannot end by itself. */
    void clean() throws InterruptedException, Violation {
        for (long process : frozen) {
            Commands.signal("KILL", process);
        }
        for (Process launcher : launchers) {
            launcher.waitFor();
        }
        long end = System.nanoTime() + 2_000_000_000L;
        while (!trainers().isEmpty()) {
            if (System.nanoTime() > end) {
                throw new Violation(
                        "left behind: " + trainers().stream().map(this::name).toList());
            }
            Thread.sleep(LOOK_MILLIS);
        }
    }

    /** Ends everything, where it did not end as it should have: nothing of it may be there when the next begins. */
    void abort() throws InterruptedException {
        for (List<Long> there = trainers(); !there.isEmpty(); there = trainers()) {
            for (long process : there) {
                Commands.signal("KILL", process);
            }
            Thread.sleep(LOOK_MILLIS);
        }
    }

    /**
     * Whether all has gone well, of an attempt that was cleaned up.
     *
     * @throws Violation if a launcher that was let live ended with another code than 0 and 75, or without a word
     */
    boolean succeeded() throws IOException, Violation {
        boolean succeeded = true;
        for (int pod = 0; pod < launchers.size(); pod++) {
            int code = launchers.get(pod).exitValue();
            succeeded &= code == 0;
            boolean untouched = !killed.contains(launcher(pod)) && !frozen.contains(launcher(pod));
            if (untouched && code != 0 && (code != 75 || words(pod).isBlank())) {
                throw new Violation("launcher %d ended with code %d: '%s'".formatted(pod, code, words(pod)));
            }
        }
        return succeeded;
    }

    /** Why it ended, as the launchers say that were let live. */
    String why() throws IOException {
        Set<String> words = new HashSet<>();
        for (int pod = 0; pod < launchers.size(); pod++) {
            if (!words(pod).isBlank()) {
                words.add(words(pod));
            }
        }
        return String.join(" | ", words);
    }

    private String words(int pod) throws IOException {
        Path words = job.lastWords(number, pod);
        return Files.exists(words) ? Files.readString(words).strip() : "";
    }

    private static List<Long> trainers() {
        try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
            return processes
                    .map(path -> path.getFileName().toString())
                    .filter(name -> name.matches("\\d+"))
                    .map(Long::parseLong)
                    .filter(process -> environment(process).contains("\0RLVR_ATTEMPT="))
                    .toList();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Empty for one that has ended. */
    private static String environment(long process) {
        try {
            return "\0" + Files.readString(Path.of("/proc/" + process + "/environ"), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return "";
        }
    }
}
