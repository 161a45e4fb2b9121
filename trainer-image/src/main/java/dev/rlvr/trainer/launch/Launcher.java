package dev.rlvr.trainer.launch;

import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs the ranks of one pod: finds the launchers of the other pods, starts its ranks once all pods are there, and ends with one verdict that
 * all launchers share as far as they can still talk to each other. Once anything is lost, everything ends within the peer timeout.
 */
public final class Launcher {
    private static final Logger LOG = LoggerFactory.getLogger(Launcher.class);
    private static final Duration REMINDER = Duration.ofSeconds(30);

    private final LaunchSettings settings;
    private final RankCommand command;
    private final PrintStream out;
    private final Events events = new Events();
    private final Replicas replicas;
    private Verdict verdict = Verdict.DONE;
    private boolean started;
    private boolean failing;
    private boolean stopping;
    private boolean reported;
    private boolean givenUp;

    /**
     * A launcher of one pod's ranks.
     *
     * @param command how a rank is started
     * @param out gets the output of all ranks, each line with the rank's number before it
     */
    public Launcher(LaunchSettings settings, RankCommand command, PrintStream out) {
        this.settings = settings;
        this.command = command;
        this.out = out;
        this.replicas = Replicas.of(settings);
    }

    /** Asks all ranks of all pods to write a checkpoint and end; may be called by any thread, at any time. */
    public void stop() {
        events.accept(new Event.StopAsked());
    }

    /** Runs until all ranks have ended; none is left then. */
    public Verdict run() throws InterruptedException {
        try (replicas;
                Ranks ranks = Ranks.of(
                        settings, command, out, events, Thread.ofVirtual().factory())) {
            begin(ranks);
            while (!over(ranks)) {
                handle(events.next(), ranks);
                if (!reported && ranks.ended() && (started || failing)) {
                    reported = true;
                    replicas.report(verdict);
                }
            }
            replicas.end(verdict);
        } catch (IOException e) {
            LOG.error("input or output failed", e);
            verdict = verdict.or(Verdict.tryAgain(
                    "the launcher of replica %d: %s".formatted(settings.world().replica(), e.getMessage())));
        }
        return verdict;
    }

    private void begin(Ranks ranks) throws IOException {
        replicas.seek(events);
        events.after(settings.startDeadline(), Event.Wait.Replicas);
        events.after(REMINDER, Event.Wait.Reminder);
        goIfComplete(ranks);
    }

    private boolean over(Ranks ranks) {
        return givenUp || ((started || failing) && ranks.ended() && replicas.settled());
    }

    private void handle(Event event, Ranks ranks) throws IOException {
        switch (event) {
            case Event.Joined(Link link) -> joined(link, ranks);
            case Event.Heard(Member from, Message message) -> heard(from, message, ranks);
            case Event.Gone(Member member) -> {
                // a rank's own end says more than its connection's
                if (member instanceof Member.Replica) {
                    lost(member, "is gone");
                }
            }
            case Event.Silent(Member member, String howLong) -> silent(member, howLong, ranks);
            case Event.Rejected(String reason) -> fail(Verdict.tryAgain(reason));
            case Event.Ended(int rank, int exitValue) -> ended(ranks.ended(rank, exitValue));
            case Event.StopAsked() -> stop(ranks);
            case Event.Due(Event.Wait wait) -> due(wait, ranks);
        }
    }

    private void joined(Link link, Ranks ranks) throws IOException {
        switch (link.peer()) {
            case Member.Rank(int rank) -> ranks.joined(rank);
            case Member.Replica _ -> {
                replicas.joined(link);
                if (failing) {
                    link.send(new Message.Failing(verdict));
                } else {
                    goIfComplete(ranks);
                }
            }
            case Member.Launcher() -> throw new IllegalStateException("a launcher has no launcher");
        }
    }

    private void goIfComplete(Ranks ranks) throws IOException {
        if (replicas.complete()) {
            Message.Go go = new Message.Go(settings.bindHost(), freePort());
            replicas.tell(go);
            start(go, ranks);
        }
    }

    /** Where rank 0 will listen; it is free now. */
    private int freePort() throws IOException {
        try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getByName(settings.bindHost()))) {
            return probe.getLocalPort();
        }
    }

    private void start(Message.Go go, Ranks ranks) throws IOException {
        LOG.info(
                "replica {} of {} starts {} ranks of {} threads",
                settings.world().replica(),
                settings.world().replicas(),
                settings.world().ranksPerReplica(),
                settings.threads());
        started = true;
        ranks.start(go);
        events.after(settings.firstSign(), Event.Wait.FirstSign);
    }

    private void heard(Member from, Message message, Ranks ranks) throws IOException {
        switch (message) {
            case Message.Go go -> {
                if (!failing) {
                    start(go, ranks);
                }
            }
            case Message.Leaving(int exitCode) -> ranks.leaving(from, exitCode);
            case Message.Stop() -> stop(ranks);
            case Message.Failing(Verdict why) -> fail(why);
            case Message.Report(Verdict of) -> {
                replicas.settle(from);
                ended(of);
            }
            case Message.End(Verdict of) -> {
                replicas.settle(from);
                ended(of);
            }
            case Message.Beat _, Message.Hello _, Message.Welcome _, Message.Refused _ ->
                LOG.debug("{} says {}", from, message.line());
        }
    }

    /** One that is leaving has had time enough, and is not to blame. */
    private void silent(Member member, String howLong, Ranks ranks) {
        if (member instanceof Member.Rank(int rank)) {
            ranks.kill(rank);
        }
        if (!ranks.left(member)) {
            lost(member, "has not answered for " + howLong);
        }
    }

    private void lost(Member member, String how) {
        replicas.settle(member);
        fail(Verdict.tryAgain(member + " " + how));
    }

    private void ended(Verdict how) {
        switch (how.kind()) {
            case Done -> {
                // the others will follow
            }
            case Stopped -> verdict = verdict.or(how);
            case LostPeer, TryAgain, Failed, WrongInput -> fail(how);
        }
    }

    private void stop(Ranks ranks) {
        if (!stopping) {
            stopping = true;
            replicas.tell(new Message.Stop());
            if (started) {
                ranks.stop();
            } else {
                fail(Verdict.tryAgain("stopped on request before all replicas were there"));
            }
        }
    }

    /** From now on everything ends: what explains it may still come in, for a short time. */
    private void fail(Verdict why) {
        verdict = verdict.or(why);
        if (!failing) {
            failing = true;
            LOG.warn("all ranks have to end: {}", why.message());
            replicas.tell(new Message.Failing(verdict));
            events.after(settings.lastWords(), Event.Wait.LastWords);
            events.after(settings.lastWords().multipliedBy(2), Event.Wait.Reports);
        }
    }

    private void due(Event.Wait wait, Ranks ranks) {
        boolean gathering = !started && !failing;
        switch (wait) {
            case Reminder -> {
                if (gathering) {
                    LOG.info("waits for {}", replicas.missing());
                    events.after(REMINDER, Event.Wait.Reminder);
                }
            }
            case Replicas -> {
                if (gathering) {
                    fail(Verdict.tryAgain("waited %d s (spec.lifecycle.startDeadline) for %s"
                            .formatted(settings.startDeadline().toSeconds(), replicas.missing())));
                }
            }
            case FirstSign -> ended(ranks.endSilent(settings.firstSign()));
            case LastWords -> ranks.kill();
            case Reports -> givenUp = true;
        }
    }
}
