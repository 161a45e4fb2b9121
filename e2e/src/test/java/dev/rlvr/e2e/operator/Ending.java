package dev.rlvr.e2e.operator;

/** How the pods of a played attempt go on. */
public sealed interface Ending {
    /** They exit with 0. */
    record Succeeds() implements Ending {}

    /** The first exits with that code, having said that. */
    record Exits(int code, String message) implements Ending {}

    /** The init container of the first that downloads exits with that code, having said that. */
    record FetchExits(int code, String message) implements Ending {}

    /** The first is evicted through the eviction API. */
    record Evicted() implements Ending {}

    /** They run on. */
    record RunsOn() implements Ending {}

    /** They do not start: a container waits for that reason. */
    record Waits(String reason, String message) implements Ending {}

    /** They are not scheduled. */
    record Unschedulable(String message) implements Ending {}
}
