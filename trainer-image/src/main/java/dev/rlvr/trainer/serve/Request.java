package dev.rlvr.trainer.serve;

import dev.rlvr.trainer.rollout.Sample;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;

/** Answers that are asked for together, and given together once the last is there. */
final class Request {
    private final List<Ask> asks;
    private final Answer[] answers;
    private final CompletableFuture<List<Answer>> reply = new CompletableFuture<>();
    private int missing;

    Request(List<Ask> asks) {
        this.asks = List.copyOf(asks);
        this.answers = new Answer[asks.size()];
        this.missing = asks.size();
    }

    /** Where an answer belongs. */
    record Place(Request request, int index) {
        Ask ask() {
            return request.asks.get(index);
        }

        void give(Sample sample, String version) {
            request.set(index, new Answer.Given(sample, version));
        }
    }

    /** The place of each answer. */
    List<Place> places() {
        return IntStream.range(0, asks.size())
                .mapToObj(index -> new Place(this, index))
                .toList();
    }

    /** The answers, in the order of what was asked for. */
    CompletableFuture<List<Answer>> reply() {
        return reply;
    }

    /** Ends it without the answers that are still missing. */
    void abort(String version) {
        if (!reply.isDone()) {
            Arrays.setAll(answers, i -> answers[i] == null ? new Answer.Aborted(version) : answers[i]);
            reply.complete(List.of(answers));
        }
    }

    void fail(Throwable cause) {
        reply.completeExceptionally(cause);
    }

    private void set(int index, Answer answer) {
        answers[index] = answer;
        missing--;
        if (missing == 0) {
            reply.complete(List.of(answers));
        }
    }
}
