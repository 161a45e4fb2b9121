package dev.rlvr.crds;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.representer.Representer;
import org.yaml.snakeyaml.resolver.Resolver;

/**
 * Reads YAML or JSON into the tree that kubectl would send. Plain scalars mean what they mean to Kubernetes, not to
 * SnakeYAML: {@code 1e-6} is a number and {@code 1:30} a string.
 */
final class ManifestText {
    private static final Set<String> NULLS = Set.of("", "~", "null", "Null", "NULL");
    private static final Set<String> TRUTHS = Set.of("y", "yes", "true", "on");
    private static final Set<String> LIES = Set.of("n", "no", "false", "off");
    private static final Pattern INTEGER =
            Pattern.compile("[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)");
    private static final Pattern REAL = Pattern.compile("[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?");

    private final String origin;
    private final Set<Node> open = Collections.newSetFromMap(new IdentityHashMap<>());

    private ManifestText(String origin) {
        this.origin = origin;
    }

    /**
     * Reads one document.
     *
     * @param origin name of the text in messages
     * @throws ManifestException with line and column where the text is not one YAML or JSON object
     */
    static ObjectNode parse(String text, String origin) {
        JsonNode root = text.stripLeading().startsWith("{") ? json(text, origin) : new ManifestText(origin).yaml(text);
        if (root instanceof ObjectNode object) {
            return object;
        }
        throw new ManifestException(
                List.of(origin + ": holds no RLVRJob manifest; it must start with apiVersion and" + " kind"));
    }

    private static JsonNode json(String text, String origin) {
        try {
            return JsonMapper.builder()
                    .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .build()
                    .readTree(text);
        } catch (JacksonException e) {
            throw new ManifestException(List.of("%s, line %d, column %d: %s"
                    .formatted(
                            origin,
                            e.getLocation().getLineNr(),
                            e.getLocation().getColumnNr(),
                            e.getOriginalMessage().lines().findFirst().orElse("is not JSON"))));
        }
    }

    private JsonNode yaml(String text) {
        LoaderOptions loading = new LoaderOptions();
        DumperOptions dumping = new DumperOptions();
        Yaml yaml = new Yaml(
                new SafeConstructor(loading), new Representer(dumping), dumping, loading, new EveryScalarIsText());
        List<JsonNode> documents = new ArrayList<>();
        try {
            for (Node document : yaml.composeAll(new StringReader(text))) {
                JsonNode tree = tree(document);
                if (!tree.isNull()) {
                    documents.add(tree);
                }
            }
        } catch (MarkedYAMLException e) {
            throw problem(e.getProblemMark(), e.getProblem());
        } catch (YAMLException e) {
            throw new ManifestException(
                    List.of(origin + ": " + e.getMessage().lines().findFirst().orElse("is not YAML")));
        }
        if (documents.size() > 1) {
            throw new ManifestException(
                    List.of(origin + ": holds " + documents.size() + " documents; keep one RLVRJob to a file"));
        }
        return documents.isEmpty() ? NullNode.instance : documents.getFirst();
    }

    private JsonNode tree(Node node) {
        if (!open.add(node)) {
            throw problem(node.getStartMark(), "an alias that contains itself");
        }
        JsonNode tree = switch (node) {
            case MappingNode mapping -> object(mapping);
            case SequenceNode sequence -> {
                ArrayNode array = JsonNodeFactory.instance.arrayNode();
                sequence.getValue().forEach(item -> array.add(tree(item)));
                yield array;
            }
            case ScalarNode scalar when scalar.isPlain() -> plain(scalar);
            case ScalarNode scalar -> TextNode.valueOf(scalar.getValue());
            default -> throw problem(node.getStartMark(), "unexpected " + node.getNodeId());
        };
        open.remove(node);
        return tree;
    }

    private ObjectNode object(MappingNode mapping) {
        ObjectNode own = JsonNodeFactory.instance.objectNode();
        ObjectNode merged = JsonNodeFactory.instance.objectNode();
        for (NodeTuple entry : mapping.getValue()) {
            if (!(entry.getKeyNode() instanceof ScalarNode key)) {
                throw problem(entry.getKeyNode().getStartMark(), "a key must be a plain word");
            }
            if (key.isPlain() && key.getValue().equals("<<")) {
                merge(tree(entry.getValueNode()), merged, key);
            } else if (own.has(key.getValue())) {
                throw problem(key.getStartMark(), "the key " + key.getValue() + " is there twice");
            } else {
                own.set(key.getValue(), tree(entry.getValueNode()));
            }
        }
        return merged.setAll(own);
    }

    /** YAML's merge key: the first mapping that has a field gives its value. */
    private void merge(JsonNode source, ObjectNode merged, ScalarNode key) {
        switch (source) {
            case ObjectNode fields ->
                fields.properties().forEach(field -> merged.putIfAbsent(field.getKey(), field.getValue()));
            case ArrayNode mappings -> mappings.forEach(mapping -> merge(mapping, merged, key));
            default -> throw problem(key.getStartMark(), "<< takes a mapping");
        }
    }

    private JsonNode plain(ScalarNode scalar) {
        String text = scalar.getValue();
        if (NULLS.contains(text)) {
            return NullNode.instance;
        }
        // Go reads True and TRUE, but not tRUE.
        String lower = text.toLowerCase(Locale.ROOT);
        if (text.equals(lower)
                || text.substring(1).equals(lower.substring(1))
                || text.equals(text.toUpperCase(Locale.ROOT))) {
            if (TRUTHS.contains(lower)) {
                return BooleanNode.TRUE;
            }
            if (LIES.contains(lower)) {
                return BooleanNode.FALSE;
            }
        }
        String digits = text.replace("_", "");
        if (INTEGER.matcher(digits).matches()) {
            return integer(digits);
        }
        if (REAL.matcher(digits).matches()) {
            double value = Double.parseDouble(digits);
            if (Double.isInfinite(value)) {
                throw problem(scalar.getStartMark(), text + " is too large for a number");
            }
            return DoubleNode.valueOf(value);
        }
        if (text.matches("[-+]?\\.(inf|Inf|INF)|\\.(nan|NaN|NAN)")) {
            throw problem(scalar.getStartMark(), text + " is not a finite number");
        }
        return TextNode.valueOf(text);
    }

    private static JsonNode integer(String digits) {
        boolean negative = digits.startsWith("-");
        String magnitude = digits.replaceFirst("^[-+]", "").toLowerCase(Locale.ROOT);
        String signed = negative ? "-" : "";
        try {
            if (magnitude.startsWith("0x")) {
                return LongNode.valueOf(Long.parseLong(signed + magnitude.substring(2), 16));
            }
            if (magnitude.startsWith("0b")) {
                return LongNode.valueOf(Long.parseLong(signed + magnitude.substring(2), 2));
            }
            if (magnitude.startsWith("0") && magnitude.length() > 1) {
                return LongNode.valueOf(Long.parseLong(signed + magnitude.replaceFirst("^0o?", ""), 8));
            }
            return LongNode.valueOf(Long.parseLong(signed + magnitude));
        } catch (NumberFormatException e) {
            return REAL.matcher(digits).matches()
                    ? DoubleNode.valueOf(Double.parseDouble(digits))
                    : TextNode.valueOf(digits);
        }
    }

    private ManifestException problem(Mark mark, String what) {
        return new ManifestException(List.of(
                "%s, line %d, column %d: %s".formatted(origin, mark.getLine() + 1, mark.getColumn() + 1, what)));
    }

    /** Leaves the meaning of plain scalars to {@link #plain}. */
    private static final class EveryScalarIsText extends Resolver {
        @Override
        protected void addImplicitResolvers() {}
    }
}
