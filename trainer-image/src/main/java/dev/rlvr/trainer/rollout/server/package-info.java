/** Answers from rollout servers over HTTP; {@code docs/rollout-servers.md} says what they speak and what happens when they fail. */
@NullMarked
package dev.rlvr.trainer.rollout.server;

import org.jspecify.annotations.NullMarked;
