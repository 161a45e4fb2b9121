/** The command line and the trainer together, as processes on this machine. */
@NullMarked
package dev.rlvr.e2e.local;

import org.jspecify.annotations.NullMarked;
