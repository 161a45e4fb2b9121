package dev.rlvr.e2e.cluster;

import java.time.Instant;

/**
 * A line of a trainer's log about a finished step.
 *
 * @param step its number, from 1
 * @param at when the line was written
 */
record StepLine(int step, Instant at) {}
