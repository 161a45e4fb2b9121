package dev.rlvr.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Processes as Linux sees them. */
final class Processes {
    /** Clock ticks per second in {@code /proc/PID/stat}; the same on every Linux that a JVM runs on. */
    private static final double TICKS = 100;

    private static final int USER_TIME = 11;

    private Processes() {}

    /** Ends a process that was started here, and waits for that, so that the next side has its memory. */
    static void end(Process process) {
        process.destroy();
        try {
            if (!process.waitFor(5, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }

    /** A process and all that it started. */
    static List<Long> family(long pid) {
        return ProcessHandle.of(pid)
                .map(process -> Stream.concat(Stream.of(process), process.descendants())
                        .map(ProcessHandle::pid)
                        .toList())
                .orElse(List.of());
    }

    /** CPU seconds that all threads of a process have used. */
    static double cpuSeconds(long pid) throws IOException {
        String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
        // the command's name may hold spaces and ends with the last parenthesis
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
        return (Long.parseLong(fields[USER_TIME]) + Long.parseLong(fields[USER_TIME + 1])) / TICKS;
    }

    /** A memory figure of {@code /proc/PROCESS/status} in bytes: {@code VmRSS}, or its peak {@code VmHWM}. */
    static double memory(String process, String field) throws IOException {
        return Files.readAllLines(Path.of("/proc/" + process + "/status")).stream()
                        .filter(line -> line.startsWith(field + ":"))
                        .mapToDouble(line -> Double.parseDouble(line.replaceAll("[^0-9]", "")))
                        .findFirst()
                        .orElse(Double.NaN)
                * 1024;
    }

    /** Lets this process's {@code VmHWM} begin anew at what it uses now. */
    static void resetPeak() throws IOException {
        Files.writeString(Path.of("/proc/self/clear_refs"), "5");
    }
}
