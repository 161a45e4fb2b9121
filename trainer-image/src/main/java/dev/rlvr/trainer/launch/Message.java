package dev.rlvr.trainer.launch;

import java.net.ProtocolException;

/** One line between the ends of a {@link Link}. */
sealed interface Message {
    /** The sender lives. */
    record Beat() implements Message {}

    /** First line of the end that connects: who it is, and of which attempt of which job. */
    record Hello(Member member, String token) implements Message {}

    /** It may stay. */
    record Welcome() implements Message {}

    /** It may not. */
    record Refused(String reason) implements Message {}

    /** All replicas are there: start the ranks, whose rendezvous is at this address. */
    record Go(String storeHost, int storePort) implements Message {}

    /** A rank has done all that it will do, and its process ends with this code; from now on it gives no signs of life. */
    record Leaving(int exitCode) implements Message {}

    /** Somebody asked for a checkpoint and the end. */
    record Stop() implements Message {}

    /** Something failed; all ranks have to end. What explains it may still follow. */
    record Failing(Verdict verdict) implements Message {}

    /** All ranks of the sender's pod have ended. */
    record Report(Verdict verdict) implements Message {}

    /** All replicas have reported, or had the time to. */
    record End(Verdict verdict) implements Message {}

    /** Without the line break. */
    default String line() {
        return switch (this) {
            case Beat() -> "beat";
            case Hello(Member member, String token) -> "hello " + token + " " + member;
            case Welcome() -> "welcome";
            case Refused(String reason) -> "refused " + reason;
            case Go(String host, int port) -> "go " + port + " " + host;
            case Leaving(int exitCode) -> "leaving " + exitCode;
            case Stop() -> "stop";
            case Failing(Verdict verdict) -> "failing " + text(verdict);
            case Report(Verdict verdict) -> "report " + text(verdict);
            case End(Verdict verdict) -> "end " + text(verdict);
        };
    }

    private static String text(Verdict verdict) {
        return verdict.kind() + " " + verdict.message();
    }

    /**
     * Reads a line.
     *
     * @throws ProtocolException if no launcher or rank can have written it
     */
    static Message parse(String line) throws ProtocolException {
        String[] words = line.split(" ", 2);
        String rest = words.length > 1 ? words[1] : "";
        try {
            return switch (words[0]) {
                case "beat" -> new Beat();
                case "hello" -> hello(rest.split(" ", 2));
                case "welcome" -> new Welcome();
                case "refused" -> new Refused(rest);
                case "go" -> go(rest.split(" ", 2));
                case "leaving" -> new Leaving(Integer.parseInt(rest));
                case "stop" -> new Stop();
                case "failing" -> new Failing(verdict(rest.split(" ", 2)));
                case "report" -> new Report(verdict(rest.split(" ", 2)));
                case "end" -> new End(verdict(rest.split(" ", 2)));
                default -> throw new IllegalArgumentException("unknown word");
            };
        } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException e) {
            ProtocolException wrong = new ProtocolException("not a line of a launcher: " + line);
            wrong.initCause(e);
            throw wrong;
        }
    }

    private static Hello hello(String[] words) {
        return new Hello(Member.parse(words[1]), words[0]);
    }

    private static Go go(String[] words) {
        return new Go(words[1], Integer.parseInt(words[0]));
    }

    private static Verdict verdict(String[] words) {
        return new Verdict(Verdict.Kind.valueOf(words[0]), words[1]);
    }
}
