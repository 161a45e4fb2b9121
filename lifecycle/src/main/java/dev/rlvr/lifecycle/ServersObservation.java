package dev.rlvr.lifecycle;

import dev.rlvr.lifecycle.PodObservation.Phase;
import java.util.Optional;

/**
 * The rollout servers of a job, where they exist.
 *
 * @param stopping their removal has been asked for and is under way
 * @param usable how many can answer
 * @param waiting why one of the others cannot yet, where something says so
 */
public record ServersObservation(boolean stopping, int usable, Optional<Phase.Waiting> waiting) {}
