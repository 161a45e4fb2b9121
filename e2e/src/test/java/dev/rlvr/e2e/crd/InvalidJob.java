package dev.rlvr.e2e.crd;

import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * A manifest with one mistake.
 *
 * @param mistake what is wrong, for people
 * @param field what every message must contain
 * @param manifest the whole manifest, without a namespace
 */
record InvalidJob(String mistake, String field, ObjectNode manifest) {
    @Override
    public String toString() {
        return mistake;
    }
}
