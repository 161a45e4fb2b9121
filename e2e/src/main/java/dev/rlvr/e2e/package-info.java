/** A real Kubernetes API server for tests and tools: finds or builds its binaries, starts it, and shares it among test classes. */
@NullMarked
package dev.rlvr.e2e;

import org.jspecify.annotations.NullMarked;
