package dev.rlvr.trainer.launch;

import java.io.IOException;

/** The other end of a connection does not want this one; trying again would not change that. */
final class RefusedException extends IOException {
    private static final long serialVersionUID = 1L;

    RefusedException(String reason) {
        super(reason);
    }
}
