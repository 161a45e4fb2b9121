package dev.rlvr.e2e.chaos;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A request of the operator that is no watch.
 *
 * @param job the job that it is about; empty for lists of all jobs
 */
record Request(String method, String uri, Optional<String> job) {
    private static final Pattern JOB = Pattern.compile("\\b" + Schedule.PREFIX + "[0-9]+\\b");

    private static final Pattern STATUS = Pattern.compile("/rlvrjobs/[^/?]+/status(\\?|$)");

    static Request of(String method, String uri, String body) {
        String decoded = URLDecoder.decode(uri, StandardCharsets.UTF_8);
        Matcher job = JOB.matcher(decoded + " " + body);
        return new Request(method, decoded, job.find() ? Optional.of(job.group()) : Optional.empty());
    }

    boolean writes() {
        return !method.equals("GET");
    }

    boolean creates() {
        return method.equals("POST");
    }

    /** Whether this creates an object of that kind. */
    boolean creates(String plural) {
        return creates() && uri.replaceFirst("\\?.*$", "").endsWith("/" + plural);
    }

    boolean patches() {
        return method.equals("PATCH");
    }

    boolean storesStatus() {
        return patches() && STATUS.matcher(uri).find();
    }

    @Override
    public String toString() {
        return method + " " + uri.replaceFirst("^.*/namespaces/[^/]+/", "");
    }
}
