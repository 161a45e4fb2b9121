/** The operator with thousands of jobs on nodes that kwok plays: {@code bench/operator/run}. */
@NullMarked
package dev.rlvr.e2e.scale;

import org.jspecify.annotations.NullMarked;
