/** The operator in a storm: a proxy between it and a real API server that does what networks and servers do on their worst days. */
@NullMarked
package dev.rlvr.e2e.chaos;

import org.jspecify.annotations.NullMarked;
