package dev.rlvr.e2e.chaos;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.random.RandomGenerator;

/**
 * Decides what befalls requests and watches. A job's requests fare as its own seed has it, by their number: what other jobs do changes
 * nothing. Watches are all jobs', and fare by the seed of the first.
 */
final class Storm {
    private static final String EVERYBODY = "";
    private static final int SHARED_FAULTS = 10;

    /** Of a hundred statuses that nothing else befalls. */
    private static final int OVERTAKEN = 20;

    private final Map<String, Life> lives;
    private final Map<String, AtomicInteger> requests = new ConcurrentHashMap<>();
    private final Queue<Request> calm = new ConcurrentLinkedQueue<>();
    private final AtomicLong faults = new AtomicLong();
    private final RandomGenerator shared;
    private volatile boolean rages;

    Storm(Map<String, Life> lives, long seed) {
        this.lives = lives;
        this.shared = new SplittableRandom(seed);
    }

    /** What befalls a request, and who sent it. */
    record Blow(Fault fault, Succession succession) {
        static final Blow NONE = new Blow(Fault.NONE, Succession.None);
    }

    /** Whether the operator is replaced. */
    enum Succession {
        None,
        /** It dies right before the request; the next one starts after that. */
        AfterDeath,
        /** The next one starts, and works for a while beside it. */
        BeforeDeath
    }

    Blow blow(Request request) {
        int number = requests.computeIfAbsent(request.job().orElse(EVERYBODY), job -> new AtomicInteger())
                .getAndIncrement();
        if (!rages) {
            request.job().ifPresent(job -> calm.add(request));
            return Blow.NONE;
        }
        Optional<Life> life = request.job().map(lives::get);
        Blow blow = life.map(of -> blow(of.schedule(), request, number))
                .orElseGet(() -> new Blow(fault(request, SHARED_FAULTS, shared()), Succession.None));
        if (!blow.equals(Blow.NONE)) {
            faults.incrementAndGet();
            life.ifPresent(of -> of.note("request %d, %s: %s".formatted(number, request, text(blow))));
        }
        return blow;
    }

    private static Blow blow(Schedule schedule, Request request, int number) {
        RandomGenerator random = schedule.random(number, 2);
        if (schedule.kills().contains(number)) {
            return new Blow(Fault.NONE, random.nextBoolean() ? Succession.AfterDeath : Succession.BeforeDeath);
        }
        Fault fault = fault(request, schedule.faults(), random);
        if (fault.equals(Fault.NONE) && schedule.faults() > 0 && request.storesStatus()) {
            RandomGenerator own = schedule.random(number, 3);
            fault = hits(own, OVERTAKEN) ? Fault.overtaken(own) : fault;
        }
        return new Blow(fault, Succession.None);
    }

    private static Fault fault(Request request, int percent, RandomGenerator random) {
        return hits(random, percent) ? Fault.random(request, random) : Fault.NONE;
    }

    private static boolean hits(RandomGenerator random, int percent) {
        return random.nextInt(100) < percent;
    }

    /** Writes down what happens to a job, for its story. */
    void note(String job, String text) {
        lives.get(job).note(text);
    }

    /** As {@link Life#passed} of the job that it is about, if it is about one of these. */
    void passed(Life.Flight flight) {
        flight.request().job().map(lives::get).ifPresent(life -> life.passed(flight));
    }

    private static String text(Blow blow) {
        return switch (blow.succession()) {
            case None -> blow.fault().toString();
            case AfterDeath -> "the operator dies";
            case BeforeDeath -> "the operator gets a successor";
        };
    }

    WatchFault watch() {
        if (!rages) {
            return WatchFault.NONE;
        }
        faults.incrementAndGet();
        return WatchFault.random(shared());
    }

    /** Whether a list that any age will do for is an old one. */
    boolean listsAreOld() {
        return rages && hits(shared(), 50);
    }

    /** Random numbers that all jobs share. */
    synchronized RandomGenerator shared() {
        return new SplittableRandom(shared.nextLong());
    }

    void begins() {
        rages = true;
    }

    void ends() {
        rages = false;
    }

    boolean rages() {
        return rages;
    }

    /** How often something was befallen so far. */
    long faults() {
        return faults.get();
    }

    /** How many requests there were of jobs. */
    long requestsOfJobs() {
        return requests.entrySet().stream()
                .filter(entry -> !entry.getKey().equals(EVERYBODY))
                .mapToLong(entry -> entry.getValue().get())
                .sum();
    }

    void forgetCalm() {
        calm.clear();
    }

    /** What was asked for of jobs while no storm raged, as far as it is not forgotten. */
    List<Request> requestsInCalm() {
        return List.copyOf(calm);
    }
}
