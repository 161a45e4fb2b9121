package dev.rlvr.trainer.model;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Tensors that lie whole or in pieces in one or several safetensors files. */
public final class TensorFiles {
    private static final Pattern PIECE = Pattern.compile("(.+)\\[(\\d+):(\\d+)]");

    private final List<Path> paths;
    private final Map<String, List<Piece>> pieces = new HashMap<>();

    /** Scalars {@code [from, to)} of a tensor under a name in a file. */
    private record Piece(Safetensors file, String name, long from, long to) {}

    private TensorFiles(List<Path> paths) {
        this.paths = List.copyOf(paths);
    }

    /** Opens files. */
    public static TensorFiles open(List<Path> paths) throws IOException {
        TensorFiles files = new TensorFiles(paths);
        for (Path path : paths) {
            Safetensors file = Safetensors.open(path);
            file.tensors().forEach((name, tensor) -> {
                Matcher piece = PIECE.matcher(name);
                if (piece.matches()) {
                    files.add(
                            piece.group(1),
                            new Piece(file, name, Long.parseLong(piece.group(2)), Long.parseLong(piece.group(3))));
                } else {
                    files.add(name, new Piece(file, name, 0, tensor.size()));
                }
            });
        }
        return files;
    }

    private void add(String name, Piece piece) {
        pieces.computeIfAbsent(name, _ -> new ArrayList<>()).add(piece);
    }

    /** Name of scalars {@code [from, to)} of a tensor in a file. */
    static String pieceName(String tensor, long from, long to) {
        return tensor + "[" + from + ":" + to + "]";
    }

    /** What is wrong with a tensor, if it is not there in the shape that a model calls for. */
    Optional<String> mismatch(WeightLayout.Part part) {
        List<Piece> found = pieces.getOrDefault(part.name(), List.of());
        if (found.size() == 1 && found.getFirst().name.equals(part.name())) {
            List<Long> shape = found.getFirst().file.tensors().get(part.name()).shape();
            return shape.equals(part.shape()) ? Optional.empty() : Optional.of("shape " + shape);
        }
        long size = found.stream().mapToLong(piece -> piece.to - piece.from).sum();
        return size == part.size() ? Optional.empty() : Optional.of(size + " scalars");
    }

    /**
     * Reads scalars {@code [from, to)} of a tensor as F32 in native byte order.
     *
     * @param target gets them from its position on, which moves behind them
     * @throws IOException if one of them is in no file
     */
    void readF32(String tensor, long from, long to, ByteBuffer target) throws IOException {
        long found = 0;
        for (Piece piece : pieces.getOrDefault(tensor, List.of())) {
            long low = Math.max(from, piece.from);
            long high = Math.min(to, piece.to);
            if (low < high) {
                int at = target.position() + Math.toIntExact((low - from) * Float.BYTES);
                piece.file.readF32(
                        piece.name,
                        low - piece.from,
                        high - piece.from,
                        target.duplicate().position(at));
                found += high - low;
            }
        }
        if (found != to - from) {
            throw new IOException(
                    "%s have %d of scalars %d to %d of tensor %s".formatted(paths, found, from, to, tensor));
        }
        target.position(target.position() + Math.toIntExact((to - from) * Float.BYTES));
    }
}
