package dev.rlvr.trainer.serve;

import dev.rlvr.crds.ModelSpec;
import dev.rlvr.trainer.InputException;
import dev.rlvr.trainer.data.SourceResolver;
import dev.rlvr.trainer.model.ModelFolder;
import dev.rlvr.trainer.model.Precision;
import dev.rlvr.trainer.rollout.Sampler;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The program behind {@code ./rlvr serve}; its contract is {@code docs/rollout-servers.md}. */
@Command(name = "serve", mixinStandardHelpOptions = true, description = "Answers prompts over HTTP.")
public final class Serve implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(Serve.class);

    private static final int FAILED = 1;
    private static final int WRONG_INPUT = 2;

    private final PrintStream out;
    private final PrintStream errors;
    private final CountDownLatch stop;

    @Option(names = "--model", required = true, description = "Hugging Face folder, or a source as in spec.model.")
    private String model = "";

    @Option(names = "--revision", description = "Branch, tag or commit of an hf:// source.")
    private @Nullable String revision;

    @Option(names = "--host", defaultValue = "127.0.0.1", description = "Address to listen at.")
    private String host = "";

    @Option(names = "--port", required = true, description = "Port to listen at; 0 takes a free one.")
    private int port;

    @Option(names = "--precision", defaultValue = "F32", description = "Number format of matrix products.")
    private Precision precision = Precision.F32;

    @Option(names = "--threads", defaultValue = "0", description = "CPU threads; 0 is one per processor.")
    private int threads;

    @Option(names = "--rows", defaultValue = "" + Sampler.ROWS, description = "Answers written together, at most.")
    private int rows;

    @Option(names = "--weight-version", defaultValue = "default", description = "What the first weights are called.")
    private String weightVersion = "";

    Serve(PrintStream out, PrintStream errors, CountDownLatch stop) {
        this.out = out;
        this.errors = errors;
        this.stop = stop;
    }

    public static void main(String[] args) {
        // replies are small: waiting for more to send with them costs 40 ms each
        System.setProperty("sun.net.httpserver.nodelay", "true");
        // longer than clients keep a connection that they do not use
        System.setProperty("sun.net.httpserver.idleInterval", "120");
        System.setProperty("sun.net.httpserver.maxIdleConnections", "2048");
        CountDownLatch stop = new CountDownLatch(1);
        CountDownLatch stopped = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            stop.countDown();
            try {
                stopped.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            // not the signal's code: it was stopped as intended. And without libtorch's destructors, whose threads may
            // still be there
            Runtime.getRuntime().halt(0);
        }));
        if ("true".equals(System.getenv("RLVR_WATCH_STDIN"))) {
            Thread.ofPlatform().daemon().name("parent-watch").start(Serve::exitWithParent);
        }
        int code = FAILED;
        try {
            code = new CommandLine(new Serve(System.out, System.err, stop)).execute(args);
        } finally {
            System.out.flush();
            if (stop.getCount() == 0) {
                stopped.countDown();
            } else {
                Runtime.getRuntime().halt(code);
            }
        }
    }

    private static void exitWithParent() {
        try {
            System.in.transferTo(OutputStream.nullOutputStream());
        } catch (IOException e) {
            // a broken pipe says the same as its end
        }
        System.exit(0);
    }

    @Override
    public Integer call() throws InterruptedException {
        try {
            require();
            ModelFolder folder = ModelFolder.open(folder());
            InetSocketAddress address = new InetSocketAddress(InetAddress.getByName(host), port);
            try (PolicyThread policy = new PolicyThread(folder, weightVersion, precision, cores(), rows);
                    SglangApi api = new SglangApi(address, policy, new SecureRandom())) {
                policy.config();
                out.println("serving " + model + " at http://" + host + ":"
                        + api.address().getPort());
                out.flush();
                stop.await();
                policy.pause(); // who waits for answers is told that there will be none
            }
            return 0;
        } catch (InputException e) {
            return end(WRONG_INPUT, e.getMessage());
        } catch (IOException e) {
            return end(WRONG_INPUT, "--host, --port: cannot listen at " + host + ":" + port + ": " + e.getMessage());
        } catch (CompletionException e) {
            if (e.getCause() instanceof InputException wrong) {
                return end(WRONG_INPUT, wrong.getMessage());
            }
            LOG.error("loading the model failed", e.getCause());
            return end(FAILED, "loading the model failed: " + e.getCause());
        } catch (RuntimeException | Error e) {
            // the process is halted once this returns: nobody else would say it
            LOG.error("serving failed", e);
            return end(FAILED, "serving failed: " + e);
        }
    }

    private int cores() {
        return threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
    }

    private Path folder() {
        if (!model.matches("[a-z]+://.*")) {
            return Path.of(model);
        }
        try {
            return SourceResolver.of(System.getenv()).model(new ModelSpec(model, revision, null));
        } catch (InputException e) {
            throw new InputException(
                    String.valueOf(e.getMessage()).replaceFirst("^spec\\.model\\.source", "--model"), e);
        }
    }

    private void require() {
        if (threads < 0 || rows < 1) {
            throw new InputException("--threads, --rows: " + threads + ", " + rows
                    + " make no sense; give at least 0 threads and 1 row");
        }
    }

    private int end(int code, String message) {
        errors.println("rlvr: " + message);
        return code;
    }
}
