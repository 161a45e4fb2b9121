package dev.rlvr.e2e.cluster;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Gives a test class the {@link Cluster} that {@code e2e/run} was pointed at, with the chart installed on it, as a parameter. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Tag("cluster")
@Timeout(value = 15, unit = TimeUnit.MINUTES)
@ExtendWith(SharedCluster.class)
@interface RealCluster {}
