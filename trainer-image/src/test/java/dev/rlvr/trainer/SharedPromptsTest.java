package dev.rlvr.trainer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.trainer.PolicyUpdate.Item;
import dev.rlvr.trainer.model.ModelConfig;
import dev.rlvr.trainer.rollout.Sample;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class SharedPromptsTest {
    private static final ModelConfig SMOLLM2 = new ModelConfig(
            ModelConfig.Family.LLAMA, 49_152, 576, 1536, 30, 9, 3, 64, 1e-5, 100_000, 2048, true, false, List.of(2));

    private static Item item(List<Integer> prompt, int length) {
        return Item.onPolicy(prompt, new Sample(new int[length], new float[length], new float[length], true), 1);
    }

    private static List<Item> group(int prompt, int... answers) {
        List<Integer> ids = new ArrayList<>(Collections.nCopies(prompt, 5));
        List<Item> items = new ArrayList<>();
        for (int answer : answers) {
            items.add(item(ids, answer));
        }
        return items;
    }

    @Test
    void shortAnswersToALongPromptStandBehindOneCopyOfIt() {
        List<SharedPrompts.Pack> packs = SharedPrompts.of(SMOLLM2, 4096).pack(group(200, 8, 12, 9, 10), 1);

        assertThat(packs).hasSize(1);
        assertThat(packs.getFirst().length()).isEqualTo(239);
    }

    @Test
    void longAnswersToAShortPromptStandAlone() {
        assertThat(SharedPrompts.of(SMOLLM2, 4096).pack(group(10, 400, 500, 600, 700), 1))
                .hasSize(4);
    }

    @Test
    void aPackIsNeverLongerThanAMicroBatch() {
        assertThat(SharedPrompts.of(SMOLLM2, 300).pack(group(200, 60, 60, 60, 60), 1))
                .allSatisfy(pack -> assertThat(pack.length()).isLessThanOrEqualTo(300));
    }

    @Test
    void groupsDoNotMixEvenIfTheirPromptsAreEqual() {
        List<Item> items = new ArrayList<>(group(50, 4, 4));
        items.addAll(group(50, 4, 4));

        assertThat(SharedPrompts.of(SMOLLM2, 4096).pack(items, 1))
                .hasSize(2)
                .allSatisfy(pack -> assertThat(pack.items()).hasSize(2));
    }

    /** Answers whose lengths are spread as those of reasoning are: most short, few long. */
    @Test
    void paddingIsUnderATenthOnARealisticMixOfLengths() {
        RandomGenerator random = new java.util.SplittableRandom(1);
        List<Item> items = new ArrayList<>();
        for (int g = 0; g < 32; g++) {
            int[] lengths = random.ints(16, 0, 1)
                    .map(i -> (int) Math.clamp(Math.exp(random.nextGaussian(6, 0.7)), 16, 2048))
                    .toArray();
            items.addAll(group(60 + random.nextInt(120), lengths));
        }
        List<MicroBatch> parts = MicroBatch.deal(
                        SharedPrompts.of(SMOLLM2, 16_384).pack(items, 1), 1, 16_384)
                .getFirst();

        long computed = parts.stream().mapToLong(part -> part.tokens().padded()).sum();
        long real = parts.stream()
                .flatMap(part -> part.tokens().lines().stream())
                .mapToLong(line -> line.length())
                .sum();
        assertThat((double) (computed - real) / computed).isLessThan(0.1);
        assertThat(parts).allSatisfy(part -> assertThat(part.tokens().padded()).isLessThanOrEqualTo(16_384));
    }
}
