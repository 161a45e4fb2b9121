package dev.rlvr.trainer.entropy;

/** Says what it was started with, and that it should be tried again. */
public final class Entropy {
    private Entropy() {}

    public static void main(String[] arguments) {
        System.out.println(String.join("|", arguments));
        System.err.println("rlvr: said by the trainer");
        System.exit(75);
    }
}
