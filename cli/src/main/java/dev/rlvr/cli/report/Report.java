package dev.rlvr.cli.report;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.Optional;

/** Writes {@code pictures/*.png} and the page {@code report.html} of a run. */
public final class Report {
    /**
     * What was written.
     *
     * @param page the page
     * @param withoutPictures why there are no pictures, and what to do about it; empty where there are
     */
    public record Result(Path page, Optional<String> withoutPictures) {}

    private Report() {}

    /**
     * Reads the run's files and writes the report beside them, also while the run goes on.
     *
     * @param folder the run's work folder
     * @throws dev.rlvr.cli.local.UserException if there is no run or no finished step
     */
    public static Result write(Path folder) throws IOException {
        System.setProperty("java.awt.headless", "true");
        RunData run = RunData.read(folder);
        Map<String, byte[]> pictures = Map.of();
        Optional<String> withoutPictures = Optional.empty();
        try {
            pictures = Pictures.write(folder.resolve("pictures"), title(run.job()), subtitle(run), Charts.of(run));
        } catch (LinkageError | InternalError | NullPointerException e) {
            // How Java says that a machine has no fonts depends on what exactly is missing.
            withoutPictures =
                    Optional.of("no pictures: this machine has no fonts for Java to draw with (" + e.getMessage()
                            + "); install some, for example with: apt-get install fontconfig fonts-dejavu-core");
        }
        Path page = folder.resolve("report.html");
        Path next = folder.resolve("report.html.next");
        Files.writeString(next, Page.of(run, pictures));
        Files.move(next, page, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        return new Result(page, withoutPictures);
    }

    static String title(RLVRJob job) {
        return job.getMetadata().getNamespace() + "/" + job.getMetadata().getName();
    }

    /** The run in one line: what was trained on what, and which tokens. */
    static String subtitle(RunData run) {
        RLVRJobSpec spec = run.job().getSpec();
        return spec.model().source() + "  \u00b7  " + spec.algorithm().objective() + "  \u00b7  "
                + Page.selection(spec.algorithm().forkingTokens()) + "  \u00b7  " + run.lastStep() + " of "
                + spec.algorithm().steps() + " steps";
    }
}
