package dev.rlvr.trainer.report;

import com.google.protobuf.CodedOutputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * A TensorBoard event file with scalars. Each attempt writes one of its own; it begins with the message that makes
 * TensorBoard forget what earlier attempts wrote for the steps that this one does again.
 */
public final class EventFile implements AutoCloseable {
    private static final Pattern NAME = Pattern.compile("events\\.out\\.tfevents\\.(\\d+)\\..*");
    private static final int CRC_MASK = 0xa282ead8;

    private final OutputStream records;
    private final InstantSource clock;

    private EventFile(OutputStream records, InstantSource clock) {
        this.records = records;
        this.clock = clock;
    }

    /**
     * Begins a file.
     *
     * @param folder {@code events/}, made if need be
     * @param doneSteps steps that stay; 0 in a first attempt
     */
    public static EventFile create(Path folder, int doneSteps, InstantSource clock) throws IOException {
        Files.createDirectories(folder);
        Path file = folder.resolve("events.out.tfevents.%010d.rlvr".formatted(stamp(folder, clock.instant())));
        OutputStream records =
                new BufferedOutputStream(Files.newOutputStream(file, StandardOpenOption.CREATE_NEW), 1 << 16);
        EventFile events = new EventFile(records, clock);
        events.write(0, event -> event.writeString(Field.FILE_VERSION, "brain.Event:2"));
        events.write(doneSteps + 1L, event -> event.writeByteArray(Field.SESSION_LOG, Proto.sessionStart()));
        events.records.flush();
        return events;
    }

    /** Adds the scalars of a step by their tags; those that are not finite are left out. */
    public void scalars(long step, Map<String, Double> values) throws IOException {
        byte[] summary = Proto.summary(values);
        write(step, event -> event.writeByteArray(Field.SUMMARY, summary));
        records.flush();
    }

    @Override
    public void close() throws IOException {
        records.close();
    }

    /** Seconds, later than those of every file there: TensorBoard reads files in the order of their names. */
    private static long stamp(Path folder, Instant now) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            long newest = files.map(file -> NAME.matcher(file.getFileName().toString()))
                    .filter(Matcher::matches)
                    .mapToLong(name -> Long.parseLong(name.group(1)))
                    .max()
                    .orElse(0);
            return Math.max(now.getEpochSecond(), newest + 1);
        }
    }

    private void write(long step, Proto.Fields content) throws IOException {
        Instant now = clock.instant();
        byte[] event = Proto.message(out -> {
            out.writeDouble(Field.WALL_TIME, now.getEpochSecond() + now.getNano() / 1e9);
            out.writeInt64(Field.STEP, step);
            content.write(out);
        });
        byte[] length = ByteBuffer.allocate(Long.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(event.length)
                .array();
        records.write(length);
        records.write(maskedCrc(length));
        records.write(event);
        records.write(maskedCrc(event));
    }

    /** TFRecord's checksum, masked since checksums of texts that hold checksums are weak. */
    private static byte[] maskedCrc(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        int masked = Integer.rotateRight((int) crc.getValue(), 15) + CRC_MASK;
        return ByteBuffer.allocate(Integer.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(masked)
                .array();
    }

    /** Field numbers of {@code tensorflow.Event}. */
    private static final class Field {
        static final int WALL_TIME = 1;
        static final int STEP = 2;
        static final int FILE_VERSION = 3;
        static final int SUMMARY = 5;
        static final int SESSION_LOG = 7;
    }

    /** The few protocol buffers that scalars need. */
    private static final class Proto {
        /** Writes the fields of a message. */
        @FunctionalInterface
        interface Fields {
            void write(CodedOutputStream out) throws IOException;
        }

        static byte[] message(Fields fields) throws IOException {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            CodedOutputStream out = CodedOutputStream.newInstance(bytes);
            fields.write(out);
            out.flush();
            return bytes.toByteArray();
        }

        /** {@code SessionLog{status: START}}. */
        static byte[] sessionStart() throws IOException {
            return message(log -> log.writeEnum(1, 1));
        }

        /** {@code Summary{value: [{tag, simple_value}]}}. */
        static byte[] summary(Map<String, Double> values) throws IOException {
            return message(summary -> {
                for (Map.Entry<String, Double> value : values.entrySet()) {
                    if (Double.isFinite(value.getValue())) {
                        summary.writeByteArray(1, scalar(value.getKey(), value.getValue()));
                    }
                }
            });
        }

        private static byte[] scalar(String tag, double value) throws IOException {
            return message(scalar -> {
                scalar.writeString(1, tag);
                scalar.writeFloat(2, (float) value);
            });
        }
    }
}
