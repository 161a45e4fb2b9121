package dev.rlvr.bench.scaling;

import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Passes of one gradient step. With {@code Gradients}, {@code Parameters} and {@code Hybrid} every pass ends, or goes on, when all ranks have come so far, so its
 * slowest counts; otherwise only the sum does.
 *
 * <p>Hidden is, of what is sent in a pass, at most the time of the computing beside it, and never the last of the {@code L + 1} units (of {@code L}
 * layers, the first): {@code overlap min(t L / (L + 1), compute)}.
 */
final class MiniBatch {
    private static final int ENTROPY = Float.BYTES;

    private final Job job;
    private final Hardware hardware;
    private final Links links;
    private final Links everywhere;
    private final Traffic traffic;
    private final Memory memory;
    private final Memory.Kept kept;
    private final List<List<Part>> hands;
    private final int passes;
    private double exposed;
    private double hidden;

    MiniBatch(int[] answers, StepTimeModel model, Links links, Traffic traffic) {
        this.job = model.job();
        this.hardware = model.hardware();
        this.everywhere = links;
        this.links = new Links(hardware, model.design(), traffic.sharing());
        this.traffic = traffic;
        this.memory = new Memory(job, hardware, model.design(), traffic.sharing());
        this.hands = Part.deal(answers, job.promptTokens(), model.ranks(), job.microBatchTokens());
        this.kept = memory.kept(hands);
        this.passes = hands.stream().mapToInt(List::size).max().orElse(0);
        if (model.ranks() > 1) {
            transfer();
        }
    }

    private double forward(Part part) {
        Operations operations = new Operations(job.model());
        return hardware.seconds((kept.scored() ? 2 : 1) * operations.forward(part) + operations.scores(part));
    }

    private double backward(Part part) {
        Operations operations = new Operations(job.model());
        return hardware.seconds((kept.again() ? operations.again(part) : 0) + operations.backward(part, job.kept()));
    }

    /** Seconds of a rank, on average. */
    double mean() {
        return hands.stream()
                .mapToDouble(hand -> hand.stream()
                        .mapToDouble(part -> forward(part) + backward(part))
                        .sum())
                .average()
                .orElse(0);
    }

    /** Seconds until the last rank is done. */
    double slowest() {
        if (traffic.reducedPerPass()) {
            return IntStream.range(0, passes)
                    .mapToDouble(pass -> slowestForward(pass) + slowestBackward(pass))
                    .sum();
        }
        return hands.stream()
                .mapToDouble(hand -> hand.stream()
                        .mapToDouble(part -> forward(part) + backward(part))
                        .sum())
                .max()
                .orElse(0);
    }

    private double slowestForward(int pass) {
        return hands.stream()
                .filter(hand -> pass < hand.size())
                .mapToDouble(hand -> forward(hand.get(pass)))
                .max()
                .orElse(0);
    }

    private double slowestBackward(int pass) {
        return hands.stream()
                .filter(hand -> pass < hand.size())
                .mapToDouble(hand -> backward(hand.get(pass)))
                .max()
                .orElse(0);
    }

    private void transfer() {
        int layers = job.model().layers();
        double reduce = links.exchange(traffic.reduced(), traffic.blocks().count());
        double publish = links.gather(
                traffic.published(), traffic.swept() > 0 ? 2 : traffic.blocks().count());
        double sweep = traffic.swept() == 0 ? 0 : links.gather(traffic.swept(), 2 * layers);
        double beside = layers / (layers + 1.0);
        switch (job.sharding()) {
            case None -> hide(reduce + publish, beside, slowestBackward(passes - 1));
            case Optimizer -> {
                hide(reduce, beside, slowestBackward(passes - 1));
                exposed += publish;
            }
            case Gradients -> {
                for (int pass = 0; pass < passes; pass++) {
                    hide(reduce, beside, slowestBackward(pass));
                }
                exposed += publish;
            }
            case Parameters, Hybrid -> {
                for (int pass = 0; pass < passes; pass++) {
                    hide((kept.sweeps() - 1) * sweep, (layers - 1.0) / layers, slowestForward(pass));
                    hide(reduce + sweep, beside, slowestBackward(pass));
                }
                exposed += publish + links.between(traffic, traffic.blocks().count());
            }
        }
        double longest = hands.stream()
                .mapToDouble(hand -> hand.stream().mapToDouble(Part::response).sum())
                .max()
                .orElse(0);
        exposed += everywhere.tell(ENTROPY * longest * hands.size(), 1);
    }

    private void hide(double seconds, double share, double compute) {
        double here = hardware.overlap() * Math.min(share * seconds, compute);
        hidden += here;
        exposed += seconds - here;
    }

    double exposed() {
        return exposed;
    }

    double hidden() {
        return hidden;
    }

    int passes() {
        return passes;
    }

    Optional<String> missing() {
        return memory.missing(hands.stream()
                .flatMap(List::stream)
                .mapToLong(Part::padded)
                .max()
                .orElse(0));
    }
}
