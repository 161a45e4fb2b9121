package dev.rlvr.trainer.launch;

import java.nio.file.Path;
import java.util.List;

/** A launcher's process; arguments: replicas, ranks per replica, replica, port, group, folder, behaviour of the ranks. */
public final class StandInLauncher {
    private StandInLauncher() {}

    public static void main(String[] arguments) throws Exception {
        StandInJob job = new StandInJob(
                Path.of(arguments[5]),
                Integer.parseInt(arguments[0]),
                Integer.parseInt(arguments[1]),
                Integer.parseInt(arguments[3]),
                arguments[4],
                List.of(arguments).subList(6, arguments.length));
        StandInJob.Running running = job.start(Integer.parseInt(arguments[2]));
        Verdict verdict = running.verdict();
        System.out.println(verdict.message());
        Runtime.getRuntime().halt(verdict.exitCode());
    }
}
