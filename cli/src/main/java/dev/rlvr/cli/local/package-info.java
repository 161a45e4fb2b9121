/**
 * The local back end: the plan of {@link dev.rlvr.lifecycle.Lifecycle} with processes as pods and a work folder as volume. It observes
 * and applies; it decides nothing.
 */
@NullMarked
package dev.rlvr.cli.local;

import org.jspecify.annotations.NullMarked;
