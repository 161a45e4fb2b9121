package dev.rlvr.trainer.hub;

import dev.rlvr.trainer.InputException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Single files of a hub over HTTP. A large one lies on another server that the hub redirects to; that server does not get the token. */
final class HubFiles {
    private static final Logger LOG = LoggerFactory.getLogger(HubFiles.class);
    private static final int MOST_REDIRECTS = 5;

    private static final String PARTIAL = ".partial";

    private final HttpClient client;
    private final URI hub;
    private final Optional<String> token;
    private final Patience patience;

    HubFiles(URI hub, Optional<String> token, Patience patience) {
        this.hub = hub;
        this.token = token;
        this.patience = patience;
        this.client = HttpClient.newBuilder()
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(patience.silence())
                .build();
    }

    /**
     * How much a server may fail.
     *
     * @param attempts how often, in a row, nothing is brought before that is the end
     * @param pause before the second of them; then twice as long each time, and as long as the server asks for, if that is not longer than a minute
     * @param silence that counts as a failure
     */
    record Patience(int attempts, Duration pause, Duration silence) {
        private static final Duration LONGEST_PAUSE = Duration.ofMinutes(1);

        static final Patience DEFAULT = new Patience(4, Duration.ofSeconds(1), Duration.ofSeconds(30));

        private void pause(int inVain, IOException why) throws IOException {
            Duration wanted = pause.multipliedBy(1L << (inVain - 1));
            if (why instanceof StatusException status && status.retryAfter.compareTo(wanted) > 0) {
                wanted = status.retryAfter.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : status.retryAfter;
            }
            try {
                Thread.sleep(wanted);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted", e);
            }
        }
    }

    /** An answer that is not the file. */
    private static final class StatusException extends IOException {
        private static final long serialVersionUID = 1;

        private final transient Duration retryAfter;

        StatusException(URI address, int status, Duration retryAfter) {
            super(address + " answers with status " + status);
            this.retryAfter = retryAfter;
        }
    }

    /** No answer came. */
    static final class UnreachableException extends IOException {
        private static final long serialVersionUID = 1;

        UnreachableException(URI address, Exception cause) {
            super("cannot reach " + address.getScheme() + "://" + address.getAuthority() + " (" + cause + ")", cause);
        }
    }

    /**
     * An answer after all redirects.
     *
     * @param hash SHA-256 of the file, or SHA-1 of it as a Git blob, in hexadecimal digits; else something opaque
     */
    private record Answer(HttpResponse<InputStream> response, String hash) {}

    /** The body of an address. */
    byte[] read(URI address) throws IOException {
        for (int inVain = 1; ; inVain++) {
            try (InputStream body = get(address, 0).response().body()) {
                return body.readAllBytes();
            } catch (IOException e) {
                again(inVain, e, address.toString());
            }
        }
    }

    /**
     * Downloads a file unless it is there; it appears complete and checked.
     *
     * @throws InputException if there is no such file or it may not be read
     */
    void fetch(URI address, Path target) throws IOException {
        Path partial = partial(target);
        int inVain = 0;
        while (!Files.exists(target)) {
            long before = size(partial);
            try {
                download(address, partial);
                Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
            } catch (IOException e) {
                inVain = size(partial) > before ? 1 : inVain + 1;
                again(inVain, e, target.getFileName().toString());
            }
        }
    }

    private void again(int inVain, IOException why, String what) throws IOException {
        if (inVain >= patience.attempts()) {
            throw why;
        }
        LOG.warn("{}: {}; trying again", what, why.toString());
        patience.pause(inVain, why);
    }

    private static Path partial(Path target) {
        return target.resolveSibling(target.getFileName() + PARTIAL);
    }

    /** How many bytes of a file an earlier download has left. */
    static long begun(Path target) throws IOException {
        return size(partial(target));
    }

    private static long size(Path file) throws IOException {
        return Files.exists(file) ? Files.size(file) : 0;
    }

    /** Continues the partial file where the server can, and checks the whole. */
    private void download(URI address, Path partial) throws IOException {
        long have = size(partial);
        Answer answer = get(address, have);
        try (InputStream body = answer.response().body();
                OutputStream out = Files.newOutputStream(
                        partial,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE,
                        answer.response().statusCode() == 206
                                ? StandardOpenOption.APPEND
                                : StandardOpenOption.TRUNCATE_EXISTING)) {
            new Transfer(answer.response(), patience.silence()).run(body, out);
        }
        try (FileChannel written = FileChannel.open(partial, StandardOpenOption.WRITE)) {
            written.force(true); // a name must not outlive a power cut that its content does not
        }
        verify(address, partial, answer.hash());
    }

    private static void verify(URI address, Path file, String hash) throws IOException {
        String found = switch (hash.length()) {
            case 64 -> digest("SHA-256", "", file);
            case 40 -> digest("SHA-1", "blob " + Files.size(file) + "\0", file);
            default -> hash;
        };
        if (!found.equals(hash)) {
            Files.delete(file);
            throw new IOException(address + " does not have the hash that the hub gives for it");
        }
    }

    private static String digest(String algorithm, String head, Path file) throws IOException {
        try {
            MessageDigest digest = MessageDigest.getInstance(algorithm);
            digest.update(head.getBytes(StandardCharsets.UTF_8));
            try (DigestInputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
                in.transferTo(OutputStream.nullOutputStream());
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JDK has them
        }
    }

    private Answer get(URI address, long from) throws IOException {
        URI at = address;
        String hash = "";
        for (int redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
            HttpResponse<InputStream> response = send(at, from);
            // that of a redirect tells of the file; the other server's own ETag may be anything
            if (hash.isEmpty()) {
                hash = header(response, "X-Linked-Etag").orElse("");
            }
            int status = response.statusCode();
            if (status == 200 || status == 206) {
                return new Answer(
                        response, hash.isEmpty() ? header(response, "ETag").orElse("") : hash);
            }
            response.body().close();
            Optional<String> location = response.headers().firstValue("Location");
            if (status < 300 || status >= 400 || location.isEmpty()) {
                if (status == 416 && from > 0) {
                    return get(address, 0); // there is nothing beyond what we have: take it again
                }
                throw refused(address, response);
            }
            at = at.resolve(location.get());
        }
        throw new IOException(address + " leads to more than " + MOST_REDIRECTS + " other addresses");
    }

    private static Optional<String> header(HttpResponse<InputStream> response, String name) {
        return response.headers()
                .firstValue(name)
                .map(value -> value.replaceFirst("^W/", "").replace("\"", ""));
    }

    private HttpResponse<InputStream> send(URI at, long from) throws IOException {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(at).timeout(patience.silence()).header("User-Agent", "rlvr");
        if (from > 0) {
            request.header("Range", "bytes=" + from + "-");
        }
        if (hub.getAuthority().equals(at.getAuthority())) {
            token.ifPresent(secret -> request.header("Authorization", "Bearer " + secret));
        }
        try {
            return client.send(request.build(), BodyHandlers.ofInputStream());
        } catch (IOException e) {
            throw new UnreachableException(at, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private static IOException refused(URI address, HttpResponse<?> response) {
        int status = response.statusCode();
        return switch (status) {
            case 401, 403 ->
                throw new InputException(address + " may not be read (" + status
                        + "): it does not exist or is not public; correct the name, or give a token that may read it"
                        + " (secretName, HF_TOKEN)");
            case 404 -> throw new InputException(address + " does not exist; correct the name or the revision");
            default ->
                new StatusException(
                        address,
                        status,
                        response.headers()
                                .firstValue("Retry-After")
                                .filter(seconds -> seconds.matches("[0-9]{1,6}"))
                                .map(seconds -> Duration.ofSeconds(Long.parseLong(seconds)))
                                .orElse(Duration.ZERO));
        };
    }
}
