package dev.rlvr.trainer.torch;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Writes a TorchScript archive: a stored zip with the source of one module class {@code M} and a pickle of one instance that has no
 * parameters. libtorch and Python's {@code torch.jit.load} both read it.
 */
final class ScriptArchive {
    private static final String HEADER = """
            class M(Module):
              __parameters__ = []
              __buffers__ = []
              training : bool
            """;

    /** Protocol 2 pickle of {@code M()} with the state {training: True}. */
    private static final byte[] INSTANCE = pickle();

    /** Protocol 2 pickle of an empty tuple: the source has no tensor constants. */
    private static final byte[] NO_CONSTANTS = {(byte) 0x80, 2, ')', '.'};

    private ScriptArchive() {}

    /** The archive of a module with these methods, indented by two spaces. */
    static byte[] of(String methods) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            store(zip, "module/data.pkl", INSTANCE);
            store(zip, "module/code/__torch__.py", (HEADER + methods).getBytes(StandardCharsets.UTF_8));
            store(zip, "module/constants.pkl", NO_CONSTANTS);
            store(zip, "module/version", "10\n".getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static byte[] pickle() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(new byte[] {(byte) 0x80, 2});
        bytes.writeBytes("c__torch__\nM\n".getBytes(StandardCharsets.US_ASCII));
        bytes.writeBytes(new byte[] {')', (byte) 0x81, '}', '('});
        byte[] key = "training".getBytes(StandardCharsets.US_ASCII);
        bytes.writeBytes(new byte[] {'X', (byte) key.length, 0, 0, 0});
        bytes.writeBytes(key);
        bytes.writeBytes(new byte[] {(byte) 0x88, 'u', 'b', '.'});
        return bytes.toByteArray();
    }

    private static void store(ZipOutputStream zip, String name, byte[] content) throws IOException {
        ZipEntry entry = new ZipEntry(name);
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(content.length);
        entry.setCompressedSize(content.length);
        entry.setTime(0);
        CRC32 crc = new CRC32();
        crc.update(content);
        entry.setCrc(crc.getValue());
        zip.putNextEntry(entry);
        zip.write(content);
        zip.closeEntry();
    }
}
