package dev.rlvr.trainer.rollout.server;

import java.net.URI;
import java.net.http.HttpClient;
import java.util.Set;

/** What rollout servers speak. */
public enum Protocol {
    /** SGLang's native interface, which {@code ./rlvr serve} speaks, too. */
    SGLANG,

    /** vLLM's token-in-token-out interface and those of its development mode, from version 0.32. */
    VLLM;

    RolloutServer server(URI url, HttpClient client, Patience patience, Set<Integer> endTokens) {
        JsonClient http = new JsonClient(url, client);
        return switch (this) {
            case SGLANG -> new SglangServer(http, patience, endTokens);
            case VLLM -> new VllmServer(http, patience, endTokens);
        };
    }
}
