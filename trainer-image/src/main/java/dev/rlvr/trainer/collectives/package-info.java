/** Communication between the ranks of a job: libtorch's own process group, over Gloo. */
@NullMarked
package dev.rlvr.trainer.collectives;

import org.jspecify.annotations.NullMarked;
