package dev.rlvr.cli;

import dev.rlvr.cli.console.Narrator;
import dev.rlvr.cli.console.Screen;
import dev.rlvr.cli.local.Claim;
import dev.rlvr.cli.local.LocalBackEnd;
import dev.rlvr.cli.local.OtherJobs;
import dev.rlvr.cli.local.TrainerCheck;
import dev.rlvr.cli.local.TrainerProcess;
import dev.rlvr.cli.local.UserException;
import dev.rlvr.cli.local.WorkFolder;
import dev.rlvr.crds.Manifest;
import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.Release;
import dev.rlvr.crds.RolloutSpec;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Clock;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "run",
        description = {
            "Run a job on this machine, with processes as pods and a folder as volume.",
            "Ctrl-C writes a checkpoint and stops; the same command goes on from there."
        },
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:all steps are done",
            "1:the job failed",
            "2:the manifest, the model or the data is wrong; nothing was started",
            "130:stopped by Ctrl-C (143 by SIGTERM); the same command goes on"
        })
final class RunCommand implements Callable<Integer> {
    /** Where jobs are run unless the user says otherwise. */
    private static final Path RUNS = Path.of("runs");

    /** By which the trainer finds what was downloaded. */
    private static final String SOURCES = "RLVR_SOURCES";

    @Parameters(paramLabel = "JOB.yaml", description = "Manifest of an RLVRJob, the same that kubectl applies.")
    private Path manifest = Path.of("");

    @Option(
            names = "--work",
            paramLabel = "DIR",
            description = "Folder that everything is written to. Default: runs/NAMESPACE-NAME.")
    private @Nullable Path work;

    @Option(names = "--fresh", description = "Start anew; what an earlier run wrote is kept beside the work folder.")
    private boolean fresh;

    private final PrintStream out = System.out;

    @Override
    public Integer call() throws IOException, InterruptedException {
        RLVRJob job = read(manifest);
        Path path = work != null
                ? work
                : RUNS.resolve(job.getMetadata().getNamespace() + "-"
                        + job.getMetadata().getName());
        OtherJobs others = OtherJobs.in(RUNS, job);
        TrainerProcess trainer = Checkout.current().trainer().with("RLVR_JOBS", others.prefix());
        Interrupts interrupts = Interrupts.ofProcess();
        try (WorkFolder folder = WorkFolder.open(path)) {
            try {
                return switch (fresh ? new Claim.Begin() : Claim.of(folder, job)) {
                    case Claim.Ended(RLVRJobStatus status) -> tellEnded(folder, status);
                    case Claim.Begin _ -> {
                        others.require(job);
                        yield checkAndRun(job, folder, trainer, others, interrupts);
                    }
                    case Claim.GoOn _ -> checkAndRun(job, folder, trainer, others, interrupts);
                };
            } finally {
                folder.discardIfUnused();
            }
        }
    }

    private static RLVRJob read(Path manifest) {
        RLVRJob job = Manifest.read(manifest);
        List<String> unsupported = Release.unsupported(job.getSpec());
        if (!unsupported.isEmpty()) {
            throw new UserException(unsupported);
        }
        if (job.getSpec().lifecycle().suspend()) {
            throw new UserException("spec.lifecycle.suspend: true keeps a job from starting; remove it to run it here");
        }
        RolloutSpec rollout = job.getSpec().rollout();
        if (rollout.engine() == RolloutSpec.Engine.Vllm && rollout.ownServers().isPresent()) {
            throw new UserException("spec.rollout.servers.image: no vLLM is started on this machine; start one by hand"
                    + " (docs/rollout-servers.md says how) and name it in spec.rollout.servers.urls");
        }
        job.getMetadata().setGeneration(1L);
        return job;
    }

    private int checkAndRun(
            RLVRJob job, WorkFolder folder, TrainerProcess trainer, OtherJobs others, Interrupts interrupts)
            throws IOException, InterruptedException {
        RLVRJobStatus status;
        Path commits = Files.createTempFile("rlvr-sources", ".json");
        try (Screen screen = Screen.ofSystem()) {
            screen.say(job.getMetadata().getNamespace() + "/"
                    + job.getMetadata().getName() + " in " + shown(folder.path()));
            boolean fetches = job.getSpec().fetches();
            if (fetches && !fetched(folder, trainer.with(SOURCES, commits.toString()), commits, interrupts, screen)) {
                return interrupts.exitCode().orElse(1);
            }
            screen.progress(LocalBackEnd.NO_STATUS, "checking");
            TrainerCheck.Result checked =
                    check(job, folder, fetches ? trainer.with(SOURCES, commits.toString()) : trainer, interrupts);
            if (interrupts.exitCode().isPresent()) {
                return interrupts.exitCode().getAsInt();
            }
            requireWell("check the job", checked);
            if (fresh) {
                folder.setAside().ifPresent(kept -> screen.say("The earlier run is kept in " + shown(kept)));
            }
            if (fetches) {
                Files.copy(commits, folder.sources(), StandardCopyOption.REPLACE_EXISTING);
            }
            TrainerProcess informed =
                    fetches ? trainer.with(SOURCES, folder.sources().toString()) : trainer;
            status = run(job, folder, informed, others, interrupts, screen);
        } finally {
            Files.deleteIfExists(commits);
        }
        RunSummary summary = new RunSummary(folder, status, out);
        return status.state() != null && status.state().ended()
                ? summary.ended()
                : summary.stopped(
                        "./rlvr run " + manifest + (work == null ? "" : " --work " + work),
                        interrupts.exitCode().orElse(1));
    }

    /** Downloads the sources, once for all ranks and servers; false where it was interrupted. */
    private boolean fetched(
            WorkFolder folder, TrainerProcess trainer, Path commits, Interrupts interrupts, Screen screen)
            throws IOException, InterruptedException {
        screen.progress(LocalBackEnd.NO_STATUS, "downloading");
        if (!fresh && Files.exists(folder.sources())) {
            Files.copy(folder.sources(), commits, StandardCopyOption.REPLACE_EXISTING);
        }
        TrainerCheck fetch = TrainerCheck.fetch(trainer, manifest);
        interrupts.handle(fetch::stop, fetch::stop);
        TrainerCheck.Result result = fetch.result(screen::say);
        if (interrupts.exitCode().isPresent()) {
            return false;
        }
        requireWell("download the sources", result);
        return true;
    }

    private static void requireWell(String what, TrainerCheck.Result result) {
        if (result.exitCode() != 0) {
            throw result.exitCode() == 2
                    ? new UserException(result.message())
                    : new IllegalStateException("the trainer could not " + what + ": " + result.message());
        }
    }

    private TrainerCheck.Result check(RLVRJob job, WorkFolder folder, TrainerProcess trainer, Interrupts interrupts)
            throws IOException, InterruptedException {
        TrainerCheck check = TrainerCheck.start(trainer, job.getSpec().trainer(), manifest, folder.path());
        interrupts.handle(check::stop, check::stop);
        return check.result();
    }

    private static RLVRJobStatus run(
            RLVRJob job,
            WorkFolder folder,
            TrainerProcess trainer,
            OtherJobs others,
            Interrupts interrupts,
            Screen screen)
            throws IOException, InterruptedException {
        Narrator narrator = new Narrator(screen);
        folder.storedStatus().ifPresent(narrator::assume);
        LocalBackEnd backEnd = new LocalBackEnd(job, folder, trainer, others, Clock.systemUTC(), narrator::show);
        interrupts.handle(
                () -> {
                    screen.say("Stopping: the trainer writes a checkpoint (Ctrl-C again ends it at once) ...");
                    backEnd.stop();
                },
                backEnd::kill);
        return backEnd.run();
    }

    private int tellEnded(WorkFolder folder, RLVRJobStatus status) {
        RunSummary summary = new RunSummary(folder, status, out);
        int exitCode = summary.endedBefore();
        out.println("To start anew: the same command with --fresh, or with another --work folder.");
        return exitCode;
    }

    /** A path as short as it can be said here. */
    static String shown(Path path) {
        Path here = Path.of("").toAbsolutePath();
        return path.startsWith(here) ? here.relativize(path).toString() : path.toString();
    }
}
