package dev.rlvr.e2e;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Gives a test class the {@link ApiServer} as a parameter of constructors, tests and life-cycle methods. All classes of one JVM share one, so
 * each takes a namespace of its own ({@link ApiServer#createNamespace}) and applies the CRD ({@link ApiServer#applyCrd}), which is free the
 * second time.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Tag("slow")
@ExtendWith(SharedApiServer.class)
public @interface RealApiServer {}
