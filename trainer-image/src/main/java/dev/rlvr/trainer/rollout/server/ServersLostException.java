package dev.rlvr.trainer.rollout.server;

import java.io.IOException;
import java.io.UncheckedIOException;

/** No rollout server could be used for too long; the message names them and what is wrong with each. Another attempt may fare better. */
public final class ServersLostException extends UncheckedIOException {
    private static final long serialVersionUID = 1;

    ServersLostException(String message) {
        super(message, new IOException(message));
    }
}
