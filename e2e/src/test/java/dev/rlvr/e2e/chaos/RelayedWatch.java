package dev.rlvr.e2e.chaos;

import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.ServerWebSocket;
import io.vertx.core.http.UpgradeRejectedException;
import io.vertx.core.http.WebSocket;
import io.vertx.core.http.WebSocketConnectOptions;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A watch on its way through the proxy: each message is one event. All is done by the event loop of the operator's socket. */
final class RelayedWatch {
    private static final Pattern POSITION = Pattern.compile("resourceVersion=([0-9]+)");
    private static final String GONE = """
            {"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",\
            "message":"too old resource version","reason":"Expired","code":410}}
            """;

    private final ChaosProxy proxy;
    private final String path;
    private final WatchFault fault;
    private final WebSocket api;
    private final Queue<String> late = new ArrayDeque<>();
    private final List<String> early = new ArrayList<>();
    private Optional<ServerWebSocket> operator = Optional.empty();
    private boolean frozen;

    private RelayedWatch(ChaosProxy proxy, String path, WatchFault fault, WebSocket api) {
        this.proxy = proxy;
        this.path = path;
        this.fault = fault;
        this.api = api;
    }

    /** Asks the API server for what the operator asks for, and takes the operator in if the API server does. */
    static void open(ChaosProxy proxy, HttpServerRequest asked) {
        // until the API server has answered
        asked.pause();
        WatchFault fault = proxy.storm().watch();
        MultiMap headers = MultiMap.caseInsensitiveMultiMap();
        String token = asked.headers().get("Authorization");
        if (token != null) {
            headers.set("Authorization", token);
        }
        proxy.watches()
                .connect(new WebSocketConnectOptions()
                        .setURI(from(proxy, asked, fault))
                        .setHeaders(headers))
                .onFailure(refused -> asked.response()
                        .setStatusCode(refused instanceof UpgradeRejectedException said ? said.getStatus() : 503)
                        .end())
                .onSuccess(api -> new RelayedWatch(proxy, asked.path(), fault, api).join(asked));
    }

    /** Where it begins: as asked for, or some events earlier. */
    private static String from(ChaosProxy proxy, HttpServerRequest asked, WatchFault fault) {
        Matcher position = POSITION.matcher(asked.uri());
        if (!fault.replays() || !position.find()) {
            return asked.uri();
        }
        OptionalLong earlier = proxy.positions()
                .before(
                        asked.path(),
                        Long.parseLong(position.group(1)),
                        proxy.storm().shared());
        return earlier.isPresent() ? position.replaceFirst("resourceVersion=" + earlier.getAsLong()) : asked.uri();
    }

    private void join(HttpServerRequest asked) {
        api.textMessageHandler(this::event);
        api.binaryMessageHandler(bytes -> event(bytes.toString()));
        asked.toWebSocket().onFailure(gone -> leave()).onSuccess(socket -> {
            operator = Optional.of(socket);
            api.closeHandler(closed -> close());
            socket.closeHandler(closed -> leave());
            early.forEach(this::send);
            proxy.vertx().setTimer(fault.life().toMillis(), timer -> end());
        });
    }

    private void event(String event) {
        proxy.positions().pass(path, event);
        if (fault.lag().isZero()) {
            send(event);
        } else {
            late.add(event);
            proxy.vertx().setTimer(fault.lag().toMillis(), timer -> send(late.remove()));
        }
    }

    private void send(String event) {
        if (operator.isEmpty()) {
            early.add(event);
        } else if (!frozen && !operator.get().isClosed()) {
            operator.get().writeTextMessage(event);
        }
    }

    private void end() {
        switch (fault.end()) {
            case Dropped -> close();
            case Gone -> {
                send(GONE);
                close();
            }
            case Frozen -> {
                frozen = true;
                proxy.vertx().setTimer(WatchFault.FROZEN.toMillis(), timer -> close());
            }
        }
    }

    private void leave() {
        if (!api.isClosed()) {
            api.close();
        }
    }

    private void close() {
        operator.filter(socket -> !socket.isClosed()).ifPresent(ServerWebSocket::close);
    }
}
