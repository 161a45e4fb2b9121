package dev.rlvr.trainer.model;

/**
 * The decoder as TorchScript source, generated for one model's shape and precision. Weights come in as arguments, in the order of
 * {@link WeightLayout}, so that one module serves training, sampling and any set of weights.
 */
final class DecoderScript {
    private DecoderScript() {}

    static String of(ModelConfig config, Precision precision, Target target) {
        return (LayerScript.of(config, precision, target)
                        + HeadScript.of(target)
                        + DecodeScript.of(config, precision, target))
                .replace("$D", Integer.toString(config.hidden()))
                .replace("$H", Integer.toString(config.heads()))
                .replace("$K", Integer.toString(config.kvHeads()))
                .replace("$G", Integer.toString(config.heads() / config.kvHeads()))
                .replace("$E", Integer.toString(config.headDim()))
                .replace("$F", Integer.toString(config.intermediate()))
                .replace("$V", Integer.toString(config.vocabulary()))
                .replace("$P", Integer.toString(precision.scalarType()))
                .replace("$LAYERS", Integer.toString(config.layers()))
                .replace("$LAYER0", Integer.toString(WeightLayout.LAYERS))
                .replace("$WIDTH", Integer.toString(WeightLayout.layerWidth(config)))
                .replace("$OUT", config.tiedHead() ? "w[0]" : "w[-1]")
                .replace("$SCALE", Double.toString(1 / Math.sqrt(config.headDim())))
                .replace("$RMS", Double.toString(config.rmsEpsilon()));
    }
}
