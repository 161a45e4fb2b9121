package dev.rlvr.bench;

import ai.djl.Device;
import dev.rlvr.trainer.model.Precision;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** What a side is told; the same options in Java and Python. */
final class SideOptions {
    @Option(names = "--model", required = true)
    private Path model = Path.of("");

    @Option(names = "--precision", required = true)
    private Precision precision = Precision.F32;

    @Option(names = "--threads", required = true)
    private int threads;

    @Option(names = "--rows")
    private int rows;

    @Option(names = "--length")
    private int length;

    @Option(names = "--folder")
    private Path folder = Path.of("");

    @Option(names = "--gpu")
    private boolean gpu;

    static SideOptions of(String[] args) {
        return CommandLine.populateCommand(new SideOptions(), args);
    }

    Path model() {
        return model;
    }

    Path folder() {
        return folder;
    }

    int threads() {
        return threads;
    }

    int rows() {
        return rows;
    }

    int length() {
        return length;
    }

    Engine engine(int longest) {
        return Engine.open(model, precision, threads, gpu ? Device.gpu(0) : Device.cpu(), longest);
    }

    /** Token ids that both sides make up alike: {@code count} of them for a row. */
    static List<Integer> ids(int row, int count, int vocabulary) {
        List<Integer> ids = new ArrayList<>(count);
        for (int column = 0; column < count; column++) {
            // primes, so that no two rows are alike
            ids.add((int) ((row * 7919L + column * 104_729L + (long) row * column * 31) % vocabulary));
        }
        return ids;
    }
}
