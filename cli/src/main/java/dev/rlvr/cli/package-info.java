/** The command line: one class per command. */
@NullMarked
package dev.rlvr.cli;

import org.jspecify.annotations.NullMarked;
