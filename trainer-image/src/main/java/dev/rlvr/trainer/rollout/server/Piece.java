package dev.rlvr.trainer.rollout.server;

import java.util.List;

/**
 * What one request asks for: some answers to one prompt.
 *
 * @param prompt position of the prompt in the call
 * @param firstAnswer of the prompt's answers
 * @param tokens ids of the prompt
 * @param seeds one per answer
 */
record Piece(int prompt, int firstAnswer, List<Integer> tokens, List<Long> seeds) {
    Piece {
        seeds = List.copyOf(seeds);
    }
}
