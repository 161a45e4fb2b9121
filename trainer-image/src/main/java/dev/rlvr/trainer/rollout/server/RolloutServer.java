package dev.rlvr.trainer.rollout.server;

import dev.rlvr.trainer.rollout.AnswerSource;
import dev.rlvr.trainer.rollout.Sample;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * One server and how to talk to it. Every method throws {@link IOException} where the server cannot be reached, takes too long, says no, or says
 * what makes no sense; the message then starts with its URL.
 */
interface RolloutServer {
    /**
     * Answers and the weights that they were sampled with.
     *
     * @param version what the server calls the weights; no version's name where they were not the same for all tokens
     */
    record Generated(List<Sample> samples, String version) {}

    /** A request under way. */
    record Sent(CompletableFuture<HttpResponse<byte[]>> reply) {
        void cancel() {
            reply.cancel(true);
        }
    }

    URI url();

    /** Passes where the server says that it can generate. */
    void requireHealthy() throws IOException, InterruptedException;

    /** What the server calls its weights. */
    String weightVersion() throws IOException, InterruptedException;

    /** Replaces the weights, and asks for the version afterwards. What was being generated is aborted. */
    void load(WeightsFolder.Version weights) throws IOException, InterruptedException;

    /** Lets the server forget all requests; one that cannot only works for nothing. */
    void abortAll() throws IOException, InterruptedException;

    /** Sends a request for answers. */
    Sent send(Piece piece, AnswerSource.Settings settings);

    /** Waits for the answers of a request. */
    Generated receive(Sent sent, Piece piece, AnswerSource.Settings settings) throws IOException, InterruptedException;
}
