/** A stand-in for the trainer's process, so that the back end is tested by how trainers behave and not by how they train. */
@NullMarked
package dev.rlvr.trainer;

import org.jspecify.annotations.NullMarked;
