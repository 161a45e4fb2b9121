package dev.rlvr.trainer.quickstart;

import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rlvr.crds.AlgorithmSpec.Optimizer;
import dev.rlvr.trainer.data.SplitMix64;
import dev.rlvr.trainer.model.Decoder;
import dev.rlvr.trainer.model.ForwardPass;
import dev.rlvr.trainer.model.ModelConfig;
import dev.rlvr.trainer.model.ModelTensors;
import dev.rlvr.trainer.model.Precision;
import dev.rlvr.trainer.model.Retention;
import dev.rlvr.trainer.model.TokenBatch;
import dev.rlvr.trainer.model.Weights;
import dev.rlvr.trainer.optimizer.AdamW;
import dev.rlvr.trainer.optimizer.LearningRate;
import dev.rlvr.trainer.rollout.TextCodec;
import dev.rlvr.trainer.torch.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the quickstart's base model: supervised learning on worked apple sums, half of which end wrong. The recipe is in
 * {@code docs/quickstart.md}; the same arguments and threads give the same bits.
 */
public final class Pretrain {
    private static final Logger LOG = LoggerFactory.getLogger(Pretrain.class);

    private static final int HIDDEN = 160;
    private static final int INTERMEDIATE = 448;
    private static final int LAYERS = 4;
    private static final int HEADS = 5;
    private static final int HEAD_DIM = 32;
    private static final int MAX_POSITIONS = 256;
    private static final int END = 1;

    private static final int BATCH = 32;
    private static final int BATCHES_SORTED_TOGETHER = 32;
    private static final double INITIAL_DEVIATION = 0.02;
    private static final Optimizer OPTIMIZER =
            new Optimizer(2e-3, 100, 0.01, 0.9, 0.98, 1e-8, 1.0, Optimizer.Schedule.Cosine);

    private final Path folder;
    private final int steps;
    private final int threads;

    Pretrain(Path folder, int steps, int threads) {
        this.folder = folder;
        this.steps = steps;
        this.threads = threads;
    }

    /** Writes {@code config.json} and {@code model.safetensors} beside the tokenizer in the model folder given. */
    public static void main(String[] args) throws IOException {
        if (args.length != 3) {
            System.err.println(
                    "usage: Pretrain MODEL-FOLDER STEPS THREADS (as committed: examples/quickstart/model 2000 1)");
            System.exit(2);
        }
        new Pretrain(Path.of(args[0]), Integer.parseInt(args[1]), Integer.parseInt(args[2])).run();
    }

    private void run() throws IOException {

        ModelConfig config = config(QuickstartTokenizer.vocabulary().size());
        writeConfig(config);
        try (NDManager owner = Torch.start(threads);
                TextCodec codec = TextCodec.open(folder.resolve("tokenizer.json"))) {
            Weights weights = Weights.random(owner, config, INITIAL_DEVIATION, new SplitMix64(0));
            LOG.info("pre-training {} parameters on {} thread(s)", config.parameters(), threads);
            try (Decoder decoder = new Decoder(owner, weights, Precision.F32, MAX_POSITIONS);
                    AdamW optimizer = AdamW.start(owner, weights, OPTIMIZER)) {
                train(owner, decoder, optimizer, new Batches(codec));
            }
            weights.write(folder.resolve("model.safetensors"));
        }
    }

    private void train(NDManager owner, Decoder decoder, AdamW optimizer, Batches batches) throws IOException {
        ModelTensors gradients = ModelTensors.zeros(owner, decoder.weights().config());
        double average = Double.NaN;
        for (int step = 0; step < steps; step++) {
            TokenBatch batch = batches.next();
            int tokens = batch.responseTokens();
            try (ForwardPass pass = decoder.forward(batch, Retention.ACTIVATIONS)) {
                double loss = pass.backward(
                                LongStream.range(0, tokens).toArray(),
                                1.0,
                                (chunk, logProbabilities, from, to) ->
                                        logProbabilities.sum().neg(),
                                gradients)
                        / tokens;
                optimizer.step(gradients, tokens, LearningRate.at(step, steps, OPTIMIZER));
                decoder.refresh();
                average = Double.isNaN(average) ? loss : 0.98 * average + 0.02 * loss;
            }
            if ((step + 1) % 100 == 0) {
                LOG.info("step {}/{} loss {}", step + 1, steps, "%.4f".formatted(average));
                decoder.weights().write(folder.resolve("model.safetensors"));
            }
        }
    }

    /** Batches of like length, in random order. */
    private static final class Batches {
        private final TextCodec codec;
        private final Iterator<AppleSums.Worked> supply = AppleSums.worked(1).iterator();
        private final Random order = new Random(0);
        private final List<TokenBatch> ready = new ArrayList<>();

        Batches(TextCodec codec) {
            this.codec = codec;
        }

        TokenBatch next() {
            if (ready.isEmpty()) {
                List<TokenBatch.Row> rows = new ArrayList<>();
                for (int i = 0; i < BATCH * BATCHES_SORTED_TOGETHER; i++) {
                    AppleSums.Worked worked = supply.next();
                    List<Integer> response = new ArrayList<>(codec.encode(worked.solution()));
                    response.add(END);
                    rows.add(new TokenBatch.Row(codec.encode(worked.prompt()), response));
                }
                rows.sort(Comparator.comparingInt(TokenBatch.Row::length));
                for (int i = 0; i < rows.size(); i += BATCH) {
                    ready.add(TokenBatch.of(rows.subList(i, i + BATCH)));
                }
                Collections.shuffle(ready, order);
            }
            return ready.removeLast();
        }
    }

    private static ModelConfig config(int vocabulary) {
        return new ModelConfig(
                ModelConfig.Family.QWEN3,
                vocabulary,
                HIDDEN,
                INTERMEDIATE,
                LAYERS,
                HEADS,
                HEADS,
                HEAD_DIM,
                1e-6,
                10_000,
                MAX_POSITIONS,
                true,
                false,
                List.of(END));
    }

    private void writeConfig(ModelConfig config) throws IOException {
        ObjectMapper json = new ObjectMapper();
        ObjectNode root = json.createObjectNode();
        root.putArray("architectures").add("Qwen3ForCausalLM");
        root.put("model_type", "qwen3")
                .put("vocab_size", config.vocabulary())
                .put("hidden_size", config.hidden())
                .put("intermediate_size", config.intermediate())
                .put("num_hidden_layers", config.layers())
                .put("num_attention_heads", config.heads())
                .put("num_key_value_heads", config.kvHeads())
                .put("head_dim", config.headDim())
                .put("hidden_act", "silu")
                .put("rms_norm_eps", config.rmsEpsilon())
                .put("rope_theta", config.ropeTheta())
                .put("max_position_embeddings", config.maxPositions())
                .put("tie_word_embeddings", config.tiedHead())
                .put("attention_bias", config.attentionBias())
                .put("pad_token_id", 0)
                .put("eos_token_id", END)
                .put("dtype", "float32");
        root.putNull("bos_token_id");
        QuickstartData.writeJson(json, folder.resolve("config.json"), root);
    }
}
