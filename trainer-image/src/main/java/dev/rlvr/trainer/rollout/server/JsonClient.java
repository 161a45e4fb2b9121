package dev.rlvr.trainer.rollout.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** Calls of one server that speaks JSON over HTTP. Messages of exceptions start with its URL. */
final class JsonClient {
    static final int OK = 200;
    static final int NOT_FOUND = 404;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final URI url;
    private final HttpClient client;

    JsonClient(URI url, HttpClient client) {
        this.url = URI.create(url.toString().replaceAll("/+$", ""));
        this.client = client;
    }

    URI url() {
        return url;
    }

    static ObjectNode body() {
        return JSON.createObjectNode();
    }

    static JsonNode list(JsonNode only) {
        return JSON.createArrayNode().add(only);
    }

    HttpResponse<byte[]> get(String path, Duration timeout) throws IOException, InterruptedException {
        return await(send(request(path, timeout).GET().build()));
    }

    HttpResponse<byte[]> post(String path, JsonNode body, Duration timeout) throws IOException, InterruptedException {
        return await(send(path, body, timeout));
    }

    /** Sends a POST and does not wait for its reply. */
    CompletableFuture<HttpResponse<byte[]>> send(String path, JsonNode body, Duration timeout) {
        return send(request(path, timeout).POST(text(body)).build());
    }

    private CompletableFuture<HttpResponse<byte[]>> send(HttpRequest request) {
        return client.sendAsync(request, HttpResponse.BodyHandlers.ofByteArray());
    }

    private HttpRequest.Builder request(String path, Duration timeout) {
        return HttpRequest.newBuilder(URI.create(url + path))
                .timeout(timeout)
                .header("Content-Type", "application/json");
    }

    HttpResponse<byte[]> await(CompletableFuture<HttpResponse<byte[]>> reply) throws IOException, InterruptedException {
        try {
            return reply.get();
        } catch (ExecutionException e) {
            throw new IOException(url + ": " + e.getCause(), e.getCause());
        } catch (CancellationException e) {
            throw new IOException(url + ": the request was given up", e);
        } catch (InterruptedException e) {
            reply.cancel(true);
            throw e;
        }
    }

    /** What a reply says; missing where it has no JSON. */
    JsonNode require(HttpResponse<byte[]> reply, String what) throws IOException {
        if (reply.statusCode() != OK) {
            String body = new String(reply.body(), StandardCharsets.UTF_8).strip();
            throw failure(what + " failed with status " + reply.statusCode()
                    + (body.isEmpty() ? "" : ": " + body.substring(0, Math.min(body.length(), 300))));
        }
        boolean json = reply.body().length > 0 && (reply.body()[0] == '{' || reply.body()[0] == '[');
        return json ? json(reply) : JSON.missingNode();
    }

    JsonNode json(HttpResponse<byte[]> reply) throws IOException {
        try {
            return JSON.readTree(reply.body());
        } catch (JsonProcessingException e) {
            throw new IOException(url + ": said what is not JSON: " + e.getOriginalMessage(), e);
        }
    }

    /** What is wrong with the server. */
    IOException failure(String what) {
        return new IOException(url + ": " + what);
    }

    private static HttpRequest.BodyPublisher text(JsonNode body) {
        try {
            return HttpRequest.BodyPublishers.ofByteArray(JSON.writeValueAsBytes(body));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
