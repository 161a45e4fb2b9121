/** Container images without a container engine: what goes into them, and their tars. */
@NullMarked
package dev.rlvr.cli.image;

import org.jspecify.annotations.NullMarked;
