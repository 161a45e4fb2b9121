package dev.rlvr.cli.image;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * Jars and the native libraries in them. Some libraries are taken out, since a container's root file system is read-only and each start
 * would unpack them anew; those of other machines are left out.
 *
 * @param cache folder for what is unpacked; kept, so that an unchanged layer is not compressed again
 */
record Libraries(Path cache) {
    private static final Pattern NATIVE = Pattern.compile(".*\\.(so|so\\.\\d+|dll|dylib|jnilib|a)");
    private static final Pattern THIS_MACHINE = Pattern.compile(".*linux[/-](x86_64|amd64|x86-64)/.*");

    /** Whether this entry of a jar is a library for another kind of machine than the image's. */
    static boolean isForeign(String entry) {
        return isNative(entry)
                && !THIS_MACHINE.matcher(entry.toLowerCase(Locale.ROOT)).matches();
    }

    static boolean isNative(String entry) {
        return NATIVE.matcher(entry).matches();
    }

    /** The entry as a file. */
    Path unpacked(Path jar, String entry) throws IOException {
        Path file = cache.resolve(jar.getFileName().toString()).resolve(entry);
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            ZipEntry wanted = zip.getEntry(entry);
            if (wanted == null) {
                throw new IOException(jar + " has no " + entry);
            }
            if (Files.exists(file) && Files.size(file) == wanted.getSize()) {
                return file;
            }
            replace(file, out -> {
                try (InputStream in = zip.getInputStream(wanted)) {
                    in.transferTo(out);
                }
            });
            return file;
        }
    }

    /** Names of the entries under a folder of the jar. */
    static List<String> entries(Path jar, String folder) throws IOException {
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            return zip.stream()
                    .filter(entry -> !entry.isDirectory())
                    .map(ZipEntry::getName)
                    .filter(name -> name.startsWith(folder))
                    .sorted()
                    .toList();
        }
    }

    static Properties properties(Path jar, String entry) throws IOException {
        try (ZipFile zip = new ZipFile(jar.toFile());
                InputStream in = zip.getInputStream(zip.getEntry(entry))) {
            Properties properties = new Properties();
            properties.load(in);
            return properties;
        }
    }

    /** The jar without some entries; the jar itself where it has none of them. */
    Path without(Path jar, Predicate<String> left) throws IOException {
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            List<? extends ZipEntry> all = Collections.list(zip.entries());
            if (all.stream().map(ZipEntry::getName).noneMatch(left)) {
                return jar;
            }
            String name = jar.getFileName().toString();
            Path slim = cache.resolve(name).resolve(name);
            List<ZipEntry> kept = new ArrayList<>(all);
            kept.removeIf(entry -> left.test(entry.getName()));
            if (!Files.exists(slim)) {
                replace(slim, out -> write(zip, kept, out));
            }
            return slim;
        }
    }

    private static void write(ZipFile zip, List<ZipEntry> entries, OutputStream out) throws IOException {
        // closing it ends the zip, and the caller closes the file
        ZipOutputStream jar = new ZipOutputStream(out);
        for (ZipEntry entry : entries) {
            ZipEntry copy = new ZipEntry(entry.getName());
            copy.setTimeLocal(LocalDateTime.of(1980, 2, 1, 0, 0));
            jar.putNextEntry(copy);
            try (InputStream in = zip.getInputStream(entry)) {
                in.transferTo(jar);
            }
            jar.closeEntry();
        }
        jar.finish();
    }

    /** Written beside and renamed, so that nobody sees half of it. */
    private static void replace(Path file, Content content) throws IOException {
        Files.createDirectories(file.getParent());
        Path scratch = Files.createTempFile(file.getParent(), "unpacking", "");
        try {
            try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(scratch), 1 << 16)) {
                content.writeTo(out);
            }
            Files.move(scratch, file, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(scratch);
        }
    }

    private interface Content {
        void writeTo(OutputStream out) throws IOException;
    }
}
