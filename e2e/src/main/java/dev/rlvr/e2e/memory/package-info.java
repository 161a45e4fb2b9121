/** Predicted against measured memory. */
@NullMarked
package dev.rlvr.e2e.memory;

import org.jspecify.annotations.NullMarked;
