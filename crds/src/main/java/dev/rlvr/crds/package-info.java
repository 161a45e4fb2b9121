/** The {@code rlvr.dev/v1alpha1} API: Java types, the generated CRD and everything that reads or checks a manifest. */
@NullMarked
package dev.rlvr.crds;

import org.jspecify.annotations.NullMarked;
