package dev.rlvr.operator;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.deser.std.StdScalarDeserializer;
import com.fasterxml.jackson.databind.deser.std.StringDeserializer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Reads a text as its SHA-256, and that as itself, as copies of what was read are. A manifest is a sixth of what caches would hold of a job, and all
 * that is asked of it is whether it is still the one that the spec makes.
 */
final class Fingerprint extends StdScalarDeserializer<String> {
    private static final String ALGORITHM = "SHA-256";
    private static final String PREFIX = "sha256:";
    private static final Pattern FINGERPRINT = Pattern.compile(PREFIX + "[0-9a-f]{64}");

    Fingerprint() {
        super(String.class);
    }

    @Override
    public String deserialize(JsonParser parser, DeserializationContext context) throws IOException {
        String text = StringDeserializer.instance.deserialize(parser, context);
        return FINGERPRINT.matcher(text).matches() ? text : of(text);
    }

    /** Whether these texts are those, or those are their fingerprints. */
    static boolean isOf(Map<String, String> texts, Map<String, String> those) {
        return texts.equals(those)
                || (texts.keySet().equals(those.keySet())
                        && texts.entrySet().stream()
                                .allMatch(text -> of(text.getValue()).equals(those.get(text.getKey()))));
    }

    private static String of(String text) {
        try {
            byte[] digest = MessageDigest.getInstance(ALGORITHM).digest(text.getBytes(StandardCharsets.UTF_8));
            return PREFIX + HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has " + ALGORITHM, e);
        }
    }
}
