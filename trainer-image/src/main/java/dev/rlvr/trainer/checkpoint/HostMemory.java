package dev.rlvr.trainer.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/** How much memory this process may still take: what the machine has left, or the container's limit leaves. */
public final class HostMemory {
    private final Path root;

    /** Reads {@code proc} and {@code sys} of this machine. */
    public HostMemory() {
        this(Path.of("/"));
    }

    /** Reads {@code proc} and {@code sys} under a folder. */
    HostMemory(Path root) {
        this.root = root;
    }

    /** Bytes that are free or can be freed by dropping cached files; empty where the system does not say (it is not Linux). */
    public OptionalLong available() throws IOException {
        OptionalLong machine = figure(root.resolve("proc/meminfo"), "MemAvailable:", 1024);
        if (machine.isEmpty()) {
            return machine;
        }
        Path second = root.resolve("sys/fs/cgroup");
        Path first = second.resolve("memory");
        long left = machine.getAsLong();
        left = Math.min(left, left(second, "memory.max", "memory.current", "inactive_file"));
        left = Math.min(left, left(first, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"));
        return OptionalLong.of(Math.max(0, left));
    }

    /** What a control group's limit leaves; cached files count as used there, though they give way. */
    private static long left(Path group, String limit, String used, String cached) throws IOException {
        OptionalLong most = number(group.resolve(limit));
        OptionalLong now = number(group.resolve(used));
        if (most.isEmpty() || now.isEmpty()) {
            return Long.MAX_VALUE;
        }
        return most.getAsLong()
                - now.getAsLong()
                + figure(group.resolve("memory.stat"), cached, 1).orElse(0);
    }

    private static OptionalLong number(Path file) throws IOException {
        return lines(file).stream()
                .limit(1)
                .filter(line -> line.matches("[0-9]{1,18}"))
                .mapToLong(Long::parseLong)
                .findFirst();
    }

    private static OptionalLong figure(Path file, String name, long unit) throws IOException {
        return lines(file).stream()
                .map(line -> line.split("\\s+", -1))
                .filter(words -> words.length > 1 && words[0].equals(name))
                .mapToLong(words -> unit * Long.parseLong(words[1]))
                .findFirst();
    }

    private static List<String> lines(Path file) throws IOException {
        try {
            return Files.readAllLines(file);
        } catch (NoSuchFileException e) {
            return List.of();
        }
    }
}
