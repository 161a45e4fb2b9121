package dev.rlvr.e2e.operator;

import java.net.URI;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * A verb on a kind, as a role names it.
 *
 * @param group API group; empty for the core
 * @param resource plural, with the subresource where there is one
 */
record UsedRight(String group, String resource, String verb) implements Comparable<UsedRight> {
    /** What the API server asks a role about this request; empty for requests that are about no object. */
    static Optional<UsedRight> of(String method, URI uri) {
        List<String> path = List.of(uri.getPath().substring(1).split("/"));
        boolean core = path.getFirst().equals("api");
        int at = core ? 2 : 3;
        if (path.size() > at + 2 && path.get(at).equals("namespaces")) {
            at += 2;
        }
        if (path.size() <= at || !(core || path.getFirst().equals("apis"))) {
            return Optional.empty();
        }
        boolean named = path.size() > at + 1;
        String resource = path.get(at) + (path.size() > at + 2 ? "/" + path.get(at + 2) : "");
        return Optional.of(new UsedRight(core ? "" : path.get(1), resource, verb(method, uri, named)));
    }

    private static String verb(String method, URI uri, boolean named) {
        return switch (method) {
            case "GET" -> {
                String query = Optional.ofNullable(uri.getQuery()).orElse("");
                yield query.contains("watch=true") ? "watch" : named ? "get" : "list";
            }
            case "POST" -> "create";
            case "PUT" -> "update";
            case "PATCH" -> "patch";
            case "DELETE" -> named ? "delete" : "deletecollection";
            default -> method;
        };
    }

    @Override
    public int compareTo(UsedRight other) {
        return Comparator.comparing(UsedRight::toString).compare(this, other);
    }
}
