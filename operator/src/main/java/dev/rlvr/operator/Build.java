package dev.rlvr.operator;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.Properties;

/**
 * Which build of the operator this is. Read without SmallRye Config, since it is asked for before there is any.
 *
 * @param version of the project
 * @param commit that it was built from, as its image or the launcher says
 */
record Build(String version, String commit) {
    static final String UNKNOWN = "unknown";

    static Build current() {
        return new Build(
                project(),
                Optional.ofNullable(System.getProperty("rlvr.commit"))
                        .or(() -> Optional.ofNullable(System.getenv("RLVR_COMMIT")))
                        .orElse(UNKNOWN));
    }

    private static String project() {
        try (InputStream in = Build.class.getResourceAsStream("version.properties")) {
            Properties properties = new Properties();
            properties.load(in);
            return properties.getProperty("version");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String toString() {
        return "rlvr-operator " + version + ", commit " + commit + ", Java " + Runtime.version();
    }
}
