/** What a run tells the world: metrics, rollouts, evaluations, TensorBoard events, status and the console. */
@NullMarked
package dev.rlvr.trainer.report;

import org.jspecify.annotations.NullMarked;
