package dev.rlvr.trainer.rollout.server;

import java.io.IOException;
import java.nio.file.Path;

/** Writes the trainer's weights as a Hugging Face folder, which appears whole or not at all. */
@FunctionalInterface
public interface WeightsExport {
    void to(Path folder) throws IOException;
}
