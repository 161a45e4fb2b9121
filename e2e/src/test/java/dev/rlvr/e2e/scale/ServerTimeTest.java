package dev.rlvr.e2e.scale;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.regex.Pattern;
import org.assertj.core.api.Assertions;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class ServerTimeTest {
    private static final Pattern JOB = Pattern.compile("job-\\d+");
    private static final Offset<Double> ROUNDING = Assertions.offset(1e-9);

    @Test
    void requestsAtTheSameTimeCountOnce() {
        List<Double> seconds = ServerTime.ofReconciles(
                List.of(
                        request("list pods", false, 0, 10),
                        request("list jobs", false, 5, 3),
                        request("patch rlvrjobs/status", true, 20, 5),
                        request("create roles", true, 30, 30),
                        request("create services", true, 40, 30)),
                JOB);
        assertThat(seconds).hasSize(1);
        assertThat(seconds.getFirst()).isCloseTo(0.055, ROUNDING);
    }

    @Test
    void whatBelongsBeforeTheLastBeginsAnother() {
        List<Double> seconds = ServerTime.ofReconciles(
                List.of(
                        request("patch rlvrjobs/status", true, 0, 1),
                        request("patch rlvrjobs/status", true, 10, 2),
                        request("create events", true, 20, 4),
                        request("get rlvrjobs", false, 30, 8),
                        request("patch rlvrjobs/status", true, 40, 16)),
                JOB);
        assertThat(seconds)
                .usingElementComparator((a, b) -> Math.abs(a - b) < 1e-9 ? 0 : Double.compare(a, b))
                .containsExactly(0.001, 0.006, 0.024);
    }

    @Test
    void jobsAreToldApart() {
        List<Double> seconds = ServerTime.ofReconciles(
                List.of(
                        new AuditLog.Request("list pods", "of job-2", false, 200, Instant.EPOCH, Duration.ofMillis(5)),
                        new AuditLog.Request(
                                "list pods", "of job-20", false, 200, Instant.EPOCH, Duration.ofMillis(5))),
                JOB);
        assertThat(seconds).hasSize(2);
    }

    private static AuditLog.Request request(String what, boolean write, long at, long took) {
        return new AuditLog.Request(
                what, "of job-2", write, 200, Instant.EPOCH.plusMillis(at), Duration.ofMillis(took));
    }
}
