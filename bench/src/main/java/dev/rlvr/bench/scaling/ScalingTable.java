package dev.rlvr.bench.scaling;

import java.util.List;
import java.util.Locale;

/** Results for several numbers of ranks as a Markdown table. */
public final class ScalingTable {
    private static final String HEAD = """
            | ranks | step s | sample | update | imbalance | exposed | hidden | host | checkpoint | tokens/s | per rank | computing | rows | passes | limits |
            |--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|
            """;

    private ScalingTable() {}

    /** The same job on so many ranks. */
    public static String of(Job job, Hardware hardware, Design design, List<Integer> ranks) {
        StringBuilder table = new StringBuilder(HEAD);
        for (int n : ranks) {
            table.append(row(new StepTimeModel(job, hardware, design, n).result()));
        }
        return table.toString();
    }

    private static String row(Result result) {
        if (!result.missing().isEmpty()) {
            return "| %,d |%s %s |%n".formatted(result.ranks(), " |".repeat(13), String.join("; ", result.missing()));
        }
        return String.format(
                Locale.ROOT,
                "| %,d | %,.1f | %,.1f | %,.1f | %,.1f | %,.1f | %,.1f | %,.1f | %,.2f | %,.0f | %,.0f | %.0f %% | %d | %d | %s |%n",
                result.ranks(),
                result.step(),
                result.sample(),
                result.update(),
                result.imbalance(),
                result.exposed(),
                result.hidden(),
                result.host(),
                result.checkpoint(),
                result.tokensPerSecond(),
                result.tokensPerSecond() / result.ranks(),
                100 * result.efficiency(),
                result.rows(),
                result.passes(),
                String.join("; ", result.limits()));
    }
}
