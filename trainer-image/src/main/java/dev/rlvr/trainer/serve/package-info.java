/** A rollout server built from the embedded sampler; {@code docs/rollout-servers.md} is its contract. */
@NullMarked
package dev.rlvr.trainer.serve;

import org.jspecify.annotations.NullMarked;
