package dev.rlvr.cli.report;

import dev.rlvr.cli.report.Answer.Token;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A few answers with every token coloured by its entropy and underlined where it was kept: forking tokens to look at. */
final class HeatMap {
    private static final int PROMPTS = 3;

    private HeatMap() {}

    /** The section's content; empty where no rollouts were kept. */
    static String of(List<Answer> answers) {
        List<Answer> shown = choose(answers);
        if (shown.isEmpty()) {
            return "";
        }
        double scale = scale(shown);
        StringBuilder html = new StringBuilder();
        html.append(legend(scale));
        String prompt = "";
        for (Answer answer : shown) {
            if (!answer.prompt().equals(prompt)) {
                prompt = answer.prompt();
                html.append("<p class=\"prompt\">%s <span class=\"soft\">right answer: %s</span></p>%n"
                        .formatted(Html.text(prompt.strip()), Html.text(answer.reference())));
            }
            html.append("<p class=\"answer\"><span class=\"reward%s\">%s</span>"
                    .formatted(answer.reward() > 0 ? " right" : "", plain(answer.reward())));
            answer.tokens().forEach(token -> html.append(token(token, scale)));
            html.append("</p>\n");
        }
        return html.toString();
    }

    /** Of the first prompts whose answers differ in reward, the best and the worst answer. */
    private static List<Answer> choose(List<Answer> answers) {
        Map<String, List<Answer>> groups = new LinkedHashMap<>();
        answers.forEach(answer ->
                groups.computeIfAbsent(answer.prompt(), _ -> new ArrayList<>()).add(answer));
        Comparator<Answer> byReward = Comparator.comparingDouble(Answer::reward);
        List<Answer> chosen = new ArrayList<>();
        for (List<Answer> group : groups.values()) {
            Answer best = group.stream().max(byReward).orElseThrow();
            Answer worst = group.stream().min(byReward).orElseThrow();
            if (best.reward() > worst.reward() && chosen.size() < 2 * PROMPTS) {
                chosen.add(best);
                chosen.add(worst);
            }
        }
        return chosen.isEmpty() ? answers.stream().limit(PROMPTS).toList() : chosen;
    }

    /** The entropy that gets the full colour: nearly the highest, so that one outlier does not pale the rest. */
    private static double scale(List<Answer> answers) {
        double[] entropies = answers.stream()
                .flatMap(answer -> answer.tokens().stream())
                .mapToDouble(Token::entropy)
                .sorted()
                .toArray();
        return Math.max(0.1, entropies[(int) (0.98 * (entropies.length - 1))]);
    }

    private static String token(Token token, double scale) {
        double strength = Math.clamp(token.entropy() / scale, 0, 1);
        String visible = token.text().replace("\n", "\u21b5\n");
        return String.format(
                Locale.ROOT,
                "<span class=\"token%s\" style=\"--h:%.2f\" title=\"entropy %.4f nats, probability %.1f %%%s\">%s</span>",
                token.kept() ? " kept" : "",
                strength,
                token.entropy(),
                100 * Math.exp(token.logProbability()),
                token.kept() ? ", kept" : "",
                Html.text(visible));
    }

    private static String legend(double scale) {
        return String.format(
                Locale.ROOT,
                "<p class=\"legend\"><span class=\"ramp\"></span> entropy from 0 to %.2f nats or more"
                        + " <span class=\"token kept\" style=\"--h:0\">underlined</span> took part in the update"
                        + " <span class=\"reward right\">1</span> reward</p>%n",
                scale);
    }

    private static String plain(double reward) {
        return reward == Math.rint(reward)
                ? Long.toString(Math.round(reward))
                : String.format(Locale.ROOT, "%.2f", reward);
    }
}
