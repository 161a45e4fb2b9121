package dev.rlvr.e2e.chaos;

import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.e2e.chaos.Fault.Answer;
import dev.rlvr.e2e.chaos.Fault.Arrival;
import dev.rlvr.e2e.chaos.Life.Flight;
import dev.rlvr.e2e.chaos.Storm.Blow;
import dev.rlvr.e2e.chaos.Storm.Succession;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.RequestOptions;
import java.net.URI;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/** One operator's way through the proxy. */
final class Door {
    private static final int LONGEST_DELAY_MILLIS = 400;

    private final ChaosProxy proxy;
    private final Consumer<Succession> succession;
    private final HttpServer server;
    private final Set<HttpConnection> connections = ConcurrentHashMap.newKeySet();
    private volatile boolean shut;

    Door(ChaosProxy proxy, Consumer<Succession> succession) {
        this.proxy = proxy;
        this.succession = succession;
        this.server = proxy.vertx()
                .createHttpServer(new HttpServerOptions()
                        .setMaxWebSocketFrameSize(ChaosProxy.largestMessage())
                        .setMaxWebSocketMessageSize(ChaosProxy.largestMessage()))
                .connectionHandler(this::connected)
                .requestHandler(this::request);
    }

    Future<Door> listen() {
        return server.listen(0, "127.0.0.1").map(this);
    }

    URI url() {
        return URI.create("http://127.0.0.1:" + server.actualPort() + "/");
    }

    /** Nothing goes through any more, and whoever waits for an answer is cut off. */
    void shut() {
        shut = true;
        connections.forEach(HttpConnection::close);
    }

    private void connected(HttpConnection connection) {
        connections.add(connection);
        connection.closeHandler(closed -> connections.remove(connection));
        if (shut) {
            connection.close();
        }
    }

    private void request(HttpServerRequest http) {
        if (shut) {
            http.connection().close();
            return;
        }
        if (http.headers().contains("Upgrade")) {
            RelayedWatch.open(proxy, http);
            return;
        }
        http.body().onSuccess(body -> {
            Request request = Request.of(http.method().name(), http.uri(), body.toString());
            Blow blow = proxy.storm().blow(request);
            if (blow.succession() == Succession.AfterDeath) {
                shut();
            }
            if (blow.succession() != Succession.None) {
                succession.accept(blow.succession());
            }
            if (shut) {
                http.connection().close();
                return;
            }
            Fault fault = blow.fault();
            if (fault.arrival() == Arrival.Overtaken) {
                hold(http, request, body);
            }
            Future<Reply> reply = fault.arrival() == Arrival.AtOnce
                    ? forward(http, request, body)
                    : Future.succeededFuture(Reply.status(fault.answer().status));
            reply.onSuccess(said -> answer(http, fault.answer(), said))
                    .onFailure(broken -> http.connection().close());
        });
    }

    private record Reply(int status, MultiMap headers, Buffer body) {
        static Reply status(int status) {
            String reason = switch (status) {
                case 409 -> "Conflict";
                case 429 -> "TooManyRequests";
                case 503 -> "ServiceUnavailable";
                case 504 -> "Timeout";
                default -> "InternalError";
            };
            MultiMap headers = MultiMap.caseInsensitiveMultiMap().set("Content-Type", "application/json");
            if (status == 429) {
                headers.set("Retry-After", "1");
            }
            return new Reply(status, headers, Buffer.buffer("""
                            {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"a bad day","reason":"%s","code":%d}
                            """.formatted(reason, status)));
        }

        boolean succeeded() {
            return status / 100 == 2;
        }

        /** Whether this is a job that has ended. */
        boolean tellsOfAnEnd() {
            String state = body.toJsonObject().getJsonObject("status").getString("state");
            return state != null && State.valueOf(state).ended();
        }
    }

    private void hold(HttpServerRequest http, Request request, Buffer body) {
        String job = request.job().orElseThrow();
        RequestOptions sent = options(http);
        proxy.overtaken()
                .hold(
                        job,
                        body.toString(),
                        () -> send(sent, body)
                                .onSuccess(reply -> proxy.storm()
                                        .note(job, "a status that was overtaken arrives: " + reply.status())));
    }

    private Future<Reply> forward(HttpServerRequest http, Request request, Buffer body) {
        boolean cacheList = http.method().name().equals("GET")
                && request.job().isEmpty()
                && !request.uri().contains("continue=");
        if (cacheList && proxy.storm().listsAreOld()) {
            Optional<Buffer> old = proxy.lists().old(http.uri(), proxy.storm().shared());
            if (old.isPresent()) {
                MultiMap json = MultiMap.caseInsensitiveMultiMap().set("Content-Type", "application/json");
                return Future.succeededFuture(new Reply(200, json, old.get()));
            }
        }
        long from = System.nanoTime();
        return send(options(http), body).onSuccess(reply -> {
            if (!reply.succeeded()) {
                return;
            }
            if (request.creates() || (request.storesStatus() && reply.tellsOfAnEnd())) {
                proxy.storm().passed(new Flight(this, request, from, System.nanoTime()));
            }
            if (request.storesStatus()) {
                proxy.overtaken().stored(request.job().orElseThrow(), body.toString());
            }
            if (cacheList) {
                proxy.lists().keep(http.uri(), reply.body());
            }
        });
    }

    private static RequestOptions options(HttpServerRequest http) {
        MultiMap headers = MultiMap.caseInsensitiveMultiMap().addAll(http.headers());
        headers.remove("Host")
                .remove("Content-Length")
                .remove("Transfer-Encoding")
                .remove("Accept-Encoding");
        return new RequestOptions().setMethod(http.method()).setURI(http.uri()).setHeaders(headers);
    }

    private Future<Reply> send(RequestOptions options, Buffer body) {
        return proxy.requests()
                .request(options)
                .compose(sent -> sent.send(body))
                .compose(response ->
                        response.body().map(said -> new Reply(response.statusCode(), response.headers(), said)));
    }

    private void answer(HttpServerRequest http, Answer answer, Reply reply) {
        switch (answer) {
            case True -> send(http, reply);
            case Late -> {
                RandomGenerator random = proxy.storm().shared();
                proxy.vertx().setTimer(1 + random.nextInt(LONGEST_DELAY_MILLIS), timer -> send(http, reply));
            }
            case Conflict, TooManyRequests, Error, Unavailable, GatewayTimeout ->
                send(http, Reply.status(answer.status));
            case Reset -> http.connection().close();
            case Silence -> {}
        }
    }

    private static void send(HttpServerRequest http, Reply reply) {
        if (http.response().closed()) {
            return;
        }
        http.response().setStatusCode(reply.status());
        reply.headers().forEach(header -> {
            boolean ofTheConnection = header.getKey().equalsIgnoreCase("Content-Length")
                    || header.getKey().equalsIgnoreCase("Transfer-Encoding")
                    || header.getKey().equalsIgnoreCase("Connection");
            if (!ofTheConnection) {
                http.response().putHeader(header.getKey(), header.getValue());
            }
        });
        http.response().end(reply.body());
    }
}
