/** Many ranks of one job: a launcher per pod starts, watches and stops them, and the launchers find and watch each other. */
@NullMarked
package dev.rlvr.trainer.launch;

import org.jspecify.annotations.NullMarked;
