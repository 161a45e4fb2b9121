package dev.rlvr.trainer.hub;

import java.util.Locale;

/**
 * A repository of a hub.
 *
 * @param kind what is in it
 * @param name {@code ORG/NAME}
 */
public record Repository(Kind kind, String name) {
    /** Kinds of repository; each has addresses of its own. */
    public enum Kind {
        /** Weights and what belongs to them. */
        MODELS,
        /** Files of problems. */
        DATASETS
    }

    /** Where the hub describes a revision of it, under the hub's own address. */
    String description(String encodedRevision) {
        return "api/%s/%s/revision/%s?blobs=true"
                .formatted(kind.name().toLowerCase(Locale.ROOT), name, encodedRevision);
    }

    /** What the addresses of a commit's files begin with, under the hub's own address. */
    String files(String commit) {
        return prefix() + name + "/resolve/" + commit + "/";
    }

    /** Its folder in a cache. */
    String folder() {
        return prefix().replace("/", "--") + name.replace("/", "--");
    }

    /** As sources name it. */
    @Override
    public String toString() {
        return "hf://" + prefix() + name;
    }

    private String prefix() {
        return kind == Kind.DATASETS ? "datasets/" : "";
    }
}
