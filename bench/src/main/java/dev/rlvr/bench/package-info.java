/** Compares the trainer with its Python peers: both sides in one run, in turn, with the same work. */
@NullMarked
package dev.rlvr.bench;

import org.jspecify.annotations.NullMarked;
