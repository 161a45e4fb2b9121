/** Hugging Face folders of decoder-only language models, and the decoder itself. */
@NullMarked
package dev.rlvr.trainer.model;

import org.jspecify.annotations.NullMarked;
