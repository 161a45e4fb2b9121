package dev.rlvr.cli;

import dev.rlvr.cli.report.Report;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
        name = "report",
        description = "Draw the pictures of a run and write its page, report.html, into its work folder.",
        mixinStandardHelpOptions = true)
final class ReportCommand implements Callable<Integer> {
    @Parameters(paramLabel = "DIR", description = "Work folder of a run, for example runs/default-quickstart.")
    private Path folder = Path.of("");

    @Override
    public Integer call() throws IOException {
        Report.Result result = Report.write(folder);
        System.out.println(result.page());
        result.withoutPictures().ifPresent(System.err::println);
        return 0;
    }
}
