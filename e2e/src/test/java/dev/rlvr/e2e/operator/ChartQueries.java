package dev.rlvr.e2e.operator;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the chart's dashboard and alerts ask of Prometheus. */
final class ChartQueries {
    private static final Path FILES = Path.of(System.getProperty("rlvr.checkout"), "helm", "rlvr-operator", "files");

    /** Labels and durations are no metrics. */
    private static final Pattern NOT_METRICS =
            Pattern.compile("\\{[^}]*}|\\[[^]]*]|\\b(by|without|on|ignoring)\\s*\\([^)]*\\)|\"[^\"]*\"");

    /** A name that is not called as a function. */
    private static final Pattern NAME = Pattern.compile("\\b[a-z_][a-z0-9_]*\\b(?!\\s*\\()");

    private static final Set<String> WORDS = Set.of("and", "or", "unless", "by", "bool", "offset");

    private ChartQueries() {}

    static List<String> all() throws IOException {
        List<String> queries = expressions("dashboard.json");
        queries.addAll(expressions("alerts.yaml"));
        return queries;
    }

    private static List<String> expressions(String file) throws IOException {
        return Serialization.unmarshal(Files.readString(FILES.resolve(file)), JsonNode.class)
                .findValuesAsText("expr");
    }

    /** Names of metrics in a query. */
    static Set<String> metrics(String query) {
        Set<String> names = new TreeSet<>();
        Matcher matcher = NAME.matcher(NOT_METRICS.matcher(query).replaceAll(""));
        while (matcher.find()) {
            if (!WORDS.contains(matcher.group())) {
                names.add(matcher.group());
            }
        }
        return names;
    }
}
