package dev.rlvr.cli;

import dev.rlvr.cli.image.Revision;
import dev.rlvr.cli.local.UserException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
        name = "operator",
        description = "Run the operator of this checkout against a cluster, until stopped.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "The cluster needs the resource definition first:  kubectl apply -f crds/",
            "Example:  ./rlvr operator --kubeconfig ~/.kube/config -Dquarkus.log.level=DEBUG"
        })
final class OperatorCommand implements Callable<Integer> {
    @Option(
            names = "--kubeconfig",
            paramLabel = "FILE",
            description = "How to reach the cluster. Default: $KUBECONFIG, else ~/.kube/config.")
    private @Nullable Path kubeconfig;

    @Option(
            names = "--namespaces",
            paramLabel = "NAMES",
            description = "Namespaces to watch, separated by commas. Default: all.")
    private @Nullable String namespaces;

    @Option(
            names = "--port",
            paramLabel = "PORT",
            description = "Port of health and metrics on this machine. Default: ${DEFAULT-VALUE}.")
    private int port = 8080;

    @Option(names = "-D", paramLabel = "NAME=VALUE", description = "Any other setting, as a Java system property.")
    private List<String> settings = new ArrayList<>();

    @Override
    public Integer call() throws IOException, InterruptedException {
        Checkout checkout = Checkout.current();
        if (kubeconfig != null && !Files.isReadable(kubeconfig)) {
            throw new UserException("--kubeconfig: " + kubeconfig + " cannot be read; name the file that kubectl uses");
        }
        List<String> command = new ArrayList<>();
        command.add(checkout.javaHome().resolve("bin/java").toString());
        command.addAll(List.of("-Drlvr.host=127.0.0.1", "-Drlvr.port=" + port));
        if (namespaces != null) {
            command.add("-Drlvr.namespaces=" + namespaces);
        }
        Revision.of(VersionCommand.project(), checkout.root())
                .commit()
                .ifPresent(commit -> command.add("-Drlvr.commit=" + commit));
        settings.forEach(setting -> command.add("-D" + setting));
        command.addAll(List.of("-jar", checkout.operator().toString()));
        ProcessBuilder operator = new ProcessBuilder(command).inheritIO();
        if (kubeconfig != null) {
            operator.environment().put("KUBECONFIG", kubeconfig.toAbsolutePath().toString());
        }
        Process process = operator.start();
        Interrupts.ofProcess().handle(process::destroy, process::destroyForcibly);
        return process.waitFor();
    }
}
