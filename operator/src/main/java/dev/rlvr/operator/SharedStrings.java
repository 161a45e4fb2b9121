package dev.rlvr.operator;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.deser.std.StdScalarDeserializer;
import com.fasterxml.jackson.databind.deser.std.StringDeserializer;
import java.io.IOException;

/**
 * Reads equal strings as the same string, where it still knows the former: a job's name and uid are in dozens of labels and references, kinds
 * and versions in all objects. It knows one string for each place of a table, so what it holds is bounded. Threads that race for a place lose
 * nothing but a chance.
 */
final class SharedStrings extends StdScalarDeserializer<String> {
    private static final int PLACES = 1 << 16;

    /** Longer ones are messages and manifests, which are not repeated. */
    private static final int LONGEST = 80;

    private final transient String[] known = new String[PLACES];

    SharedStrings() {
        super(String.class);
    }

    @Override
    public String deserialize(JsonParser parser, DeserializationContext context) throws IOException {
        return shared(StringDeserializer.instance.deserialize(parser, context));
    }

    private String shared(String text) {
        if (text.length() > LONGEST) {
            return text;
        }
        int hash = text.hashCode();
        int place = (hash ^ (hash >>> 16)) & (PLACES - 1);
        String former = known[place];
        if (text.equals(former)) {
            return former;
        }
        known[place] = text;
        return text;
    }
}
