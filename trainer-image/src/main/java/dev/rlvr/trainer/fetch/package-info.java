/** The program that downloads what a job's sources name, before its trainers and servers start. */
@NullMarked
package dev.rlvr.trainer.fetch;

import org.jspecify.annotations.NullMarked;
