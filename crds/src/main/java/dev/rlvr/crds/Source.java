package dev.rlvr.crds;

import java.util.Objects;

/** A model or data location: {@code hf://ORG/NAME}, {@code pvc://CLAIM/PATH}, {@code file:///PATH} or {@code bundled://NAME}. */
public record Source(Scheme scheme, String path) {
    /** Form of a source; {@code ..} leads out of a claim or out of what is bundled. */
    static final String RULE =
            "self.matches('^(hf://[^/]+/[^/]+.*|pvc://[a-z0-9][-a-z0-9.]*(/.*)?|file:///.+|bundled://[^/].*)$')"
                    + " && !self.contains('/..')";

    static final String MESSAGE =
            "is not a source; use hf://ORG/NAME, pvc://CLAIM/PATH, file:///PATH or bundled://NAME, without '..'";
    static final int MAX_LENGTH = 1024;

    /** Kinds of location. */
    public enum Scheme {
        /** Hugging Face hub. */
        HF,
        /** A PersistentVolumeClaim of the job's namespace: the path's first segment is the claim. */
        PVC,
        /** A path on the machine or in the pod. */
        FILE,
        /** Shipped with the trainer's image; under {@code examples/} in a checkout. */
        BUNDLED
    }

    /** Splits a source that the schema has already accepted; {@code file:///a} has the path {@code /a}. */
    public static Source parse(String source) {
        int colon = source.indexOf("://");
        if (colon < 0) {
            throw new IllegalArgumentException(
                    "'" + source + "' is not a source; use hf://, pvc://, file:/// or bundled://");
        }
        Scheme scheme = switch (source.substring(0, colon)) {
            case "hf" -> Scheme.HF;
            case "pvc" -> Scheme.PVC;
            case "file" -> Scheme.FILE;
            case "bundled" -> Scheme.BUNDLED;
            default ->
                throw new IllegalArgumentException(
                        "'" + source + "' is not a source; use hf://, pvc://, file:/// or bundled://");
        };
        return new Source(scheme, Objects.requireNonNull(source).substring(colon + 3));
    }
}
