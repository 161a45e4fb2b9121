package dev.rlvr.trainer.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostMemoryTest {
    @TempDir
    Path root;

    private void file(String name, String content) throws IOException {
        Path file = root.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, content);
    }

    private long available() throws IOException {
        return new HostMemory(root).available().orElse(-1);
    }

    @Test
    void whereTheSystemDoesNotSayNothingIsKnown() throws IOException {
        assertThat(available()).isEqualTo(-1);
    }

    @Test
    void aMachineHasWhatItCallsAvailable() throws IOException {
        file("proc/meminfo", "MemTotal:  100 kB\nMemFree: 10 kB\nMemAvailable:     50 kB\n");
        assertThat(available()).isEqualTo(50 * 1024);

        file("sys/fs/cgroup/memory.max", "max\n");
        file("sys/fs/cgroup/memory.current", "9000\n");
        assertThat(available()).as("no limit").isEqualTo(50 * 1024);
    }

    @Test
    void aContainerHasWhatItsLimitLeavesAndCachedFilesGiveWay() throws IOException {
        file("proc/meminfo", "MemAvailable: 1000000 kB\n");
        file("sys/fs/cgroup/memory.max", "100000\n");
        file("sys/fs/cgroup/memory.current", "60000\n");
        assertThat(available()).isEqualTo(40_000);

        file("sys/fs/cgroup/memory.stat", "anon 100\nactive_file 7\ninactive_file 5000\n");
        assertThat(available()).isEqualTo(45_000);
    }

    @Test
    void theFirstVersionOfControlGroupsIsReadToo() throws IOException {
        file("proc/meminfo", "MemAvailable: 1000000 kB\n");
        file("sys/fs/cgroup/memory/memory.limit_in_bytes", "100000\n");
        file("sys/fs/cgroup/memory/memory.usage_in_bytes", "60000\n");
        file("sys/fs/cgroup/memory/memory.stat", "inactive_file 1\ntotal_inactive_file 5000\n");
        assertThat(available()).isEqualTo(45_000);
    }
}
