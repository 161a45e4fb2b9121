package dev.rlvr.trainer.model;

/**
 * How the frequencies of the rotary embedding (arXiv 2104.09864) are changed, so that a model reads longer texts than it was first trained
 * on. Arithmetic is in F32 in the order of Hugging Face transformers, to agree with it to the last bits.
 */
public sealed interface RopeScaling {
    /** Frequencies as they are. */
    record None() implements RopeScaling {
        @Override
        public void scale(float[] frequencies, double theta) {
            // nothing to change
        }
    }

    /**
     * All positions closer together.
     *
     * @param factor how many times longer a text may be
     */
    record Linear(double factor) implements RopeScaling {
        @Override
        public void scale(float[] frequencies, double theta) {
            for (int i = 0; i < frequencies.length; i++) {
                frequencies[i] /= (float) factor;
            }
        }
    }

    /**
     * Llama 3.1: slow frequencies are divided, quick ones kept, those between interpolated.
     *
     * @param factor what slow frequencies are divided by
     * @param lowFactor a frequency with fewer turns than this over the original length is slow
     * @param highFactor a frequency with more turns than this is quick; larger than {@code lowFactor}
     * @param originalPositions length that the model was first trained on
     */
    record Llama3(double factor, double lowFactor, double highFactor, int originalPositions) implements RopeScaling {
        @Override
        public void scale(float[] frequencies, double theta) {
            float slow = (float) (originalPositions / lowFactor);
            float quick = (float) (originalPositions / highFactor);
            for (int i = 0; i < frequencies.length; i++) {
                float wavelength = 1 / frequencies[i] * (float) (2 * Math.PI);
                if (wavelength > slow) {
                    frequencies[i] /= (float) factor;
                } else if (wavelength >= quick) {
                    frequencies[i] = between(frequencies[i], wavelength);
                }
            }
        }

        private float between(float frequency, float wavelength) {
            float turns = 1 / wavelength * originalPositions;
            float kept = (turns - (float) lowFactor) / (float) (highFactor - lowFactor);
            return (1 - kept) * frequency / (float) factor + kept * frequency;
        }
    }

    /**
     * YaRN (arXiv 2309.00071): as {@link Llama3}, but interpolated over the index of the frequency, and attention gets sharper.
     *
     * @param factor what slow frequencies are divided by
     * @param attentionFactor what cosines and sines are multiplied with
     * @param betaFast a frequency with more turns than this over the original length is kept
     * @param betaSlow a frequency with fewer turns than this is divided
     * @param originalPositions length that the model was first trained on
     * @param truncate whether the bounds of the interpolation are rounded outwards to whole indices
     */
    record Yarn(
            double factor,
            double attentionFactor,
            double betaFast,
            double betaSlow,
            int originalPositions,
            boolean truncate)
            implements RopeScaling {
        @Override
        public void scale(float[] frequencies, double theta) {
            int width = 2 * frequencies.length;
            double low = index(betaFast, width, theta);
            double high = index(betaSlow, width, theta);
            if (truncate) {
                low = Math.floor(low);
                high = Math.ceil(high);
            }
            low = Math.max(low, 0);
            high = Math.min(high, width - 1);
            if (low == high) {
                high += 0.001; // the ramp needs some length
            }
            for (int i = 0; i < frequencies.length; i++) {
                float ramp = Math.clamp((i - (float) low) / (float) (high - low), 0f, 1f);
                float kept = 1 - ramp;
                float divided = 1 / ((float) factor * (1 / frequencies[i]));
                frequencies[i] = divided * (1 - kept) + frequencies[i] * kept;
            }
        }

        /** The index, not whole, of the frequency that makes so many turns over the original length. */
        private double index(double turns, int width, double theta) {
            return width * Math.log(originalPositions / (turns * 2 * Math.PI)) / (2 * Math.log(theta));
        }
    }

    /**
     * Changes the frequencies in place.
     *
     * @param frequencies radians per position, {@code [headDim / 2]}, falling
     * @param theta base that they were made from
     */
    void scale(float[] frequencies, double theta);

    /** What cosines and sines are multiplied with. */
    default double attentionFactor() {
        return 1;
    }
}
