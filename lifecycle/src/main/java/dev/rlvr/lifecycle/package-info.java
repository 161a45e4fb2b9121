/**
 * The state machine of a job, pure: {@code decide(job, observation, now)} returns what to write and what to do. Back ends (the
 * operator on Kubernetes, the CLI on one machine) observe and apply; they decide nothing.
 */
@NullMarked
package dev.rlvr.lifecycle;

import org.jspecify.annotations.NullMarked;
