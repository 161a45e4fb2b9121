package dev.rlvr.trainer.launch;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The command that starts a rank; what tells one rank from another is in its environment. */
public record RankCommand(List<String> words) {
    public RankCommand {
        words = List.copyOf(words);
    }

    /** A JVM like this one: the same executable, options and class path. */
    public static RankCommand likeThisProcess(Class<?> main, List<String> arguments) {
        List<String> words = new ArrayList<>();
        words.add(ProcessHandle.current()
                .info()
                .command()
                .orElse(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        words.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        words.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        words.addAll(arguments);
        return new RankCommand(words);
    }
}
