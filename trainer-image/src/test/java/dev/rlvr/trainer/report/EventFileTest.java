package dev.rlvr.trainer.report;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.CodedInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EventFileTest {
    private static final InstantSource CLOCK = InstantSource.fixed(Instant.ofEpochSecond(1_750_000_000));

    @TempDir
    Path folder;

    /** An event with the contents that it may have; each is empty where it has another. */
    record Event(double time, long step, String version, Map<String, Float> scalars, List<Integer> session) {}

    @Test
    void everyFiniteFigureOfAStepIsAScalarUnderItsName() throws IOException {
        try (EventFile events = EventFile.create(folder, 0, CLOCK)) {
            events.scalars(1, Steps.step(1, Double.NaN, .5).scalars());
        }

        List<Event> events = read(files().getFirst());

        assertThat(events).hasSize(3);
        assertThat(events.getFirst().version()).isEqualTo("brain.Event:2");
        Event step = events.getLast();
        assertThat(step.time()).isEqualTo(1.75e9);
        assertThat(step.step()).isEqualTo(1);
        assertThat(step.scalars()).doesNotContainKey("loss").containsEntry("completions/mean_length", 56.5f);
        assertThat(step.scalars().keySet())
                .containsExactlyElementsOf(Steps.step(1).scalars().keySet().stream()
                        .filter(name -> !name.equals("loss"))
                        .toList());
    }

    @Test
    void aResumedAttemptMakesTensorBoardForgetTheStepsThatItDoesAgain() throws IOException {
        EventFile.create(folder, 0, CLOCK).close();
        EventFile.create(folder, 10, CLOCK).close();
        EventFile.create(folder, 15, InstantSource.fixed(Instant.EPOCH)).close();

        assertThat(files()).hasSize(3);
        List<Long> starts = new ArrayList<>();
        for (Path file : files()) {
            Event start = read(file).get(1);
            assertThat(start.session()).containsExactly(1);
            starts.add(start.step());
        }
        assertThat(starts).containsExactly(1L, 11L, 16L);
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }

    private static List<Event> read(Path file) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        List<Event> events = new ArrayList<>();
        while (bytes.hasRemaining()) {
            int length = (int) ByteBuffer.wrap(checked(bytes, Long.BYTES))
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .getLong();
            events.add(event(checked(bytes, length)));
        }
        return events;
    }

    /** Takes so many bytes and the masked checksum that must follow them. */
    private static byte[] checked(ByteBuffer bytes, int length) {
        byte[] content = new byte[length];
        bytes.get(content);
        CRC32C crc = new CRC32C();
        crc.update(content);
        long masked = ((crc.getValue() >>> 15 | crc.getValue() << 17) + 0xa282ead8L) & 0xffffffffL;
        assertThat(Integer.toUnsignedLong(bytes.getInt())).isEqualTo(masked);
        return content;
    }

    private static Event event(byte[] content) throws IOException {
        double time = 0;
        long step = 0;
        String version = "";
        Map<String, Float> scalars = new LinkedHashMap<>();
        List<Integer> session = new ArrayList<>();
        CodedInputStream in = CodedInputStream.newInstance(content);
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            switch (tag >>> 3) {
                case 1 -> time = in.readDouble();
                case 2 -> step = in.readInt64();
                case 3 -> version = in.readString();
                case 5 -> readSummary(in.readByteArray(), scalars);
                case 7 -> session.add((int) in.readByteArray()[1]);
                default -> in.skipField(tag);
            }
        }
        return new Event(time, step, version, scalars, session);
    }

    private static void readSummary(byte[] content, Map<String, Float> scalars) throws IOException {
        CodedInputStream summary = CodedInputStream.newInstance(content);
        while (summary.readTag() != 0) {
            CodedInputStream value = CodedInputStream.newInstance(summary.readByteArray());
            value.readTag();
            String name = value.readString();
            value.readTag();
            scalars.put(name, value.readFloat());
        }
    }
}
