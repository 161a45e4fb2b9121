package dev.rlvr.trainer.torch;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.jni.LibTorch;
import java.util.function.Supplier;

/** libtorch's settings. They are per process or per thread: open it on the thread that trains. */
public final class Torch {
    private Torch() {}

    /**
     * Starts libtorch for this thread: no gradients until asked for, scripts interpreted as written.
     *
     * @param threads threads of one operation, at least 1; results are the same to the bit for the same number
     * @return the manager that owns what lives as long as the process
     */
    public static NDManager start(int threads) {
        return start(threads, Device.cpu());
    }

    /** As above, for tensors on a device: the CPU, or a GPU as the driver numbers those that this process sees. */
    public static NDManager start(int threads, Device device) {
        Engine engine = Engine.getEngine("PyTorch");
        LibTorch.setThreads(threads);
        LibTorch.interpretScripts();
        LibTorch.setGradMode(false);
        return engine.newBaseManager(device);
    }

    /** Runs code whose operations record gradients. */
    public static <T> T withGradients(Supplier<T> code) {
        boolean before = LibTorch.gradMode();
        LibTorch.setGradMode(true);
        try {
            return code.get();
        } finally {
            LibTorch.setGradMode(before);
        }
    }
}
