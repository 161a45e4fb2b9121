/** What of a model's state each rank holds (the stages of ZeRO), and when ranks exchange it. */
@NullMarked
package dev.rlvr.trainer.sharding;

import org.jspecify.annotations.NullMarked;
