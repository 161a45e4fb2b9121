package dev.rlvr.trainer.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsTest {
    @TempDir
    Path folder;

    private Path file;

    @BeforeEach
    void name() {
        file = folder.resolve("model.safetensors");
    }

    private static ByteBuffer bytes(float... values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            bytes.putFloat(value);
        }
        return bytes.flip();
    }

    /** A file with this header and so many bytes of data, 0 1 2 3 ... */
    private void write(String header, int data) throws IOException {
        write(header.getBytes(StandardCharsets.UTF_8).length, header, data);
    }

    private void write(long length, String header, int data) throws IOException {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer all = ByteBuffer.allocate(Long.BYTES + json.length + data).order(ByteOrder.LITTLE_ENDIAN);
        all.putLong(length).put(json);
        for (int i = 0; i < data; i++) {
            all.put((byte) i);
        }
        Files.write(file, all.array());
    }

    private float[] read(String name) throws IOException {
        Safetensors opened = Safetensors.open(file);
        long count = opened.tensors().get(name).size();
        ByteBuffer values = ByteBuffer.allocate((int) count * Float.BYTES);
        opened.readF32(name, 0, count, values);
        float[] floats = new float[(int) count];
        values.flip().order(ByteOrder.nativeOrder()).asFloatBuffer().get(floats);
        return floats;
    }

    private void assertRefused(String... parts) {
        assertThatThrownBy(() -> Safetensors.open(file))
                .isInstanceOf(Safetensors.CorruptFileException.class)
                .hasMessageStartingWith(file + " is not a readable safetensors file: ")
                .hasMessageContainingAll(parts)
                .message()
                .hasLineCount(1)
                .as("it says what to do")
                .contains("; ");
    }

    @Test
    void everyFloatComesBackBitForBit() throws IOException {
        float[] odd = {0f, -0f, 1f / 3, Float.MIN_VALUE, Float.MAX_VALUE, Float.NEGATIVE_INFINITY, Float.NaN, -1e-30f};
        LinkedHashMap<String, Safetensors.Content> content = new LinkedHashMap<>();
        content.put("a", new Safetensors.Content(List.of(2L, 4L), bytes(odd)));
        content.put("größe", new Safetensors.Content(List.of(1L), bytes(42)));
        content.put("nothing", new Safetensors.Content(List.of(0L, 5L), bytes()));

        Safetensors.write(file, content);

        Safetensors read = Safetensors.open(file);
        assertThat(read.tensors().keySet()).containsExactly("a", "größe", "nothing");
        assertThat(read.tensors().get("a").shape()).containsExactly(2L, 4L);
        assertThat(bits(read("a"))).containsExactly(bits(odd));
        assertThat(read("größe")).containsExactly(42f);
        assertThat(read("nothing")).isEmpty();
    }

    /** Of a whole model, what waits for the garbage collector would stay for most of a run. */
    @Test
    void readingLeavesNothingForTheGarbageCollectorToFree() throws IOException {
        LinkedHashMap<String, Safetensors.Content> content = new LinkedHashMap<>();
        content.put("a", new Safetensors.Content(List.of(1L << 20), bytes(new float[1 << 20])));
        Safetensors.write(file, content);
        long before = outsideTheHeap();

        assertThat(read("a")).hasSize(1 << 20);

        assertThat(outsideTheHeap()).isLessThanOrEqualTo(before);
    }

    private static long outsideTheHeap() {
        return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
    }

    private static int[] bits(float[] values) {
        int[] bits = new int[values.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Float.floatToRawIntBits(values[i]);
        }
        return bits;
    }

    @Test
    void aFileThatIsWrittenOverLeavesNothingOfTheLongerOne() throws IOException {
        LinkedHashMap<String, Safetensors.Content> content = new LinkedHashMap<>();
        content.put("a", new Safetensors.Content(List.of(1000L), bytes(new float[1000])));
        Safetensors.write(file, content);
        content.put("a", new Safetensors.Content(List.of(1L), bytes(7)));
        Safetensors.write(file, content);

        assertThat(read("a")).containsExactly(7f);
        assertThat(Files.size(file)).isLessThan(200);
    }

    @Test
    void halfPrecisionBecomesF32() throws IOException {
        String header = "{\"bf\":{\"dtype\":\"BF16\",\"shape\":[3],\"data_offsets\":[0,6]},"
                + "\"half\":{\"dtype\":\"F16\",\"shape\":[3],\"data_offsets\":[6,12]}}";
        write(header, 12);
        byte[] all = Files.readAllBytes(file);
        ByteBuffer data = ByteBuffer.wrap(all, all.length - 12, 12).order(ByteOrder.LITTLE_ENDIAN);
        data.putShort((short) 0x3FC0).putShort((short) 0xC000).putShort((short) 0x0001);
        data.putShort((short) 0x3E00).putShort((short) 0xC000).putShort((short) 0x0001);
        Files.write(file, all);

        assertThat(read("bf")).containsExactly(1.5f, -2f, Float.intBitsToFloat(0x00010000));
        assertThat(read("half")).containsExactly(1.5f, -2f, 0x1p-24f);
    }

    @Test
    void everyHalfIsReadAsItsDefinitionHasIt() throws IOException {
        write("{\"a\":{\"dtype\":\"F16\",\"shape\":[65536],\"data_offsets\":[0,131072]}}", 131_072);
        byte[] all = Files.readAllBytes(file);
        ByteBuffer data = ByteBuffer.wrap(all, all.length - 131_072, 131_072).order(ByteOrder.LITTLE_ENDIAN);
        for (int bits = 0; bits < 65_536; bits++) {
            data.putShort((short) bits);
        }
        Files.write(file, all);

        float[] read = read("a");

        for (int bits = 0; bits < 65_536; bits++) {
            int exponent = bits >> 10 & 31;
            double mantissa = (bits & 1023) / 1024.0;
            double size = exponent == 0
                    ? Math.scalb(mantissa, -14)
                    : exponent < 31
                            ? Math.scalb(1 + mantissa, exponent - 15)
                            : mantissa == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
            assertThat(read[bits]).as("%04x", bits).isEqualTo((Float) (float) (bits < 32_768 ? size : -size));
        }
    }

    @Test
    void metadataAndSharedBytesAreNoProblem() throws IOException {
        write(
                "{\"__metadata__\":{\"format\":\"pt\"},\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                        + "\"tied\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}}   ",
                8);

        assertThat(read("tied")).containsExactly(read("a"));
        assertThat(Safetensors.open(file).tensors()).containsOnlyKeys("a", "tied");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 7})
    void aFileThatEndsBeforeItsHeaderLengthIsRefused(int bytes) throws IOException {
        Files.write(file, new byte[bytes]);

        assertRefused("it has " + bytes + " bytes");
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, -1, 11, 1000, 1L << 40, Long.MAX_VALUE, Long.MIN_VALUE})
    void anAbsurdHeaderLengthIsRefused(long length) throws IOException {
        write(length, "{        }", 0);

        assertRefused("header length is " + length, "in 18 bytes");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"a\":", "not json", "[]", "null", "\"a\"", "{}}garbage{", "\u0000\u0000"})
    void aHeaderThatIsNoJsonObjectIsRefused(String header) throws IOException {
        write(header, 8);

        assertRefused("its header is not");
    }

    @Test
    void aFileThatWasCutAnywhereIsRefused() throws IOException {
        LinkedHashMap<String, Safetensors.Content> content = new LinkedHashMap<>();
        content.put("a", new Safetensors.Content(List.of(2L), bytes(1, 2)));
        content.put("b", new Safetensors.Content(List.of(2L), bytes(3, 4)));
        Safetensors.write(file, content);
        byte[] whole = Files.readAllBytes(file);

        for (int length = 0; length < whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> Safetensors.open(file))
                    .as("%s of %s bytes", length, whole.length)
                    .isInstanceOf(Safetensors.CorruptFileException.class);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'F32'  | '[2]'      | '[4,12]'  | claims bytes 4 to 12 of 8",
                "'F32'  | '[2]'      | '[0,4]'   | claims bytes 0 to 4 of 8",
                "'F32'  | '[2]'      | '[8,0]'   | claims bytes 8 to 0 of 8",
                "'F32'  | '[2]'      | '[-8,0]'  | claims bytes -8 to 0 of 8",
                "'F32'  | '[2]'      | '[0]'     | claims bytes 0 to -1 of 8",
                "'F32'  | '[2]'      | '\"no\"'  | claims bytes",
                "'F32'  | '[-2]'     | '[0,8]'   | has the shape [-2]",
                "'F32'  | '[-1,-2]'  | '[0,8]'   | has the shape [-1,-2]",
                "'F32'  | '[2.5]'    | '[0,8]'   | has the shape [2.5]",
                "'F32'  | '\"2\"'    | '[0,8]'   | has the shape \"2\"",
                "'F32'  | '[4611686018427387904,4]' | '[0,0]' | has the shape [4611686018427387904, 4]",
                "'I64'  | '[1]'      | '[0,8]'   | has dtype \"I64\"; convert it to F32, BF16 or F16",
                "'F8_E4M3' | '[8]'   | '[0,8]'   | has dtype \"F8_E4M3\"",
                "''     | '[2]'      | '[0,8]'   | has dtype \"\""
            })
    void aTensorThatDoesNotFitIsRefusedByItsName(String dtype, String shape, String offsets, String reason)
            throws IOException {
        write(
                "{\"lm_head.weight\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}}"
                        .formatted(dtype, shape, offsets),
                8);

        assertRefused("tensor lm_head.weight", reason);
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"a\":{}}", "{\"a\":null}", "{\"a\":5}"})
    void aTensorWithoutADescriptionIsRefused(String header) throws IOException {
        write(header, 8);

        assertRefused("tensor a");
    }

    @Test
    void aTensorThatIsNotThereIsNamed() throws IOException {
        write("{}", 0);

        assertThatThrownBy(() -> Safetensors.open(file).readF32("lm_head.weight", 0, 1, ByteBuffer.allocate(4)))
                .hasMessageContainingAll(file.toString(), "lm_head.weight");
    }
}
