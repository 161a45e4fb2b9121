package dev.rlvr.trainer.model;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;

/**
 * A safetensors file: an 8-byte little-endian header length, a JSON header, the tensors' bytes
 * (https://huggingface.co/docs/safetensors). Opening reads and checks the header only.
 */
public final class Safetensors {
    private static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    private static final long MAX_HEADER = 100_000_000;
    private static final long COMPARED_AT_ONCE = 1 << 26;
    private static final String FETCH = "; fetch the file again";

    private final Path file;
    private final long dataStart;
    private final Map<String, Tensor> tensors;

    private Safetensors(Path file, long dataStart, Map<String, Tensor> tensors) {
        this.file = file;
        this.dataStart = dataStart;
        this.tensors = tensors;
    }

    /** Number formats that can be read; all become F32. */
    enum Format {
        F32(4),
        BF16(2),
        F16(2);

        private final int bytes;

        Format(int bytes) {
            this.bytes = bytes;
        }
    }

    /** Where a tensor lies: bytes {@code [begin, end)} of the data. */
    record Tensor(Format format, List<Long> shape, long begin, long end) {
        Tensor {
            shape = List.copyOf(shape);
        }

        /** Scalars. */
        long size() {
            return (end - begin) / format.bytes;
        }
    }

    /** A file that is not what it claims to be. */
    public static final class CorruptFileException extends IOException {
        private static final long serialVersionUID = 1;

        CorruptFileException(Path file, String what) {
            super(file + " is not a readable safetensors file: " + what);
        }
    }

    /**
     * Opens a file and checks its header against its size.
     *
     * @throws CorruptFileException if the header is damaged or the file is cut short
     */
    public static Safetensors open(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            if (channel.read(length) < Long.BYTES) {
                throw new CorruptFileException(file, "it has " + channel.size() + " bytes" + FETCH);
            }
            long header = length.getLong(0);
            if (header < 2 || header > MAX_HEADER || Long.BYTES + header > channel.size()) {
                throw new CorruptFileException(
                        file, "its header length is " + header + " in " + channel.size() + " bytes" + FETCH);
            }
            byte[] json = new byte[(int) header];
            readFully(channel, ByteBuffer.wrap(json));
            long dataStart = Long.BYTES + header;
            return new Safetensors(file, dataStart, parse(file, json, channel.size() - dataStart));
        }
    }

    private static void readFully(FileChannel channel, ByteBuffer target) throws IOException {
        while (target.hasRemaining() && channel.read(target) >= 0) {
            // read until full or at the end
        }
    }

    private static Map<String, Tensor> parse(Path file, byte[] json, long available) throws IOException {
        JsonNode header;
        try {
            header = JSON.readTree(json);
        } catch (IOException e) {
            throw new CorruptFileException(file, "its header is not JSON" + FETCH);
        }
        if (!header.isObject()) {
            throw new CorruptFileException(file, "its header is not a JSON object" + FETCH);
        }
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : header.properties()) {
            if (!"__metadata__".equals(entry.getKey())) {
                tensors.put(entry.getKey(), tensor(file, entry.getKey(), entry.getValue(), available));
            }
        }
        return tensors;
    }

    private static Tensor tensor(Path file, String name, JsonNode node, long available) throws IOException {
        Format format;
        try {
            format = Format.valueOf(node.path("dtype").asText());
        } catch (IllegalArgumentException e) {
            throw new CorruptFileException(
                    file, "tensor " + name + " has dtype " + node.path("dtype") + "; convert it to F32, BF16 or F16");
        }
        List<Long> shape = shape(file, name, node.path("shape"));
        long size = bytes(file, name, shape, format);
        long begin = node.path("data_offsets").path(0).asLong(-1);
        long end = node.path("data_offsets").path(1).asLong(-1);
        if (begin < 0 || end - begin != size || end > available) {
            throw new CorruptFileException(
                    file,
                    "tensor " + name + " of shape " + shape + " claims bytes " + begin + " to " + end + " of "
                            + available + FETCH);
        }
        return new Tensor(format, shape, begin, end);
    }

    private static List<Long> shape(Path file, String name, JsonNode node) throws CorruptFileException {
        List<Long> shape = new ArrayList<>();
        for (JsonNode length : node) {
            shape.add(length.isIntegralNumber() && length.canConvertToLong() ? length.longValue() : -1);
        }
        if (!node.isArray() || shape.stream().anyMatch(length -> length < 0)) {
            throw new CorruptFileException(file, "tensor " + name + " has the shape " + node + FETCH);
        }
        return shape;
    }

    private static long bytes(Path file, String name, List<Long> shape, Format format) throws CorruptFileException {
        try {
            return shape.stream().reduce((long) format.bytes, Math::multiplyExact);
        } catch (ArithmeticException e) {
            throw new CorruptFileException(file, "tensor " + name + " has the shape " + shape + FETCH);
        }
    }

    /** Names and places of the tensors, in file order. */
    Map<String, Tensor> tensors() {
        return tensors;
    }

    /** The same file with a second name for one of its tensors. */
    Safetensors alias(String name, String other) {
        Map<String, Tensor> more = new LinkedHashMap<>(tensors);
        more.put(other, Objects.requireNonNull(tensors.get(name)));
        return new Safetensors(file, dataStart, more);
    }

    /** Whether a tensor has the same format, shape and bytes as another one, perhaps in another file. */
    boolean equalBytes(String name, Safetensors other, String otherName) throws IOException {
        Tensor one = Objects.requireNonNull(tensors.get(name));
        Tensor two = Objects.requireNonNull(other.tensors.get(otherName));
        if (one.format != two.format || !one.shape.equals(two.shape)) {
            return false;
        }
        try (FileChannel channel = FileChannel.open(file);
                FileChannel otherChannel = FileChannel.open(other.file)) {
            for (long at = 0; at < one.end - one.begin; at += COMPARED_AT_ONCE) {
                long size = Math.min(COMPARED_AT_ONCE, one.end - one.begin - at);
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment here = channel.map(MapMode.READ_ONLY, dataStart + one.begin + at, size, arena);
                    MemorySegment there =
                            otherChannel.map(MapMode.READ_ONLY, other.dataStart + two.begin + at, size, arena);
                    if (here.mismatch(there) >= 0) {
                        return false;
                    }
                }
            }
            return true;
        }
    }

    /** The file that was opened. */
    Path file() {
        return file;
    }

    /**
     * Reads scalars {@code [from, to)} of a tensor as F32 in native byte order.
     *
     * @param name a name in the file
     * @param target gets them from its position on, which moves behind them
     */
    void readF32(String name, long from, long to, ByteBuffer target) throws IOException {
        Tensor tensor = tensor(name);
        long width = tensor.format.bytes;
        FloatBuffer floats = target.slice().order(ByteOrder.nativeOrder()).asFloatBuffer();
        // unmapped here: what waits for the garbage collector counts as used memory, and it has little to do
        try (FileChannel channel = FileChannel.open(file);
                Arena arena = Arena.ofConfined()) {
            ByteBuffer raw = channel.map(
                            MapMode.READ_ONLY, dataStart + tensor.begin + from * width, (to - from) * width, arena)
                    .asByteBuffer()
                    .order(ByteOrder.LITTLE_ENDIAN);
            switch (tensor.format) {
                case F32 -> floats.put(raw.asFloatBuffer());
                case BF16 -> {
                    while (raw.hasRemaining()) {
                        floats.put(Float.intBitsToFloat(raw.getShort() << 16));
                    }
                }
                case F16 -> {
                    while (raw.hasRemaining()) {
                        floats.put(Float.float16ToFloat(raw.getShort()));
                    }
                }
            }
        }
        target.position(target.position() + floats.position() * Float.BYTES);
    }

    /** The scalars of one tensor, as F32. */
    public float[] readF32(String name) throws IOException {
        int count = Math.toIntExact(tensor(name).size());
        ByteBuffer values = ByteBuffer.allocate(count * Float.BYTES).order(ByteOrder.nativeOrder());
        readF32(name, 0, count, values);
        float[] scalars = new float[count];
        values.flip().asFloatBuffer().get(scalars);
        return scalars;
    }

    private Tensor tensor(String name) throws CorruptFileException {
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new CorruptFileException(file, "it has no tensor " + name + FETCH);
        }
        return tensor;
    }

    /**
     * Writes F32 tensors and forces them to the disk.
     *
     * @param content name to shape and little-endian bytes, in the order they are written
     */
    public static void write(Path file, SequencedMap<String, Content> content) throws IOException {
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            for (ByteBuffer piece : pieces(content)) {
                writeFully(channel, piece);
            }
            channel.force(true);
        }
    }

    /**
     * Writes F32 tensors that come a few at a time, and forces them to the disk.
     *
     * @param shapes of all tensors, in the order they come
     * @param content the tensors' little-endian bytes
     */
    static void write(
            Path file, SequencedMap<String, List<Long>> shapes, Iterator<SequencedMap<String, Content>> content)
            throws IOException {
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            writeFully(channel, header(shapes));
            while (content.hasNext()) {
                for (Content tensor : content.next().values()) {
                    writeFully(channel, tensor.bytes().duplicate());
                }
            }
            channel.force(true);
        }
    }

    /**
     * The bytes of a file of F32 tensors: its header, then one piece for each tensor, which is not copied.
     *
     * @param content name to shape and little-endian bytes, in the order of the file
     */
    public static List<ByteBuffer> pieces(SequencedMap<String, Content> content) {
        List<ByteBuffer> pieces = new ArrayList<>();
        SequencedMap<String, List<Long>> shapes = new LinkedHashMap<>();
        content.forEach((name, tensor) -> shapes.put(name, tensor.shape()));
        pieces.add(header(shapes));
        content.values().forEach(tensor -> pieces.add(tensor.bytes().duplicate()));
        return pieces;
    }

    private static ByteBuffer header(SequencedMap<String, List<Long>> shapes) {
        ObjectNode header = JSON.createObjectNode();
        header.putObject("__metadata__").put("format", "pt");
        long at = 0;
        for (Map.Entry<String, List<Long>> entry : shapes.entrySet()) {
            ObjectNode node = header.putObject(entry.getKey());
            node.put("dtype", Format.F32.name());
            ArrayNode shape = node.putArray("shape");
            entry.getValue().forEach(shape::add);
            long end = at + entry.getValue().stream().reduce((long) Float.BYTES, Math::multiplyExact);
            node.putArray("data_offsets").add(at).add(end);
            at = end;
        }
        String json = header.toString();
        byte[] padded = (json + " ".repeat((8 - json.length() % 8) % 8)).getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(Long.BYTES + padded.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(padded.length)
                .put(padded)
                .flip();
    }

    private static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /** F32 values to write: a shape and its bytes. */
    public record Content(List<Long> shape, ByteBuffer bytes) {
        public Content {
            shape = List.copyOf(shape);
        }
    }
}
