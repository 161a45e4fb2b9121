/** The quickstart's task: word problems with reliable and careless ways to calculate, their files and their tokenizer. */
@NullMarked
package dev.rlvr.trainer.quickstart;

import org.jspecify.annotations.NullMarked;
