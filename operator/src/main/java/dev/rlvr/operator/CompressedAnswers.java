package dev.rlvr.operator;

import io.fabric8.kubernetes.client.vertx.VertxHttpClientFactory;
import io.vertx.core.Vertx;
import io.vertx.ext.web.client.WebClientOptions;

/**
 * Makes clients that take compressed answers. An API server compresses what is longer than 128 KiB, such as a page of a list, to a twelfth, and
 * what does not come need not be decrypted: without the second compiler, whose intrinsics are what makes AES fast, Java decrypts about 10 MB/s.
 */
final class CompressedAnswers extends VertxHttpClientFactory {
    CompressedAnswers(Vertx vertx) {
        super(vertx);
    }

    @Override
    protected void additionalConfig(WebClientOptions options) {
        options.setDecompressionSupported(true);
    }
}
