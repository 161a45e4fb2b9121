package dev.rlvr.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.rlvr.trainer.torch.Script;

/**
 * Cosines and sines of the rotary embedding for positions 0 to n - 1 (arXiv 2104.09864), times the attention factor of the model's
 * {@link RopeScaling}.
 *
 * @param cos {@code [n, headDim / 2]}
 * @param sin {@code [n, headDim / 2]}
 */
record RotaryTables(NDArray cos, NDArray sin) {
    static RotaryTables of(NDManager owner, ModelConfig config, int positions) {
        int half = config.headDim() / 2;
        float[] frequencies = frequencies(config);
        float factor = (float) config.ropeScaling().attentionFactor();
        float[] cos = new float[positions * half];
        float[] sin = new float[positions * half];
        for (int position = 0; position < positions; position++) {
            for (int i = 0; i < half; i++) {
                float angle = position * frequencies[i];
                cos[position * half + i] = (float) Math.cos(angle) * factor;
                sin[position * half + i] = (float) Math.sin(angle) * factor;
            }
        }
        Shape shape = new Shape(positions, half);
        return new RotaryTables(owner.create(cos, shape), owner.create(sin, shape));
    }

    /** Radians per position, {@code [headDim / 2]}; in F32 as Hugging Face transformers computes them. */
    static float[] frequencies(ModelConfig config) {
        float[] frequencies = new float[config.headDim() / 2];
        for (int i = 0; i < frequencies.length; i++) {
            float exponent = 2f * i / config.headDim();
            frequencies[i] = 1 / (float) Math.pow((float) config.ropeTheta(), exponent);
        }
        config.ropeScaling().scale(frequencies, config.ropeTheta());
        return frequencies;
    }

    /** The first rows, for sequences of that length. */
    RotaryTables first(NDManager owner, int positions) {
        NDArray c = cos.get(":" + positions);
        NDArray s = sin.get(":" + positions);
        c.attach(owner);
        s.attach(owner);
        return new RotaryTables(c, s);
    }

    /** Rows {@code [height, width, headDim / 2]} for the cells of a batch. */
    RotaryTables at(Script script, NDManager owner, TokenBatch batch) {
        NDArray positions = owner.create(batch.positions());
        return new RotaryTables(
                script.tensor(owner, "table_at", cos, positions, batch.height(), batch.width()),
                script.tensor(owner, "table_at", sin, positions, batch.height(), batch.width()));
    }
}
