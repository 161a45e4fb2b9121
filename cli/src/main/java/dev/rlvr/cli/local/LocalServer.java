package dev.rlvr.cli.local;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;

/** One rollout server. Where it ends without having been asked to, it is started again after a while, as a kubelet does. */
final class LocalServer {
    private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
    private static final Duration LONGEST_PAUSE = Duration.ofMinutes(1);
    private static final Duration GRACE = Duration.ofSeconds(10);

    private final IntFunction<ProcessBuilder> command;
    private final int index;
    private final WorkFolder folder;
    private Optional<Process> process = Optional.empty();
    private Optional<String> crash = Optional.empty();
    private Duration pause = FIRST_PAUSE;
    private boolean stopped;

    /** @param command what starts the server of an index; where its output goes is said here */
    LocalServer(IntFunction<ProcessBuilder> command, int index, WorkFolder folder) {
        this.command = command;
        this.index = index;
        this.folder = folder;
    }

    synchronized void start() throws IOException {
        if (stopped) {
            return;
        }
        Files.createDirectories(folder.logs());
        ProcessBuilder builder = command.apply(index)
                .redirectErrorStream(true)
                .redirectInput(Redirect.PIPE)
                .redirectOutput(Redirect.appendTo(folder.serverLog(index).toFile()));
        builder.environment().put("RLVR_WATCH_STDIN", "true");
        Process started = builder.start();
        process = Optional.of(started);
        long since = System.nanoTime();
        var _ = started.onExit().thenAccept(ended -> ended(ended, Duration.ofNanos(System.nanoTime() - since)));
    }

    private synchronized void ended(Process process, Duration lived) {
        if (stopped) {
            return;
        }
        crash = Optional.of("server %d ended with exit code %d; its last lines are in %s"
                .formatted(index, process.exitValue(), folder.serverLog(index)));
        pause = lived.compareTo(LONGEST_PAUSE) > 0 ? FIRST_PAUSE : pause;
        CompletableFuture.delayedExecutor(pause.toMillis(), TimeUnit.MILLISECONDS)
                .execute(this::startAgain);
        pause = pause.multipliedBy(2).compareTo(LONGEST_PAUSE) < 0 ? pause.multipliedBy(2) : LONGEST_PAUSE;
    }

    private void startAgain() {
        try {
            start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    synchronized boolean isAlive() {
        return process.filter(Process::isAlive).isPresent();
    }

    /** How it ended last, while it does not run. */
    synchronized Optional<String> crash() {
        return isAlive() ? Optional.empty() : crash;
    }

    /** SIGTERM now, SIGKILL if that is not enough. */
    synchronized void stop() {
        if (!stopped) {
            stopped = true;
            process.ifPresent(running -> {
                running.destroy();
                var _ = running.onExit()
                        .orTimeout(GRACE.toMillis(), TimeUnit.MILLISECONDS)
                        .whenComplete((exited, late) -> running.destroyForcibly());
            });
        }
    }

    synchronized void kill() {
        stopped = true;
        process.ifPresent(Process::destroyForcibly);
    }
}
