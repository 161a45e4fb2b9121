/** Repositories of a Hugging Face hub: downloaded once into a cache, checked, and found there again without the hub. */
@NullMarked
package dev.rlvr.trainer.hub;

import org.jspecify.annotations.NullMarked;
