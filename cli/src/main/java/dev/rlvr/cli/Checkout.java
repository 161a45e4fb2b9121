package dev.rlvr.cli;

import dev.rlvr.cli.local.TrainerProcess;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The checkout that this command line was started from.
 *
 * @param root its root folder
 * @param built folder that the launcher copied the build to
 * @param javaHome the JDK it was built with and runs on
 * @param userHome the user's home folder
 */
record Checkout(Path root, Path built, Path javaHome, Path userHome) {
    /** As the launcher says. */
    static Checkout current() {
        return new Checkout(
                Path.of(System.getProperty("rlvr.home", ".")).toAbsolutePath().normalize(),
                Path.of(System.getProperty("rlvr.built", "target")),
                Path.of(System.getProperty("java.home")),
                Path.of(System.getProperty("user.home")));
    }

    TrainerProcess trainer() throws IOException {
        return TrainerProcess.ofCheckout(root, built, javaHome, userHome);
    }

    Path operator() {
        return root.resolve("operator/target/quarkus-app/quarkus-run.jar");
    }
}
