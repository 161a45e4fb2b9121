package dev.rlvr.trainer.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.jni.LibTorch;
import java.util.List;

/** A TorchScript module without state: its methods take every tensor they need. */
public final class Script implements AutoCloseable {
    private final long module;

    private Script(long module) {
        this.module = module;
    }

    /**
     * Compiles methods written in the dialect of TorchScript archives, indented by two spaces.
     *
     * @throws ai.djl.engine.EngineException with the line if the source is wrong
     */
    public static Script compile(String methods) {
        return new Script(LibTorch.loadModule(ScriptArchive.of(methods)));
    }

    /** The archive of methods as {@link #compile} takes them, for {@code torch.jit.load} in other programs. */
    public static byte[] archive(String methods) {
        return ScriptArchive.of(methods);
    }

    /** Runs a method that returns one tensor; see {@link LibTorch#call} for the arguments. */
    public NDArray tensor(NDManager owner, String method, Object... arguments) {
        return tensors(owner, method, arguments).getFirst();
    }

    /** Runs a method that returns a tuple or list of tensors. */
    public List<NDArray> tensors(NDManager owner, String method, Object... arguments) {
        return LibTorch.call(owner, module, method, arguments);
    }

    @Override
    public void close() {
        LibTorch.deleteModule(module);
    }
}
