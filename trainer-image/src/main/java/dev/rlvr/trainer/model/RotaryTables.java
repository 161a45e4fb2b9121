package dev.rlvr.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;

/**
 * Cosines and sines of the rotary embedding for positions 0 to n - 1 (arXiv 2104.09864).
 *
 * @param cos {@code [n, headDim / 2]}
 * @param sin {@code [n, headDim / 2]}
 */
record RotaryTables(NDArray cos, NDArray sin) {
    static RotaryTables of(NDManager owner, ModelConfig config, int positions) {
        int half = config.headDim() / 2;
        float[] cos = new float[positions * half];
        float[] sin = new float[positions * half];
        for (int i = 0; i < half; i++) {
            // Hugging Face computes frequencies and angles in F32; so does this, to agree with it to the last bits
            float frequency = (float) (1.0 / Math.pow(config.ropeTheta(), 2.0 * i / config.headDim()));
            for (int position = 0; position < positions; position++) {
                float angle = position * frequency;
                cos[position * half + i] = (float) Math.cos(angle);
                sin[position * half + i] = (float) Math.sin(angle);
            }
        }
        Shape shape = new Shape(positions, half);
        return new RotaryTables(owner.create(cos, shape), owner.create(sin, shape));
    }

    /** The first rows, for sequences of that length. */
    RotaryTables first(NDManager owner, int positions) {
        NDArray c = cos.get(":" + positions);
        NDArray s = sin.get(":" + positions);
        c.attach(owner);
        s.attach(owner);
        return new RotaryTables(c, s);
    }
}
