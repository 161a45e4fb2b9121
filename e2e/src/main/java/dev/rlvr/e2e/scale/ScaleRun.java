package dev.rlvr.e2e.scale;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rlvr.e2e.PlayedNodes;
import dev.rlvr.e2e.scale.Sightings.Stage;
import dev.rlvr.e2e.scale.Storms.Storm;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** One run: a bare client, then the operator from its first job to the deletion of the last. */
final class ScaleRun {
    private static final String SYSTEM = "rlvr-system";
    private static final String ACCOUNT = "rlvr-operator";
    private static final String SAMPLE = "the-sample";
    private static final String FORERUNNER = "forerunner";
    private static final String LATECOMER = "latecomer";
    private static final String STEADY = "steady";
    private static final Duration STORM = Duration.ofSeconds(20);
    private static final double MEDDLING_RATE = 100;
    private static final double MOST_STEADY_RATE = 2;

    private final PlayedNodes cluster;
    private final Path home;
    private final Path output;
    private final AuditLog audit;
    private final Size size;
    private final Clients clients;
    private final List<String> jvm;
    private final KubernetesClient client;
    private final Fleet fleet;
    private final Waiting waiting;
    private final ObjectNode figures = new ObjectMapper().createObjectNode();
    private final Targets targets = new Targets();

    /**
     * How much.
     *
     * @param jobs RLVRJobs that the operator has at once
     * @param pods of each
     * @param teams namespaces that they are in
     * @param bare jobs whose objects the bare client creates
     * @param storm jobs that are created in each storm
     * @param idle seconds that nothing changes in
     */
    record Size(int jobs, int pods, int teams, int bare, int storm, int idle) {
        /** As many as take all pods, and some more. */
        int nodes() {
            int most = Math.max(bare, jobs + 3 * storm + 3) * pods;
            return most / PlayedNodes.GPUS + most / PlayedNodes.GPUS / 20 + 2;
        }
    }

    ScaleRun(
            PlayedNodes cluster, Path home, Path output, AuditLog audit, Size size, Clients clients, List<String> jvm) {
        this.cluster = cluster;
        this.home = home;
        this.output = output;
        this.audit = audit;
        this.size = size;
        this.clients = clients;
        this.jvm = jvm;
        this.client = cluster.api().admin();
        this.fleet = new Fleet(client, size.teams(), size.pods());
        this.waiting = new Waiting(client, audit);
    }

    /** Priority and fairness as clusters have it, and a log of the operator's requests. */
    static List<String> apiServer(Path folder, Path auditLog) throws IOException {
        Path policy = Files.writeString(
                folder.resolve("audit-policy.yaml"),
                AuditLog.policy("system:serviceaccount:" + SYSTEM + ":" + ACCOUNT));
        return List.of(
                "--enable-priority-and-fairness=true",
                "--audit-policy-file=" + policy,
                "--audit-log-path=" + auditLog,
                "--audit-log-maxsize=4000",
                "--audit-log-mode=batch",
                "--audit-log-batch-max-wait=1s");
    }

    Outcome run() throws IOException, InterruptedException {
        figures.put("jobs", size.jobs())
                .put("pods", size.pods())
                .put("teams", size.teams())
                .put("nodes", size.nodes());
        figures.put("rate", clients.rate()).put("clients", clients.count());
        prepare();
        try (KubernetesClient account = cluster.api().client(token());
                Sightings sightings = new Sightings(client, size.pods())) {
            Census nothing = Census.of(client);
            BareClient bare = sample(account, sightings, nothing);
            bare(bare, sightings, nothing);
            operator(new BareReader(account), sightings, nothing);
        } finally {
            client.close();
        }
        return new Outcome(targets, figures);
    }

    // --- before

    private void prepare() throws InterruptedException {
        say("preparing rights and volumes; %d nodes are ready".formatted(size.nodes()));
        cluster.api().applyCrd();
        Grounds grounds = new Grounds(client, fleet);
        grounds.namespaces(SYSTEM);
        grounds.grant(home.resolve("operator/deploy/cluster-role.yaml"), SYSTEM, ACCOUNT);
        List<String> all = Stream.of(List.of(SAMPLE), names("bare", size.bare()), operators())
                .flatMap(List::stream)
                .toList();
        new Clients(clients.count(), 0).each(all, grounds::createVolume);
    }

    /** All jobs that the operator has in the end, those of a kind beside each other. */
    private List<String> operators() {
        return Stream.of(
                        names("job", size.jobs()),
                        names(STEADY, size.storm()),
                        names("busy", size.storm()),
                        names("meddled", size.storm()),
                        List.of(FORERUNNER, LATECOMER))
                .flatMap(List::stream)
                .toList();
    }

    private static List<String> names(String prefix, int count) {
        return IntStream.range(0, count).mapToObj(i -> prefix + "-" + i).toList();
    }

    private OperatorProcess startOperator() throws IOException {
        return OperatorProcess.start(
                home.resolve("operator/deploy/jvm.options"),
                Path.of(System.getProperty("rlvr.operator")),
                cluster.api(),
                token(),
                output.resolve("operator.log"),
                jvm);
    }

    private String token() {
        return cluster.api().serviceAccountToken(SYSTEM, ACCOUNT);
    }

    // --- the bare client

    private BareClient sample(KubernetesClient account, Sightings sightings, Census nothing)
            throws IOException, InterruptedException {
        say("a sample of what the operator makes");
        Instant begin = Instant.now();
        try (OperatorProcess _ = startOperator()) {
            create(SAMPLE, sightings);
            sightings.await(Stage.RUNNING, List.of(SAMPLE), Waiting.PATIENCE);
            waiting.quiet();
        }
        Map<String, Long> requests = Figures.countByWhat(audit.between(begin, Instant.now()));
        requests.keySet()
                .removeIf(what ->
                        what.matches("(list|get|watch) .*") && !what.matches("(get|list) (rlvrjobs|jobs|pods)"));
        figures.putPOJO("requests_of_the_first_job", requests);
        BareClient bare = BareClient.like(
                account,
                fleet,
                SAMPLE,
                requests.getOrDefault("patch rlvrjobs/status", 0L).intValue());
        fleet.delete(SAMPLE);
        waiting.census(nothing);
        return bare;
    }

    private void bare(BareClient bare, Sightings sightings, Census nothing) throws InterruptedException {
        List<String> names = names("bare", size.bare());
        say("a bare client: %d jobs, %d requests each".formatted(size.bare(), bare.requests()));
        ProcessorTime before = ProcessorTime.of(processes(Map.of()));
        new Clients(clients.count(), 0).each(names, name -> {
            sightings.see(Stage.CREATED, name);
            bare.create(name);
        });
        sightings.await(Stage.PODS, names, Waiting.PATIENCE);
        double rate = size.bare() / sightings.span(names, Stage.CREATED, Stage.PODS);
        ObjectNode phase = figures.putObject("bare_client");
        phase.put("jobs", size.bare()).put("requests_per_job", bare.requests()).put("jobs_per_second", rate);
        Figures.busy(phase, before, processes(Map.of()));
        say("%.1f jobs/s".formatted(rate));
        long start = System.nanoTime();
        new Clients(clients.count(), 0).each(names, fleet::delete);
        waiting.census(nothing);
        phase.put("deleted_per_second", size.bare() / ((System.nanoTime() - start) / 1e9));
    }

    // --- the operator

    private void operator(BareReader reader, Sightings sightings, Census nothing)
            throws IOException, InterruptedException {
        OperatorProcess operator = startOperator();
        try {
            create(operator, sightings);
            steady(operator, sightings);
            idle();
            operator = restart(operator, reader, sightings);
            meddle(operator, sightings);
            refuse(operator, sightings);
            Figures.memory(figures, operator, "at_the_end");
            operator = deleteAll(operator, nothing);
        } finally {
            operator.close();
        }
    }

    private void create(OperatorProcess operator, Sightings sightings) throws IOException, InterruptedException {
        List<String> names = names("job", size.jobs());
        waiting.reconciler(operator);
        say("creating %d jobs".formatted(size.jobs()));
        Instant begin = Instant.now();
        Histogram reconciled = operator.reconciles();
        Map<String, ProcessHandle> own = Map.of("operator", operator.process().toHandle());
        ProcessorTime before = ProcessorTime.of(processes(own));
        clients.each(names, name -> create(name, sightings));
        sightings.await(Stage.PODS, names, Waiting.PATIENCE);
        ObjectNode phase = figures.putObject("creation");
        Figures.busy(phase, before, processes(own));
        sightings.await(Stage.RUNNING, names, Waiting.PATIENCE);
        Histogram took = operator.reconciles().since(reconciled);
        double rate = size.jobs() / sightings.span(names, Stage.CREATED, Stage.PODS);
        double bare = figures.path("bare_client").path("jobs_per_second").asDouble();
        phase.put("jobs_per_second", rate).put("of_bare_client", rate / bare);
        phase.put("jobs_per_second_running", size.jobs() / sightings.span(names, Stage.CREATED, Stage.RUNNING));
        Figures.quantiles(phase.putObject("seconds_to_job"), sightings.seconds(names, Stage.CREATED, Stage.JOB));
        Figures.quantiles(phase.putObject("seconds_to_pods"), sightings.seconds(names, Stage.CREATED, Stage.PODS));
        Figures.quantiles(
                phase.putObject("seconds_to_running"), sightings.seconds(names, Stage.CREATED, Stage.RUNNING));
        Figures.reconciles(phase, took);
        List<AuditLog.Request> requests = audit.between(begin, Instant.now());
        phase.put("requests_per_job", (double) requests.size() / size.jobs());
        Figures.latencies(phase, requests);
        phase.putPOJO("requests", Figures.countByWhat(requests));
        Figures.memory(figures, operator, "after_creation");
        targets.add(
                "created → Job and all pods",
                "≥ 10 jobs/s, or 80 %% of the bare client's %.1f".formatted(bare),
                "%.1f jobs/s, %.0f %%".formatted(rate, 100 * rate / bare),
                rate >= 10 || rate >= 0.8 * bare);
        say("%.1f jobs/s, reconcile p99 %.0f ms".formatted(rate, took.quantile(0.99) * 1e3));
    }

    /**
     * As many jobs more as a storm has, half as many a second as this machine has brought to run: what a reconcile takes where nothing queues.
     */
    private void steady(OperatorProcess operator, Sightings sightings) throws IOException, InterruptedException {
        List<String> names = names(STEADY, size.storm());
        double rate = Math.min(
                MOST_STEADY_RATE,
                figures.path("creation").path("jobs_per_second_running").asDouble() / 2);
        waiting.quiet();
        say("%d jobs, %.1f a second".formatted(names.size(), rate));
        Instant begin = Instant.now();
        Histogram reconciled = operator.reconciles();
        new Clients(clients.count(), rate).each(names, name -> create(name, sightings));
        sightings.await(Stage.RUNNING, names, Waiting.PATIENCE);
        Histogram took = operator.reconciles().since(reconciled);
        ObjectNode phase = figures.putObject("steady");
        phase.put("jobs", names.size()).put("rate", rate);
        Figures.reconciles(phase, took);
        Figures.quantiles(
                phase.putObject("seconds_to_running"), sightings.seconds(names, Stage.CREATED, Stage.RUNNING));
        waiting.audit();
        List<AuditLog.Request> requests = audit.between(begin, Instant.now());
        Figures.latencies(phase, requests);
        List<Double> server = new ArrayList<>(ServerTime.ofReconciles(requests, Pattern.compile(STEADY + "-\\d+")));
        // the others asked for nothing
        server.addAll(Collections.nCopies(Math.max(0, (int) took.count() - server.size()), 0.0));
        Figures.quantiles(phase.putObject("server_seconds_of_a_reconcile"), server);
        double p99 = took.quantile(0.99);
        double share = Quantiles.of(server).p99() / p99;
        targets.add(
                "reconcile, p99, at %.1f new jobs a second".formatted(rate),
                "≤ 100 ms, or 80 % of it the API server's own time",
                "%.0f ms, %.0f %%".formatted(p99 * 1e3, 100 * share),
                p99 <= 0.1 || share >= 0.8);
        say("reconcile p99 %.0f ms".formatted(p99 * 1e3));
    }

    private void idle() throws InterruptedException {
        say("waiting for silence");
        waiting.quiet();
        Instant begin = Instant.now();
        LockSupport.parkNanos(Duration.ofSeconds(size.idle()).toNanos());
        Instant end = Instant.now();
        waiting.audit();
        List<AuditLog.Request> requests = audit.between(begin, end);
        long writes = requests.stream().filter(AuditLog.Request::write).count();
        figures.putObject("idle")
                .put("seconds", size.idle())
                .put("writes", writes)
                .put("reads", requests.size() - writes);
        targets.atMost("writes in %d s when nothing changes".formatted(size.idle()), (double) writes, 0, "");
        say("%d writes, %d reads in %d s".formatted(writes, requests.size() - writes, size.idle()));
    }

    private OperatorProcess restart(OperatorProcess operator, BareReader reader, Sightings sightings)
            throws IOException, InterruptedException {
        say("a job, kill -9, and again");
        create(FORERUNNER, sightings);
        sightings.await(Stage.RUNNING, List.of(FORERUNNER), Waiting.PATIENCE);
        operator.kill();
        operator.close();
        double read = reader.seconds();
        fleet.end(FORERUNNER);
        create(LATECOMER, sightings);
        long start = System.nanoTime();
        OperatorProcess second = startOperator();
        waiting.reconciler(second);
        double ready = Waiting.seconds(start);
        double all = waiting.settled(second, start);
        sightings.await(Stage.SUCCEEDED, List.of(FORERUNNER), Waiting.PATIENCE);
        sightings.await(Stage.RUNNING, List.of(LATECOMER), Waiting.PATIENCE);
        double first = sightings.span(List.of(LATECOMER), Stage.CREATED, Stage.JOB);
        figures.putObject("restart")
                .put("bare_client_reads_seconds", read)
                .put("first_reconcile_seconds", first)
                .put("ready_seconds", ready)
                .put("new_job_runs_seconds", sightings.span(List.of(LATECOMER), Stage.CREATED, Stage.RUNNING))
                .put("ended_job_succeeded_seconds", sightings.secondsSince(start, FORERUNNER, Stage.SUCCEEDED))
                .put("all_reconciled_seconds", all);
        Figures.memory(figures, second, "after_restart");
        targets.atMost("restart with %d jobs → first reconcile".formatted(size.jobs()), first, 15, "s");
        say(
                "a new job begins after %.1f s, all is known after %.1f s, all are reconciled after %.1f s; only reading takes %.1f s"
                        .formatted(first, ready, all, read));
        return second;
    }

    private void meddle(OperatorProcess operator, Sightings sightings) throws IOException, InterruptedException {
        List<String> names = names("meddled", size.storm());
        say("a storm of 409");
        Instant begin = Instant.now();
        new Clients(clients.count(), 0).each(names, name -> create(name, sightings));
        try (Storm _ = new Storms(client, fleet).meddling(names, MEDDLING_RATE)) {
            sightings.await(Stage.RUNNING, names, Waiting.PATIENCE);
            names.forEach(fleet::end);
            sightings.await(Stage.SUCCEEDED, names, Waiting.PATIENCE);
        }
        survived(409, names, Stage.SUCCEEDED, begin, operator, sightings);
    }

    private void refuse(OperatorProcess operator, Sightings sightings) throws IOException, InterruptedException {
        List<String> names = names("busy", size.storm());
        say("a storm of 429");
        Instant begin = Instant.now();
        try (Storm _ = new Storms(client, fleet).refusing(SYSTEM, ACCOUNT)) {
            new Clients(clients.count(), 0).each(names, name -> create(name, sightings));
            LockSupport.parkNanos(STORM.toNanos());
        }
        long over = System.nanoTime();
        sightings.await(Stage.RUNNING, names, Waiting.PATIENCE);
        figures.put("seconds_from_the_end_of_429_to_all_running", Waiting.seconds(over));
        survived(429, names, Stage.RUNNING, begin, operator, sightings);
    }

    private void survived(
            int code, List<String> names, Stage end, Instant begin, OperatorProcess operator, Sightings sightings) {
        waiting.audit();
        long refused = audit.between(begin, Instant.now()).stream()
                .filter(request -> request.code() == code)
                .count();
        List<String> odd = sightings.odd(names);
        boolean well = refused > 0 && odd.isEmpty() && operator.process().isAlive();
        figures.putObject("storm_" + code).put("refused", refused).put("odd", odd.size());
        targets.add(
                "storm of " + code,
                "survived",
                "%d refused, %d of %d jobs %s, %d with a wrong number of Jobs or pods"
                        .formatted(
                                refused, names.size(), names.size(), end.name().toLowerCase(Locale.ROOT), odd.size()),
                well);
        say("%d refused".formatted(refused));
    }

    private OperatorProcess deleteAll(OperatorProcess operator, Census nothing)
            throws InterruptedException, IOException {
        List<String> names = operators();
        say("deleting %d jobs, some of them without the operator".formatted(names.size()));
        Waves waves = new Waves(new Clients(clients.count(), 0), fleet, waiting, names, Census.of(client), nothing);
        Instant begin = Instant.now();
        Map<String, ProcessHandle> first = Map.of("operator", operator.process().toHandle());
        ProcessorTime before = ProcessorTime.of(processes(first));
        ObjectNode phase = figures.putObject("deletion");
        for (int wave = 0; wave < Waves.COUNT; wave++) {
            boolean without = Waves.WITHOUT.contains(wave);
            if (without && operator.process().isAlive()) {
                if (wave == Waves.WITHOUT.getFirst()) {
                    Figures.busy(phase, before, processes(first));
                }
                Figures.memory(figures, operator, "before_wave_" + wave);
                operator.kill();
                operator.close();
            } else if (!without && !operator.process().isAlive()) {
                operator = startOperator();
                waiting.settled(operator, System.nanoTime());
            }
            waves.delete(wave);
            say("wave %d: %.1f jobs/s".formatted(wave, waves.rate(List.of(wave))));
        }
        double rate = waves.rate(Waves.WITH);
        double bare = waves.rate(Waves.WITHOUT);
        double share = waves.rate(Waves.BESIDE) / bare;
        waiting.audit();
        phase.put("jobs", names.size())
                .put("jobs_per_second", rate)
                .put("jobs_per_second_without_the_operator", bare)
                .put("of_that_beside", share);
        phase.putPOJO("seconds_of_waves", waves.seconds());
        phase.putPOJO("requests", Figures.countByWhat(audit.between(begin, Instant.now())));
        Figures.memory(figures, operator, "after_deletion");
        double creation = figures.path("creation").path("jobs_per_second").asDouble();
        targets.add(
                "deletion, until nothing is left",
                "≥ %.1f jobs/s, or 80 %% of the %.1f without the operator".formatted(creation, bare),
                "%.1f jobs/s, %.0f %%".formatted(rate, 100 * share),
                rate >= creation || share >= 0.8);
        targets.atMost(
                "memory of the operator (RSS), at most",
                figures.path("memory_mib")
                        .valueStream()
                        .mapToDouble(when -> when.path("highest").asDouble())
                        .max()
                        .orElseThrow(),
                256,
                "MiB");
        return operator;
    }

    private void create(String name, Sightings sightings) {
        fleet.create(name);
        sightings.see(Stage.CREATED, name);
    }

    private Map<String, ProcessHandle> processes(Map<String, ProcessHandle> more) {
        Map<String, ProcessHandle> all = new LinkedHashMap<>(cluster.processes());
        all.putAll(more);
        all.put("benchmark", ProcessHandle.current());
        return all;
    }

    private static void say(String text) {
        System.err.printf(Locale.ROOT, "[%tT] %s%n", System.currentTimeMillis(), text);
    }
}
