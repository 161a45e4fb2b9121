/** Random fault schedules against a real job of four ranks. */
@NullMarked
package dev.rlvr.e2e.faults;

import org.jspecify.annotations.NullMarked;
