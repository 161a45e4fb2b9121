package dev.rlvr.trainer.serve;

/** Says what it was started with, and ends as if the port were taken. */
public final class Serve {
    private Serve() {}

    public static void main(String[] arguments) {
        System.out.println(String.join("|", arguments));
        System.exit(2);
    }
}
