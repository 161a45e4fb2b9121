package dev.rlvr.trainer.launch;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** A rank's connection to its launcher: proves to it that the rank lives, and tells the rank when it is alone. */
public final class Lifeline {
    static final String LAUNCHER = "RLVR_LAUNCHER";
    static final String PEER_TIMEOUT = "RLVR_PEER_TIMEOUT_MILLIS";

    private final Optional<Link> link;

    private Lifeline(Optional<Link> link) {
        this.link = link;
    }

    /** That of a process that no launcher has started. */
    public static Lifeline none() {
        return new Lifeline(Optional.empty());
    }

    /** Whether a process with this environment is a rank that a launcher has started. */
    public static boolean wanted(Map<String, String> environment) {
        return environment.containsKey(LAUNCHER);
    }

    /**
     * Connects, and watches from a thread of its own.
     *
     * @param environment that of the rank
     * @param lost is told in a few words how the launcher was lost; the rank has to end then
     */
    public static Lifeline hold(Map<String, String> environment, Consumer<String> lost) {
        Member launcher = new Member.Launcher();
        Member self = new Member.Rank(Integer.parseInt(environment.get(World.RANK)));
        Duration peerTimeout = Duration.ofMillis(Long.parseLong(environment.get(PEER_TIMEOUT)));
        try {
            Link link = Link.join(
                    LaunchSettings.Address.parse(environment.get(LAUNCHER)).resolve(),
                    new Message.Hello(self, environment.get(LaunchSettings.GROUP)),
                    launcher,
                    peerTimeout);
            // not virtual: those share as many threads as there are cores, and the trainer may keep these busy
            link.open(Thread.ofPlatform().daemon().name("launcher-watch-", 0).factory(), event -> {
                // a launcher speaks to its ranks by signals alone
                if (event instanceof Event.Silent(Member _, String howLong)) {
                    lost.accept("the launcher has not answered for " + howLong);
                } else if (event instanceof Event.Gone) {
                    lost.accept("the launcher is gone");
                }
            });
            return new Lifeline(Optional.of(link));
        } catch (IOException e) {
            lost.accept("the launcher cannot be reached: " + e.getMessage());
            return none();
        }
    }

    /**
     * Says with which code the process ends. To end takes time, in which the JVM gives no signs of life: native destructors run, and the kernel frees
     * memory before it closes connections.
     */
    public void leave(int exitCode) {
        link.ifPresent(launcher -> launcher.leave(new Message.Leaving(exitCode)));
    }
}
