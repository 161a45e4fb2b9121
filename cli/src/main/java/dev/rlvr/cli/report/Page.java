package dev.rlvr.cli.report;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rlvr.cli.local.Json;
import dev.rlvr.cli.report.RunData.Comparison;
import dev.rlvr.crds.AlgorithmSpec.ForkingTokens;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A run as one page that needs nothing else: no network, no folder beside it. */
final class Page {
    private static final Map<String, String> DESCRIPTIONS = Map.of(
            "reward", "Mean reward and held-out accuracy over the steps",
            "entropy", "Mean entropy and the threshold of the kept tokens over the steps",
            "kept", "Share of tokens kept over the steps",
            "length", "Mean answer length over the steps");

    private Page() {}

    /** The page's HTML; pictures by the name of their chart. */
    static String of(RunData run, Map<String, byte[]> pictures) throws IOException {
        String title = Html.text(Report.title(run.job()));
        return """
                <!doctype html>
                <html lang="en">
                <head>
                <meta charset="utf-8">
                <meta name="viewport" content="width=device-width, initial-scale=1">
                <title>%1$s</title>
                <style>
                %2$s</style>
                </head>
                <body>
                <main>
                <header>
                <h1>%1$s</h1>
                <p class="soft">%3$s</p>
                </header>
                %4$s
                %5$s
                %6$s
                %7$s
                </main>
                </body>
                </html>
                """.formatted(
                        title,
                        style(),
                        Html.text(Report.subtitle(run)),
                        comparisons(run),
                        pictures(pictures),
                        answers(run),
                        configuration(run));
    }

    private static String style() throws IOException {
        try (InputStream css = Page.class.getResourceAsStream("report.css")) {
            return new String(css.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static String comparisons(RunData run) {
        List<Comparison> comparisons = run.comparisons();
        if (comparisons.isEmpty()) {
            return "";
        }
        StringBuilder rows = new StringBuilder();
        for (Comparison c : comparisons) {
            rows.append(String.format(
                    Locale.ROOT,
                    """
                    <tr><td>%s</td><td class="soft">avg@%d, %d problems</td><td class="n">%.1f %%</td>\
                    <td class="n strong">%.1f %%</td><td class="n">%+.1f points</td></tr>
                    """,
                    Html.text(c.after().name()),
                    c.after().samples(),
                    c.after().problems(),
                    100 * c.before().averageAtK(),
                    100 * c.after().averageAtK(),
                    100 * (c.after().averageAtK() - c.before().averageAtK())));
        }
        return section(
                "Held-out accuracy", """
                <table>
                <thead><tr><th>evaluation</th><th></th><th class="n">before</th><th class="n">after step %d</th><th></th></tr></thead>
                <tbody>
                %s</tbody>
                </table>
                """.formatted(comparisons.getLast().after().step(), rows));
    }

    private static String pictures(Map<String, byte[]> pictures) {
        StringBuilder figures = new StringBuilder();
        pictures.forEach((name, png) -> {
            if (DESCRIPTIONS.containsKey(name)) {
                figures.append("<figure>")
                        .append(Html.picture(png, DESCRIPTIONS.get(name)))
                        .append("</figure>\n");
            }
        });
        return figures.isEmpty() ? "" : section("Training", "<div class=\"pictures\">\n" + figures + "</div>\n");
    }

    private static String answers(RunData run) {
        String heatMap = HeatMap.of(run.lastAnswers());
        return heatMap.isEmpty() ? "" : section("Answers of the last step, token by token", heatMap);
    }

    private static String configuration(RunData run) {
        StringBuilder rows = new StringBuilder();
        rows(Json.MAPPER.valueToTree(run.job().getSpec()), "", rows);
        return section("Configuration", "<table class=\"configuration\">\n<tbody>\n" + rows + "</tbody>\n</table>\n");
    }

    private static void rows(JsonNode node, String path, StringBuilder rows) {
        if (node.isObject() && !node.isEmpty()) {
            node.properties()
                    .forEach(field -> rows(
                            field.getValue(), path.isEmpty() ? field.getKey() : path + "." + field.getKey(), rows));
        } else if (node.isArray() && node.size() > 0 && node.get(0).isObject()) {
            for (int i = 0; i < node.size(); i++) {
                rows(node.get(i), path + "[" + i + "]", rows);
            }
        } else if (!node.isNull()) {
            rows.append("<tr><td><code>%s</code></td><td><code>%s</code></td></tr>%n"
                    .formatted(Html.text(path), Html.text(node.isValueNode() ? node.asText() : node.toString())));
        }
    }

    private static String section(String heading, String content) {
        return "<section>\n<h2>" + Html.text(heading) + "</h2>\n" + content + "</section>";
    }

    /** Which tokens took part, in words. */
    static String selection(ForkingTokens forking) {
        String which = switch (forking.select()) {
            case HighestEntropy -> "highest entropy";
            case LowestEntropy -> "lowest entropy";
            case Random -> "random";
            case All -> "all tokens";
        };
        if (forking.select() == ForkingTokens.Select.All) {
            return which;
        }
        if (forking.entropyThreshold() != null) {
            return which + ", threshold " + forking.entropyThreshold() + " nats";
        }
        double fraction = forking.fraction() == null ? ForkingTokens.DEFAULT_FRACTION : forking.fraction();
        return new DecimalFormat("0.##", DecimalFormatSymbols.getInstance(Locale.ROOT)).format(100 * fraction)
                + " % of the tokens, " + which;
    }
}
