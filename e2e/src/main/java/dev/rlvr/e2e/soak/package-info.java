/** A long run that looks for memory that grows with steps. */
@NullMarked
package dev.rlvr.e2e.soak;

import org.jspecify.annotations.NullMarked;
