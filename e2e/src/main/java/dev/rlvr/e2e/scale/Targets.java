package dev.rlvr.e2e.scale;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What was wanted and what was measured. */
final class Targets {
    private final List<Target> all = new ArrayList<>();

    /**
     * One of them.
     *
     * @param what that is measured
     * @param wanted in words
     * @param measured in words
     * @param met whether it is what was wanted
     */
    record Target(String what, String wanted, String measured, boolean met) {}

    void atLeast(String what, double measured, double wanted, String unit) {
        add(what, "≥ " + number(wanted) + " " + unit, number(measured) + " " + unit, measured >= wanted);
    }

    void atMost(String what, double measured, double wanted, String unit) {
        add(what, "≤ " + number(wanted) + " " + unit, number(measured) + " " + unit, measured <= wanted);
    }

    void add(String what, String wanted, String measured, boolean met) {
        all.add(new Target(what, wanted, measured, met));
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, value < 100 && value != Math.rint(value) ? "%.1f" : "%.0f", value);
    }

    boolean met() {
        return all.stream().allMatch(Target::met);
    }

    /** As a Markdown table. */
    String table() {
        StringBuilder table = new StringBuilder("| | target | measured | met |\n| --- | --- | --- | --- |\n");
        all.forEach(target -> table.append("| %s | %s | %s | %s |\n"
                .formatted(target.what(), target.wanted(), target.measured(), target.met() ? "yes" : "**no**")));
        return table.toString();
    }

    ArrayNode json() {
        ArrayNode json = new ObjectMapper().createArrayNode();
        all.forEach(target -> {
            ObjectNode node = json.addObject();
            node.put("what", target.what()).put("wanted", target.wanted());
            node.put("measured", target.measured()).put("met", target.met());
        });
        return json;
    }
}
