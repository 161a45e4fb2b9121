/** Problems: read from JSONL and Parquet files, in an order that is a function of the seed alone. */
@NullMarked
package dev.rlvr.trainer.data;

import org.jspecify.annotations.NullMarked;
