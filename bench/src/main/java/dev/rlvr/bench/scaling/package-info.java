/** A model of the time of a step for any number of ranks: {@code docs/scaling.md}. Pure: what is measured comes in as {@link Hardware}. */
@NullMarked
package dev.rlvr.bench.scaling;

import org.jspecify.annotations.NullMarked;
