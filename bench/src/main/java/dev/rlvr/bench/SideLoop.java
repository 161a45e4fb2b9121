package dev.rlvr.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.management.OperatingSystemMXBean;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Our end of the protocol of {@link ChildSide}. */
final class SideLoop {
    private static final Logger LOG = LoggerFactory.getLogger(SideLoop.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final OperatingSystemMXBean PROCESS =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private SideLoop() {}

    /** A side that is ready. */
    interface Work extends AutoCloseable {
        /** What has to be done before a round and is not measured. */
        default void prepare() throws IOException {}

        /** Does the work of one round and returns its check. */
        double round() throws IOException;

        /** Whether the figure of memory is what rounds need beyond what was there before the first, not the process's peak. */
        default boolean countsMemoryOfRound() {
            return false;
        }

        @Override
        void close();
    }

    /** Makes the side ready. */
    @FunctionalInterface
    interface Start {
        Work open() throws IOException;
    }

    /** Answers until standard input ends, and ends the process. */
    static void serve(Start start) {
        PrintStream answers = System.out;
        System.setOut(System.err);
        int code = 1;
        try (Work work = start.open()) {
            answers.println("{\"ready\": true}");
            BufferedReader orders = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            double before = Double.NaN;
            while (orders.readLine() != null) {
                work.prepare();
                // before the first round, not before each: an allocator may keep what a round has freed
                before = Double.isNaN(before) ? memoryBefore(work) : before;
                answers.println(JSON.writeValueAsString(measure(work, before).json()));
            }
            code = 0;
        } catch (UnsupportedOperationException e) {
            answers.println(JSON.createObjectNode().put("unavailable", e.getMessage()));
        } catch (IOException | RuntimeException e) {
            LOG.error("this side failed", e);
        } finally {
            System.err.flush();
            // libtorch's destructors are left out, since its threads may still be there
            Runtime.getRuntime().halt(code);
        }
    }

    private static double memoryBefore(Work work) throws IOException {
        if (!work.countsMemoryOfRound()) {
            return 0;
        }
        Processes.resetPeak();
        return Processes.memory("self", "VmRSS");
    }

    private static Round measure(Work work, double before) throws IOException {
        long cpu = PROCESS.getProcessCpuTime();
        long start = System.nanoTime();
        double check = work.round();
        double seconds = (System.nanoTime() - start) / 1e9;
        double cpuSeconds = (PROCESS.getProcessCpuTime() - cpu) / 1e9;
        return new Round(seconds, cpuSeconds, check, Processes.memory("self", "VmHWM") - before);
    }
}
