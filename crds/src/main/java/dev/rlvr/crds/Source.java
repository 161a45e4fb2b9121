package dev.rlvr.crds;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A location of a model, of problems or of a checkpoint: {@code hf://ORG/NAME}, {@code hf://datasets/ORG/NAME@REVISION/PATH},
 * {@code pvc://CLAIM/PATH}, {@code file:///PATH}, {@code bundled://NAME} or {@code job://NAME}.
 */
public record Source(Scheme scheme, String path) {
    private static final String CLAIM = "pvc://" + Metadata.DNS_LABEL + "([.]" + Metadata.DNS_LABEL + ")*(/.*)?";
    private static final String FILE = "file:///.+";
    private static final String FOLDER = FILE + "|bundled://[^/].*";
    private static final String CHECKPOINT = "/checkpoints/step-[0-9]{6,9}";
    private static final String JOB = "job://[a-z]([-a-z0-9]*[a-z0-9])?";

    /** A path with {@code ..} leads out of a claim or out of what is bundled. */
    private static final String INSIDE = " && !self.contains('/..')";

    /** Form of a model's source. */
    static final String MODEL_RULE = "self.matches('^(hf://[^/@]+/[^/@]+|" + CLAIM + "|" + FOLDER + "|" + JOB
            + "(/model|" + CHECKPOINT + ")?)$') && !self.startsWith('hf://datasets/')" + INSIDE;

    static final String MODEL_MESSAGE = "is not a source of a model; use hf://ORG/NAME, pvc://CLAIM/PATH, file:///PATH,"
            + " bundled://NAME, job://NAME or job://NAME/checkpoints/step-NNNNNN, without '..'";

    /** Form of a source of problems. */
    static final String DATA_RULE = "self.matches('^(hf://datasets/[^/@]+/[^/@]+(@[^/@]+)?/[^@]+[.](jsonl|parquet)|"
            + CLAIM + "|" + FOLDER + ")$')" + INSIDE;

    static final String DATA_MESSAGE =
            "is not a source of problems; use hf://datasets/ORG/NAME/PATH.parquet (or .jsonl; @REVISION after NAME),"
                    + " pvc://CLAIM/PATH, file:///PATH or bundled://NAME, without '..'";

    /** Form of a source of a checkpoint. */
    static final String CHECKPOINT_RULE =
            "self.matches('^(" + CLAIM + "|" + FILE + "|" + JOB + "(" + CHECKPOINT + ")?)$')" + INSIDE;

    static final String CHECKPOINT_MESSAGE =
            "is not a checkpoint folder; use pvc://CLAIM/PATH, file:///PATH, job://NAME or"
                    + " job://NAME/checkpoints/step-NNNNNN, without '..'";

    static final int MAX_LENGTH = 1024;

    private static final Pattern DATASET = Pattern.compile("datasets/([^/@]+/[^/@]+)(?:@([^/@]+))?/(.+)");

    /** Kinds of location. */
    public enum Scheme {
        /** Hugging Face hub. */
        HF,
        /** A PersistentVolumeClaim of the job's namespace: the path's first segment is the claim. */
        PVC,
        /** A path on the machine or in the pod. */
        FILE,
        /** Shipped with the trainer's image; under {@code examples/} in a checkout. */
        BUNDLED,
        /** What another job of the namespace has written: the path's first segment is its name. */
        JOB
    }

    /**
     * A file of a data set of the hub.
     *
     * @param repository {@code ORG/NAME}
     * @param revision branch, tag or commit; a {@code /} in it is written {@code %2F}
     * @param path of the file in the repository
     */
    public record Dataset(String repository, String revision, String path) {}

    /** Splits a source that the schema has already accepted; {@code file:///a} has the path {@code /a}. */
    public static Source parse(String source) {
        int colon = source.indexOf("://");
        Scheme scheme = switch (source.substring(0, Math.max(0, colon))) {
            case "hf" -> Scheme.HF;
            case "pvc" -> Scheme.PVC;
            case "file" -> Scheme.FILE;
            case "bundled" -> Scheme.BUNDLED;
            case "job" -> Scheme.JOB;
            default ->
                throw new IllegalArgumentException(
                        "'" + source + "' is not a source; use hf://, pvc://, file:///, bundled:// or job://");
        };
        return new Source(scheme, source.substring(colon + 3));
    }

    /** The claim of a {@code pvc://} source, the job of a {@code job://} source: the path's first segment. */
    public String owner() {
        return path.replaceFirst("/.*", "");
    }

    /** What is behind the first segment, without a {@code /} before it; empty where there is nothing. */
    public String rest() {
        return path.substring(Math.min(path.length(), owner().length() + 1));
    }

    /** The file of a data set that an {@code hf://} source names; empty where it names a model. */
    public Optional<Dataset> dataset() {
        Matcher matcher = DATASET.matcher(path);
        if (scheme != Scheme.HF || !matcher.matches()) {
            return Optional.empty();
        }
        String revision = Optional.ofNullable(matcher.group(2)).orElse("main").replace("%2F", "/");
        return Optional.of(new Dataset(matcher.group(1), revision, matcher.group(3)));
    }
}
