/** What happens to jobs on a whole Kubernetes, with real pods and volumes. {@code e2e/run} starts these; the project's other tests do not. */
@NullMarked
package dev.rlvr.e2e.cluster;

import org.jspecify.annotations.NullMarked;
