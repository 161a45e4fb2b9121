package dev.rlvr.trainer;

import dev.rlvr.crds.Manifest;
import dev.rlvr.crds.RLVRJob;
import dev.rlvr.trainer.collectives.LostRankException;
import dev.rlvr.trainer.data.SourceResolver;
import dev.rlvr.trainer.fetch.Fetch;
import dev.rlvr.trainer.launch.LaunchSettings;
import dev.rlvr.trainer.launch.Launcher;
import dev.rlvr.trainer.launch.Lifeline;
import dev.rlvr.trainer.launch.RankCommand;
import dev.rlvr.trainer.launch.Verdict;
import dev.rlvr.trainer.launch.World;
import dev.rlvr.trainer.objective.DivergedException;
import dev.rlvr.trainer.rollout.StoppedException;
import dev.rlvr.trainer.rollout.server.ServersLostException;
import dev.rlvr.trainer.serve.Serve;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Security;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The trainer process; its contract is {@code docs/trainer.md}. */
@Command(name = "trainer", mixinStandardHelpOptions = true, description = "Trains an RLVRJob.")
public final class Main implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(Main.class);

    private final Map<String, String> environment;
    private final LastWords lastWords;
    private final StopSignal stop;
    private Lifeline lifeline = Lifeline.none();

    @Option(names = "--job", required = true, description = "The RLVRJob manifest.")
    private Path job = Path.of("");

    @Option(names = "--work", required = true, description = "Folder that everything is written to.")
    private Path work = Path.of("");

    @Option(names = "--check", description = "Check all inputs and stop before anything is written.")
    private boolean check;

    Main(Map<String, String> environment, StopSignal stop) {
        this.environment = environment;
        this.lastWords = new LastWords(environment, System.err);
        this.stop = stop;
    }

    public static void main(String[] args) {
        // so that one image, whatever its entrypoint, fetches, trains and serves
        if (args.length > 0 && args[0].equals("serve")) {
            Serve.main(Arrays.copyOfRange(args, 1, args.length));
            return;
        }
        if (args.length > 0 && args[0].equals("fetch")) {
            Fetch.main(Arrays.copyOfRange(args, 1, args.length));
            return;
        }
        // else the JVM believes for 10 s that the pod it waits for has no name, and for 30 s in the address of a server
        // that has moved
        Security.setProperty("networkaddress.cache.negative.ttl", "0");
        Security.setProperty("networkaddress.cache.ttl", "5");
        StopSignal stop = StopSignal.install();
        if ("true".equals(System.getenv("RLVR_WATCH_STDIN"))) {
            stop.watch(System.in);
        }
        Main main = new Main(System.getenv(), stop);
        int code = LastWords.FAILED;
        try {
            code = new CommandLine(main).execute(args);
        } finally {
            // also after an Error such as OutOfMemoryError: the stop signal's thread waits for this
            System.out.flush();
            main.lifeline.leave(code);
            stop.exit(code);
        }
    }

    @Override
    public Integer call() {
        try {
            if (Lifeline.wanted(environment)) {
                lifeline = Lifeline.hold(environment, how -> stop.exit(end(LastWords.TRY_AGAIN, how)));
            }
            // a rank's is the one that its launcher has checked
            RLVRJob checked = environment.containsKey(World.RANK) ? Manifest.readChecked(job) : Inputs.job(job);
            Inputs inputs = Inputs.read(checked, work, SourceResolver.of(environment), Gpus.of(environment));
            if (check) {
                return 0;
            }
            World world = World.of(inputs.job().getSpec().trainer(), environment);
            if (world.distributed() && !environment.containsKey(World.RANK)) {
                return launch(inputs.job());
            }
            new TrainerRun(inputs, work, environment, stop, InstantSource.system()).run();
            return 0;
        } catch (InputException e) {
            return end(LastWords.WRONG_INPUT, e.getMessage());
        } catch (FullDiskException e) {
            return end(check ? LastWords.WRONG_INPUT : LastWords.TRY_AGAIN, e.getMessage());
        } catch (LostRankException e) {
            return end(LastWords.TRY_AGAIN, Verdict.LOST_RANK + ": " + e.getMessage());
        } catch (StoppedException e) {
            return end(LastWords.TRY_AGAIN, "stopped on request; the state is saved");
        } catch (DivergedException e) {
            return end(
                    LastWords.FAILED,
                    "training diverged: " + e.getMessage() + "; lower spec.algorithm.optimizer.learningRate");
        } catch (ServersLostException e) {
            return end(LastWords.TRY_AGAIN, e.getMessage());
        } catch (IOException | UncheckedIOException e) {
            LOG.error("input or output failed", e);
            return end(LastWords.TRY_AGAIN, "input or output failed: " + e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return end(LastWords.TRY_AGAIN, "interrupted");
        } catch (RuntimeException | Error e) {
            LOG.error("training failed", e);
            return end(LastWords.FAILED, "training failed: " + e);
        }
    }

    /** Runs the ranks of this pod, each as a process like this one, on the job as this one has read it. */
    private int launch(RLVRJob of) throws IOException, InterruptedException {
        LaunchSettings settings =
                LaunchSettings.of(of, environment, Runtime.getRuntime().availableProcessors());
        Path checked = Files.createTempFile("rlvr-job", ".yaml");
        try {
            Files.writeString(checked, Manifest.write(of));
            RankCommand rank = RankCommand.likeThisProcess(
                    Main.class, List.of("--job", checked.toString(), "--work", work.toString()));
            Launcher launcher = new Launcher(settings, rank, System.out);
            stop.whenRequested(launcher::stop);
            Verdict verdict = launcher.run();
            return verdict.exitCode() == 0 ? 0 : end(verdict.exitCode(), verdict.message());
        } finally {
            Files.deleteIfExists(checked);
        }
    }

    private int end(int code, String message) {
        return lastWords.end(code, message);
    }
}
