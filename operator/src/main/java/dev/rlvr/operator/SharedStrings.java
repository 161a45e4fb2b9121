package dev.rlvr.operator;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.deser.std.StdScalarDeserializer;
import com.fasterxml.jackson.databind.deser.std.StringDeserializer;
import java.io.IOException;

/** Reads equal strings as the same string: a job's name and uid are in dozens of labels and references, kinds and versions in all objects. */
final class SharedStrings extends StdScalarDeserializer<String> {
    /** Longer ones are messages and manifests, which are not repeated. */
    private static final int LONGEST = 80;

    /** Shorter numbers are those of attempts and pods. */
    private static final int SHORTEST_VERSION = 4;

    private final transient KnownValues known = new KnownValues();

    SharedStrings() {
        super(String.class);
    }

    @Override
    public String deserialize(JsonParser parser, DeserializationContext context) throws IOException {
        String text = StringDeserializer.instance.deserialize(parser, context);
        return text.length() > LONGEST || isVersion(text) ? text : known.same(text);
    }

    /** A resourceVersion, which no two objects have. */
    private static boolean isVersion(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (!Character.isDigit(text.charAt(i))) {
                return false;
            }
        }
        return text.length() >= SHORTEST_VERSION;
    }
}
