package dev.rlvr.operator;

import io.javaoperatorsdk.operator.api.monitoring.Metrics;
import io.javaoperatorsdk.operator.monitoring.micrometer.MicrometerMetricsV2;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.distribution.DistributionStatisticConfig;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.Dependent;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.time.Clock;
import java.util.List;
import java.util.stream.Stream;

/** Metrics of the process: the Operator SDK's own, our jobs', and which build this is. */
@Dependent
final class OperatorMetrics {
    private static final Tag NO_ACTION = Tag.of("action", "NONE");

    @Produces
    @Singleton
    JobMetrics jobs(MeterRegistry registry, Clock clock) {
        return new JobMetrics(registry, clock);
    }

    @Produces
    @Singleton
    Metrics ofTheSdk(MeterRegistry registry) {
        return MicrometerMetricsV2.newBuilder(registry).build();
    }

    /** The SDK counts some events with an action and some without; Prometheus takes one set of labels for a name only. */
    @Produces
    @Singleton
    MeterFilter oneSetOfTags() {
        return new MeterFilter() {
            @Override
            public Meter.Id map(Meter.Id id) {
                boolean lacks = id.getName().startsWith("events.received") && id.getTag(NO_ACTION.getKey()) == null;
                return lacks ? id.withTag(NO_ACTION) : id;
            }
        };
    }

    /** The SDK's own buckets know nothing between a tenth and a quarter of a second, which is where it matters. */
    @Produces
    @Singleton
    MeterFilter finerBuckets() {
        DistributionStatisticConfig finer = DistributionStatisticConfig.builder()
                .serviceLevelObjectives(Stream.of(
                                10, 20, 35, 50, 75, 100, 125, 150, 200, 250, 350, 500, 1000, 2000, 5000, 10_000, 30_000)
                        .mapToDouble(milliseconds -> milliseconds * 1e6)
                        .toArray())
                .build();
        return new MeterFilter() {
            @Override
            public DistributionStatisticConfig configure(Meter.Id id, DistributionStatisticConfig config) {
                return id.getName().equals("reconciliations.execution.duration") ? finer.merge(config) : config;
            }
        };
    }

    void start(@Observes StartupEvent event, MeterRegistry registry, Build build, Leadership leadership) {
        Gauge.builder("rlvr.operator.build.info", () -> 1)
                .description("Version and commit of the operator.")
                .tags("version", build.version(), "commit", build.commit())
                .register(registry);
        // from their start at 0: what first appears with a 1 has not increased for Prometheus
        for (String counter : List.of(
                MicrometerMetricsV2.RECONCILIATIONS_FAILED, MicrometerMetricsV2.RECONCILIATIONS_RETRIES_NUMBER)) {
            registry.counter(counter, "controller.name", RLVRJobReconciler.NAME);
        }
        Gauge.builder("rlvr.operator.leader", () -> leadership.leads() ? 1 : 0)
                .description("1 where this replica works, 0 where it stands by.")
                .register(registry);
    }
}
