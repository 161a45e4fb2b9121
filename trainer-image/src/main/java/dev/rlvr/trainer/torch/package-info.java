/** The bridge to libtorch through DJL: TorchScript written by Java, typed calls, runtime settings. */
@NullMarked
package dev.rlvr.trainer.torch;

import org.jspecify.annotations.NullMarked;
