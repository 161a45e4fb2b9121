package dev.rlvr.trainer.model;

/**
 * How tokens are drawn from the model's distribution.
 *
 * @param temperature of the softmax; 0 takes the likeliest token
 * @param topP only the smallest set of likeliest tokens whose share of the probability reaches this is drawn from; 1 is all
 * @param topK only so many likeliest tokens are drawn from, before topP is applied to them; 0 is all
 */
public record Drawing(double temperature, double topP, int topK) {
    public Drawing {
        if (!(temperature >= 0) || !(topP > 0 && topP <= 1) || topK < 0) {
            throw new IllegalArgumentException(
                    "temperature " + temperature + ", topP " + topP + ", topK " + topK + " cannot be drawn with");
        }
    }
}
