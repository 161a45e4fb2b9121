package dev.rlvr.trainer;

import dev.rlvr.crds.RLVRJobSpec;
import dev.rlvr.crds.TrainerSpec;
import dev.rlvr.crds.TrainerSpec.Recomputation;
import dev.rlvr.crds.TrainerSpec.Sharding;
import dev.rlvr.trainer.model.MemoryNeed;
import dev.rlvr.trainer.model.ModelConfig;
import dev.rlvr.trainer.model.Precision;
import dev.rlvr.trainer.rollout.Sampler;
import java.util.Arrays;
import java.util.Locale;

/**
 * Peak memory of a job, predicted from its manifest and the model's shape for prompts and answers that are as long as they may be.
 *
 * @param state weights, gradients, moments of the optimizer and working copies, in bytes
 * @param snapshot the copy of weights and moments that is being written while training goes on
 * @param update most that an update keeps and computes with
 * @param rollout most that sampling keeps: weights in the order it multiplies by, the KV cache and its workspace
 * @param rows answers that are sampled at the same time, at most
 * @param runtime the JVM and libtorch themselves
 * @param fragments on a GPU, what the allocator holds beyond its tensors
 * @param limit what the machine or the pod has; of a job on GPUs, what each of them has
 */
record MemoryPlan(
        long state,
        long snapshot,
        long update,
        long rollout,
        int rows,
        long runtime,
        long fragments,
        long limit,
        RecomputationPlan recomputation,
        Place place) {
    /** Where a rank's tensors lie. */
    enum Place {
        CPU,
        GPU
    }

    /** Measured: libtorch's code and arenas, the JVM's heap, code and threads while a job runs. */
    private static final long RUNTIME = 800L << 20;

    /** On a GPU: CUDA's context and kernels, cuBLAS's and NCCL's buffers; 1.2 GiB of an H100 were measured. */
    private static final long GPU_RUNTIME = 2L << 30;

    /** On a GPU: what torch's allocator holds in pieces that fit nothing, for each byte of tensors; 0.06 to 0.10 were measured. */
    private static final double FRAGMENTATION = 0.12;

    /**
     * Predicts for one rank of a job.
     *
     * @param available bytes for all ranks of its pod
     */
    static MemoryPlan of(RLVRJobSpec spec, ModelConfig config, long available) {
        return of(spec, config, available / spec.trainer().ranksPerPod(), Place.CPU);
    }

    /**
     * Predicts for one rank of a job on GPUs; what it takes of the host is {@link #host}.
     *
     * @param memory bytes of the GPU
     */
    static MemoryPlan onGpu(RLVRJobSpec spec, ModelConfig config, long memory) {
        return of(spec, config, memory, Place.GPU);
    }

    private static MemoryPlan of(RLVRJobSpec spec, ModelConfig config, long limit, Place place) {
        TrainerSpec trainer = spec.trainer();
        int ranks = trainer.ranks();
        MemoryNeed need = new MemoryNeed(config, precision(spec));
        long state =
                need.state(trainer.sharding(), trainer.sharding() == Sharding.Hybrid ? trainer.ranksPerPod() : ranks);
        long snapshot = need.checkpoint(ranks);
        boolean gpu = place == Place.GPU;
        long runtime = gpu ? GPU_RUNTIME : RUNTIME;
        Shape shape = Shape.of(spec, config, ranks);
        double overhead = gpu ? FRAGMENTATION : 0;
        long left = (long) ((limit - runtime) / (1 + overhead)) - state - (gpu ? 0 : snapshot);
        RecomputationPlan plan = new RecomputationPlan(spec.trainer().recomputation(), need, Math.max(0, left));
        RecomputationPlan.Choice choice = plan.choose(shape.tokens(), shape.largest());
        long update =
                plan.bytes(choice.retention(), choice.together() ? shape.tokens() : shape.largest(), shape.largest());
        long longest = spec.data().maxPromptTokens() + (long) spec.rollout().maxResponseTokens();
        long answer = need.answer(longest);
        long weights = need.packedWeights() + need.gathered(trainer.sharding());
        long room = Math.max(update, left) - weights - need.head();
        int rows = Math.toIntExact(Math.clamp(room / answer, 1, Sampler.ROWS));
        long together = Math.min(
                rows,
                (long) Math.ceilDiv(spec.algorithm().promptsPerBatch(), ranks)
                        * spec.algorithm().groupSize());
        long rollout = weights + together * answer + need.head();
        long fragments = (long) (overhead * (state + Math.max(update, rollout)));
        return new MemoryPlan(state, snapshot, update, rollout, rows, runtime, fragments, limit, plan, place);
    }

    /**
     * What passes through the model in one update when all prompts and answers are as long as they may be.
     *
     * @param tokens of a mini-batch
     * @param largest micro-batch, in tokens
     */
    private record Shape(long tokens, long largest) {
        static Shape of(RLVRJobSpec spec, ModelConfig config, int ranks) {
            int prompt = spec.data().maxPromptTokens();
            int[] answers = new int[spec.algorithm().groupSize()];
            Arrays.fill(answers, spec.rollout().maxResponseTokens());
            int microBatch = spec.trainer().microBatchTokens();
            int size = SharedPrompts.of(config, microBatch).size(prompt, answers);
            long line = prompt + (long) size * spec.rollout().maxResponseTokens();
            long lines = (long) spec.algorithm().miniBatchPrompts() * Math.ceilDiv(answers.length, size);
            long together = Math.clamp(microBatch / line, 1, lines);
            return new Shape(Math.ceilDiv(lines, ranks) * line, together * line);
        }
    }

    static Precision precision(RLVRJobSpec spec) {
        return switch (spec.trainer().precision()) {
            case F32 -> Precision.F32;
            case BF16 -> Precision.BF16;
        };
    }

    /** Predicted peak in bytes. */
    long peak() {
        return kept() + Math.max(update, rollout) + runtime + fragments;
    }

    /** Of a rank on a GPU, what it takes of the host's memory: the JVM, and its state on the way to a checkpoint, twice. */
    long host() {
        return RUNTIME + 2 * snapshot;
    }

    /**
     * Refuses a job that cannot fit.
     *
     * @throws InputException with what takes how much, and what to change
     */
    void require() {
        if (peak() > limit) {
            boolean sampling = rollout > update;
            throw new InputException("%s: the job needs about %s%s, but there are %s (%s); %s"
                    .formatted(
                            sampling ? "spec.rollout.maxResponseTokens" : "spec.trainer.microBatchTokens",
                            size(peak()),
                            where(),
                            size(limit),
                            parts(),
                            remedy(sampling)));
        }
    }

    private String remedy(boolean sampling) {
        if (least() > limit) {
            return "take a smaller model or a machine with more memory";
        }
        if (sampling) {
            return "lower it, or take a machine with more memory";
        }
        return recomputation.asked() == Recomputation.Never
                ? "use trainer.recomputation: Auto, lower it, or take a machine with more memory"
                : "lower it, or rollout.maxResponseTokens, or take a machine with more memory";
    }

    /** What is taken however short answers and micro-batches are, in bytes. */
    private long least() {
        return kept() + runtime + (place == Place.GPU ? (long) (FRAGMENTATION * state) : 0);
    }

    private long kept() {
        return state + (place == Place.CPU ? snapshot : 0);
    }

    /** One line for the log. */
    String summary() {
        return "memory: at most about %s of %s%s (%s)".formatted(size(peak()), size(limit), where(), parts());
    }

    private String where() {
        return place == Place.GPU ? " on each GPU" : "";
    }

    private String parts() {
        String copy = place == Place.GPU ? "" : ", checkpoint copy " + size(snapshot);
        String pieces = place == Place.GPU ? ", fragmentation " + size(fragments) : "";
        return "weights, gradients and optimizer %s%s, update %s, rollouts %s, runtime %s%s"
                .formatted(size(state), copy, size(update), size(rollout), size(runtime), pieces);
    }

    /** Decimal megabytes or gigabytes, as disks and pods count them. */
    static String size(long bytes) {
        return bytes < 1_000_000_000
                ? "%d MB".formatted(Math.round(bytes / 1e6))
                : String.format(Locale.ROOT, "%.1f GB", bytes / 1e9);
    }
}
