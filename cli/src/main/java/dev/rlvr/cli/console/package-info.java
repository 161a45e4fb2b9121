/** What a running job looks like: a bar on a terminal, plain lines elsewhere. */
@NullMarked
package dev.rlvr.cli.console;

import org.jspecify.annotations.NullMarked;
