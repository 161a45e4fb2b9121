package dev.rlvr.cli.local;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.lifecycle.JobObservation;
import dev.rlvr.lifecycle.JobSources;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The runs on this machine that {@code job://} sources of a job name.
 *
 * @param prefix what their work folders begin with, before a job's name: {@code runs/NAMESPACE-}
 */
public record OtherJobs(String prefix) {
    /** Those whose work folders are in a folder. */
    public static OtherJobs in(Path runs, RLVRJob job) {
        return new OtherJobs(runs.toAbsolutePath() + "/" + job.getMetadata().getNamespace() + "-");
    }

    /** The named ones that exist. */
    List<JobObservation> observe(RLVRJob job) throws IOException {
        List<JobObservation> jobs = new ArrayList<>();
        for (String name : JobSources.names(job.getSpec())) {
            Path work = Path.of(prefix + name);
            if (Files.isDirectory(work)) {
                jobs.add(JobObservation.of(name, WorkFolder.readStatus(work)));
            }
        }
        return jobs;
    }

    /**
     * Nobody would run another job meanwhile: what a cluster waits for is a mistake here.
     *
     * @throws UserException if something is not there yet
     */
    public void require(RLVRJob job) throws IOException {
        Optional<String> missing = new JobSources(job.getSpec(), observe(job)).missing();
        if (missing.isPresent()) {
            throw new UserException(
                    missing.get() + " (its work folder would be " + prefix + "NAME; ./rlvr run makes it)");
        }
    }
}
