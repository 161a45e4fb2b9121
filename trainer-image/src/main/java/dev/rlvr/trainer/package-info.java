/** The trainer: one process that samples, verifies, updates, checkpoints and reports. */
@NullMarked
package dev.rlvr.trainer;

import org.jspecify.annotations.NullMarked;
