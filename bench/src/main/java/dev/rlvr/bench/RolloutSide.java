package dev.rlvr.bench;

import dev.rlvr.trainer.rollout.AnswerSource;
import dev.rlvr.trainer.rollout.RandomStreams;
import dev.rlvr.trainer.rollout.Sample;
import dev.rlvr.trainer.rollout.Sampler;
import java.util.ArrayList;
import java.util.List;

/** Sampled answers of full length, in groups as GRPO wants them. Its check is the number of tokens. */
final class RolloutSide implements SideLoop.Work {
    static final int GROUP = 8;
    static final int PROMPT_TOKENS = 16;

    private final Engine engine;
    private final Sampler sampler;
    private final List<List<Integer>> prompts = new ArrayList<>();
    private final int length;
    private int rounds;

    private RolloutSide(SideOptions options) {
        length = options.length();
        engine = options.engine(PROMPT_TOKENS + length);
        sampler = new Sampler(engine.decoder(), engine.owner(), () -> false);
        int vocabulary = engine.weights().config().vocabulary();
        for (int prompt = 0; prompt < options.rows() / GROUP; prompt++) {
            prompts.add(SideOptions.ids(prompt, PROMPT_TOKENS, vocabulary));
        }
    }

    public static void main(String[] args) {
        SideLoop.serve(() -> new RolloutSide(SideOptions.of(args)));
    }

    @Override
    public double round() {
        int round = rounds++;
        return sampler
                .sample(
                        prompts,
                        new AnswerSource.Settings(GROUP, 1.0, length),
                        (prompt, answer) -> RandomStreams.of(RandomStreams.Purpose.ROLLOUT, 0, round, prompt, answer))
                .stream()
                .flatMap(List::stream)
                .mapToInt(Sample::length)
                .sum();
    }

    @Override
    public void close() {
        engine.close();
    }
}
