package dev.rlvr.trainer.launch;

/** Something that a launcher has to react to. */
sealed interface Event {
    /** A rank or a replica has said hello and may stay. */
    record Joined(Link link) implements Event {}

    /** The other end of a link said something. */
    record Heard(Member from, Message message) implements Event {}

    /** The other end of a link closed it. */
    record Gone(Member member) implements Event {}

    /** The other end of a link has not given a sign of life for too long. */
    record Silent(Member member, String howLong) implements Event {}

    /** Replica 0 does not want this one. */
    record Rejected(String reason) implements Event {}

    /** A rank's process has ended and its output was passed on. */
    record Ended(int rank, int exitValue) implements Event {}

    /** This launcher was asked to stop. */
    record StopAsked() implements Event {}

    /** A wait is over. */
    record Due(Wait what) implements Event {}

    /** What is waited for. */
    enum Wait {
        /** It is time to say again who is missing. */
        Reminder,
        /** All replicas. */
        Replicas,
        /** A sign of life from each rank that was started. */
        FirstSign,
        /** Ranks that end by themselves once one has failed. */
        LastWords,
        /** What other replicas say about a failure. */
        Reports
    }
}
