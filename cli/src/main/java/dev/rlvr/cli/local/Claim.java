package dev.rlvr.cli.local;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** What a work folder answers to a job that wants to run in it. */
public sealed interface Claim {
    /** Nothing has run there yet. */
    record Begin() implements Claim {}

    /** The same job was begun there and is not done. */
    record GoOn(RLVRJobStatus status) implements Claim {}

    /** The same job has ended there. */
    record Ended(RLVRJobStatus status) implements Claim {}

    /**
     * Compares the job with what the folder holds.
     *
     * @throws UserException if the folder belongs to another job, with a line for each difference
     */
    static Claim of(WorkFolder folder, RLVRJob job) throws IOException {
        Optional<RLVRJob> stored = folder.storedJob();
        if (stored.isPresent()) {
            List<String> changes = SpecChange.between(stored.get(), job);
            if (!changes.isEmpty()) {
                throw new UserException(Stream.concat(
                                Stream.of(
                                        "--work: " + folder.path() + " belongs to a run with another manifest;"
                                                + " choose another folder, or --fresh to start anew (the old run is kept beside it)"),
                                changes.stream().map(change -> "  " + change))
                        .toList());
            }
        }
        Optional<RLVRJobStatus> status = folder.storedStatus();
        if (status.isEmpty()) {
            return new Begin();
        }
        boolean ended = status.get().state() != null && status.get().state().ended();
        return ended ? new Ended(status.get()) : new GoOn(status.get());
    }
}
