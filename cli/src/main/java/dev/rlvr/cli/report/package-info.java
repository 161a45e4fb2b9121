/** Pictures and the page that show a run, from the files of its work folder alone. */
@NullMarked
package dev.rlvr.cli.report;

import org.jspecify.annotations.NullMarked;
