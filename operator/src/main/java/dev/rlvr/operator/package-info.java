/**
 * The Kubernetes back end: observes the children of an {@code RLVRJob}, lets {@code dev.rlvr.lifecycle} decide, and applies the plan. It
 * decides nothing itself.
 */
@NullMarked
package dev.rlvr.operator;

import org.jspecify.annotations.NullMarked;
