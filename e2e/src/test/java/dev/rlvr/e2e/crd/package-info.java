/** The CRD against a real API server. */
@NullMarked
package dev.rlvr.e2e.crd;

import org.jspecify.annotations.NullMarked;
