/** The operator against a real API server, with pods' life played. */
@NullMarked
package dev.rlvr.e2e.operator;

import org.jspecify.annotations.NullMarked;
