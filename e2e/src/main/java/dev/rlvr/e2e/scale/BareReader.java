package dev.rlvr.e2e.scale;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.HttpResponse;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPInputStream;

/**
 * Asks for all that an operator reads when it starts: the same lists at once, in pages of the same size, compressed. It looks into none of them
 * but for where the next page begins, and keeps nothing, so no operator can have them sooner.
 *
 * @param account has the operator's rights
 */
record BareReader(KubernetesClient account) {
    private static final JsonFactory JSON = new JsonFactory();

    /** As the operator's caches have it. */
    private static final int PAGE = 200;

    private static final String OURS = "&labelSelector="
            + URLEncoder.encode("app.kubernetes.io/managed-by=rlvr-operator,rlvr.dev/job", StandardCharsets.UTF_8);

    private static final List<String> LISTS = List.of(
            "apis/rlvr.dev/v1alpha1/rlvrjobs?limit=" + PAGE,
            "apis/batch/v1/jobs?limit=" + PAGE + OURS,
            "api/v1/pods?limit=" + PAGE + OURS,
            "apis/apps/v1/statefulsets?limit=" + PAGE + OURS,
            "api/v1/persistentvolumeclaims?limit=" + PAGE + OURS,
            "api/v1/configmaps?limit=" + PAGE + OURS,
            "api/v1/services?limit=" + PAGE + OURS,
            "api/v1/serviceaccounts?limit=" + PAGE + OURS,
            "apis/rbac.authorization.k8s.io/v1/roles?limit=" + PAGE + OURS,
            "apis/rbac.authorization.k8s.io/v1/rolebindings?limit=" + PAGE + OURS);

    /** Reads everything once; returns in how many seconds. */
    double seconds() throws InterruptedException {
        long start = System.nanoTime();
        new Clients(LISTS.size(), 0).each(LISTS, this::read);
        return Waiting.seconds(start);
    }

    private void read(String list) {
        Optional<String> next = page(list);
        while (next.isPresent()) {
            next = page(list + "&continue=" + next.get());
        }
    }

    /** Asks for a page; returns the token of the next, where there is one. */
    private Optional<String> page(String path) {
        HttpRequest request = account.getHttpClient()
                .newHttpRequestBuilder()
                .uri(URI.create(account.getMasterUrl() + path))
                .header("Accept-Encoding", "gzip")
                .build();
        HttpResponse<byte[]> response =
                account.getHttpClient().sendAsync(request, byte[].class).join();
        if (!response.isSuccessful()) {
            throw new IllegalStateException(path + ": HTTP " + response.code());
        }
        boolean compressed = "gzip".equals(response.header("Content-Encoding"));
        try (InputStream body = new ByteArrayInputStream(response.body());
                InputStream text = compressed ? new GZIPInputStream(body) : body) {
            return next(text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The list's own metadata comes before its items. */
    private static Optional<String> next(InputStream list) throws IOException {
        try (JsonParser parser = JSON.createParser(list)) {
            while (parser.nextToken() != null && !"items".equals(parser.currentName())) {
                if (parser.currentToken() == JsonToken.VALUE_STRING && "continue".equals(parser.currentName())) {
                    return Optional.of(parser.getText()).filter(token -> !token.isEmpty());
                }
            }
            return Optional.empty();
        }
    }
}
