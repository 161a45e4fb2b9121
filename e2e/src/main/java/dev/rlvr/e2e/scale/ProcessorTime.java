package dev.rlvr.e2e.scale;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Seconds of processor time that processes have used since they started.
 *
 * @param nanos when that was, by {@link System#nanoTime()}
 * @param seconds by the name of the process
 */
record ProcessorTime(long nanos, Map<String, Double> seconds) {
    static ProcessorTime of(Map<String, ProcessHandle> processes) {
        Map<String, Double> seconds = new LinkedHashMap<>();
        processes.forEach((name, process) -> seconds.put(
                name, process.info().totalCpuDuration().orElse(Duration.ZERO).toMillis() / 1e3));
        return new ProcessorTime(System.nanoTime(), seconds);
    }

    /** How many processors each has kept busy since an earlier look. */
    Map<String, Double> busySince(ProcessorTime earlier) {
        double wall = (nanos - earlier.nanos) / 1e9;
        Map<String, Double> busy = new LinkedHashMap<>();
        seconds.forEach((name, used) -> busy.put(name, (used - earlier.seconds.getOrDefault(name, 0.0)) / wall));
        return busy;
    }
}
