package dev.rlvr.bench;

import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** A side that notes in a file whose turn it is, and answers with a check of its own. */
final class EchoSide implements SideLoop.Work {
    private final String name;
    private final String file;
    private final double check;

    private EchoSide(String name, String file, double check) {
        this.name = name;
        this.file = file;
        this.check = check;
    }

    /** Arguments: name, file, check; without a check the side is not available. */
    public static void main(String[] args) {
        SideLoop.serve(() -> {
            System.out.println("what a library prints must not be taken for an answer");
            if (args.length < 3) {
                throw new UnsupportedOperationException("no such thing");
            }
            return new EchoSide(args[0], args[1], Double.parseDouble(args[2]));
        });
    }

    @Override
    public double round() throws IOException {
        try (FileOutputStream out = new FileOutputStream(file, true)) {
            out.write((name + " ").getBytes(StandardCharsets.UTF_8));
        }
        return check;
    }

    @Override
    public void close() {}
}
