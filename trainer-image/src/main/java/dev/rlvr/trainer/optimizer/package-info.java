/** AdamW and the learning rate. */
@NullMarked
package dev.rlvr.trainer.optimizer;

import org.jspecify.annotations.NullMarked;
