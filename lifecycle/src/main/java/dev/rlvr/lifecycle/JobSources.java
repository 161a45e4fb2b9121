package dev.rlvr.lifecycle;

import dev.rlvr.crds.RLVRJobSpec;
import dev.rlvr.crds.Source;
import dev.rlvr.crds.Source.Scheme;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.SequencedSet;
import java.util.stream.Stream;

/**
 * What a job takes from other jobs: {@code job://} sources. It begins only once that is there and does not change any more, so that all its ranks and
 * attempts find the same. Later attempts wait for nothing: the other job may have been deleted since, and what it wrote stays.
 *
 * @param jobs those that exist
 */
public record JobSources(RLVRJobSpec spec, List<JobObservation> jobs) {
    /** Copies the list. */
    public JobSources {
        jobs = List.copyOf(jobs);
    }

    /** The jobs that the sources of a spec name, each once. */
    public static SequencedSet<String> names(RLVRJobSpec spec) {
        SequencedSet<String> names = new LinkedHashSet<>();
        Stream.of(spec.model().source(), spec.checkpoint().resumeFrom())
                .filter(Objects::nonNull)
                .map(Source::parse)
                .filter(source -> source.scheme() == Scheme.JOB)
                .map(Source::owner)
                .forEach(names::add);
        return names;
    }

    /** What is not there yet, in a sentence for a person. */
    public Optional<String> missing() {
        return missing("spec.model.source", spec.model().source(), JobSources::trained)
                .or(() -> Optional.ofNullable(spec.checkpoint().resumeFrom())
                        .flatMap(source -> missing("spec.checkpoint.resumeFrom", source, JobSources::ended)));
    }

    /** What of a job is waited for, where no checkpoint of it is named. */
    @FunctionalInterface
    private interface Whole {
        Optional<String> missing(JobObservation job);
    }

    private Optional<String> missing(String field, String value, Whole whole) {
        Source source = Source.parse(value);
        if (source.scheme() != Scheme.JOB) {
            return Optional.empty();
        }
        Optional<JobObservation> found =
                jobs.stream().filter(job -> job.name().equals(source.owner())).findFirst();
        Optional<String> missing = found.isEmpty()
                ? Optional.of("there is no RLVRJob %s in the namespace yet; create it, or correct the name in a new job"
                        .formatted(source.owner()))
                : source.rest().startsWith("checkpoints/")
                        ? checkpoint(found.get(), step(source))
                        : whole.missing(found.get());
        return missing.map(why -> "%s: %s: %s".formatted(field, value, why));
    }

    private static int step(Source source) {
        return Integer.parseInt(source.rest().replaceFirst(".*/step-", ""));
    }

    /** Of a job that has ended none will come: the trainer says so of one that is not there. */
    private static Optional<String> checkpoint(JobObservation job, int step) {
        return job.state().ended() || job.checkpoint().orElse(-1) >= step
                ? Optional.empty()
                : Optional.of("RLVRJob %s is %s and %s; this job begins once step %d is saved"
                        .formatted(
                                job.name(),
                                job.state(),
                                job.checkpoint()
                                        .map(at -> "has saved step " + at)
                                        .orElse("has saved no checkpoint yet"),
                                step));
    }

    private static Optional<String> trained(JobObservation job) {
        return switch (job.state()) {
            case Succeeded -> Optional.empty();
            case Failed ->
                Optional.of(("RLVRJob %s has failed; create it anew, or name one of its checkpoints"
                                + " (job://%s/checkpoints/step-NNNNNN) in a new job")
                        .formatted(job.name(), job.name()));
            case Suspended, Queued, Starting, Running, Restarting ->
                Optional.of(
                        "RLVRJob %s is %s; this job begins once it has succeeded".formatted(job.name(), job.state()));
        };
    }

    private static Optional<String> ended(JobObservation job) {
        if (!job.state().ended()) {
            return Optional.of(("RLVRJob %s is %s; this job begins once it has ended, or name one of its checkpoints"
                            + " (job://%s/checkpoints/step-NNNNNN) in a new job")
                    .formatted(job.name(), job.state(), job.name()));
        }
        return job.checkpoint().isPresent()
                ? Optional.empty()
                : Optional.of(
                        "RLVRJob %s has ended without a checkpoint; create it anew, or begin without it in a new job"
                                .formatted(job.name()));
    }
}
