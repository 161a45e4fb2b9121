package dev.rlvr.e2e.chaos;

import dev.rlvr.e2e.chaos.Storm.Succession;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.WebSocketClient;
import io.vertx.core.http.WebSocketClientOptions;
import java.net.URI;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;

/**
 * Stands between operators and an API server. Each operator comes in by a {@link Door} of its own: closing it is how an operator dies, to
 * the API server's eyes.
 */
final class ChaosProxy implements AutoCloseable {
    private static final int LARGEST_MESSAGE = 32 << 20;

    private final Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(2));
    private final HttpClient requests;
    private final WebSocketClient watches;
    private final Storm storm;
    private final OldLists lists = new OldLists();
    private final Positions positions = new Positions();
    private final OvertakenWrites overtaken = new OvertakenWrites();

    ChaosProxy(URI api, Storm storm) {
        this.storm = storm;
        // the API server's certificate is its own, and it is on this machine
        this.requests = vertx.createHttpClient(new HttpClientOptions()
                .setSsl(true)
                .setTrustAll(true)
                .setVerifyHost(false)
                .setDefaultHost(api.getHost())
                .setDefaultPort(api.getPort())
                .setMaxPoolSize(64));
        this.watches = vertx.createWebSocketClient(new WebSocketClientOptions()
                .setSsl(true)
                .setTrustAll(true)
                .setVerifyHost(false)
                .setDefaultHost(api.getHost())
                .setDefaultPort(api.getPort())
                .setMaxConnections(1000)
                .setMaxFrameSize(LARGEST_MESSAGE)
                .setMaxMessageSize(LARGEST_MESSAGE));
    }

    /**
     * Opens a way in.
     *
     * @param succession what is done when the storm has who comes in here replaced
     */
    Door open(Consumer<Succession> succession) {
        return await(new Door(this, succession).listen());
    }

    Vertx vertx() {
        return vertx;
    }

    HttpClient requests() {
        return requests;
    }

    WebSocketClient watches() {
        return watches;
    }

    Storm storm() {
        return storm;
    }

    OldLists lists() {
        return lists;
    }

    OvertakenWrites overtaken() {
        return overtaken;
    }

    Positions positions() {
        return positions;
    }

    static int largestMessage() {
        return LARGEST_MESSAGE;
    }

    static <T> T await(Future<T> future) {
        try {
            return future.toCompletionStage().toCompletableFuture().join();
        } catch (CompletionException e) {
            throw new IllegalStateException("the proxy fails", e.getCause());
        }
    }

    @Override
    public void close() {
        await(vertx.close());
    }
}
