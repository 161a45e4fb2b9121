package ai.djl.pytorch.jni;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The native calls that DJL's public API does not reach: TorchScript methods that record gradients, backward with an upstream gradient, and
 * the settings that make them exact. It has to live in DJL's package because {@link PyTorchLibrary}'s methods are package-private. Handles
 * are addresses of C++ objects; every tensor that comes out belongs to the manager that was given.
 */
public final class LibTorch {
    private static final PyTorchLibrary LIB = PyTorchLibrary.LIB;
    private static final int[] CPU = {0, -1};

    /** DJL's inference mode would forbid gradients; see {@code docs/engine.md}. */
    private static final boolean TRAINING_CALL = true;

    private LibTorch() {}

    /** Loads a TorchScript archive and returns the module's handle. */
    public static long loadModule(byte[] archive) {
        return LIB.moduleLoad(new ByteArrayInputStream(archive), CPU, false, new byte[1 << 16], -1L);
    }

    /** Frees a module. */
    public static void deleteModule(long module) {
        LIB.torchDeleteModule(module);
    }

    /** Whether operations of this thread record gradients. */
    public static void setGradMode(boolean on) {
        LIB.torchSetGradMode(on);
    }

    /** Whether operations of this thread record gradients now. */
    public static boolean gradMode() {
        return LIB.torchIsGradMode();
    }

    /** Turns the profiling executor of this thread off: it would change float results after the first calls. */
    public static void interpretScripts() {
        LIB.setGraphExecutorOptimize(false);
    }

    /** Threads of one operation. */
    public static void setThreads(int threads) {
        LIB.torchSetNumThreads(threads);
    }

    /** Adds the gradients of {@code sum(y * upstream)} to the leaves that y was computed from, and frees the graph. */
    public static void backward(NDArray y, NDArray upstream) {
        LIB.torchBackward(handle(y), handle(upstream), false, false);
    }

    /** The gradient accumulated in a leaf, if there is one. */
    public static Optional<NDArray> gradient(NDManager owner, NDArray leaf) {
        long handle = LIB.torchGrad(handle(leaf));
        return handle == 0 || handle == -1 ? Optional.empty() : Optional.of(wrap(owner, handle));
    }

    /** Makes the tensor a leaf that gradients are accumulated in. */
    public static void requireGradient(NDArray leaf) {
        LIB.torchAttachGrad(handle(leaf), true);
    }

    /** The memory of a contiguous tensor on the CPU, of at most 2 GiB, without a copy. */
    public static ByteBuffer buffer(NDArray array) {
        if (array.getDevice().isGpu()) {
            throw new IllegalArgumentException("the memory of a tensor on " + array.getDevice() + " is not Java's");
        }
        return LIB.torchDirectByteBuffer(handle(array)).order(ByteOrder.nativeOrder());
    }

    /**
     * Runs a method of a module.
     *
     * @param owner manager that gets the results
     * @param arguments NDArray, Integer, Long, Double, Boolean, {@code List<NDArray>} or {@code long[]}
     * @return the tensors of the result, in order: one, or those of a tuple or list
     */
    public static List<NDArray> call(NDManager owner, long module, String method, Object... arguments) {
        long[] values = new long[arguments.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = toIValue(arguments[i]);
        }
        long result;
        try {
            result = LIB.moduleRunMethod(module, method, values, TRAINING_CALL, false);
        } finally {
            for (long value : values) {
                LIB.torchDeleteIValue(value);
            }
        }
        try {
            List<NDArray> tensors = new ArrayList<>();
            collect(owner, result, tensors);
            return tensors;
        } finally {
            LIB.torchDeleteIValue(result);
        }
    }

    private static long toIValue(Object argument) {
        return switch (argument) {
            case NDArray array -> LIB.iValueFromTensor(handle(array));
            case Integer number -> LIB.iValueFromLong(number);
            case Long number -> LIB.iValueFromLong(number);
            case Double number -> LIB.iValueFromDouble(number);
            case Boolean bool -> LIB.iValueFromBool(bool);
            case long[] numbers -> LIB.iValueFromLongList(numbers);
            case List<?> arrays ->
                LIB.iValueFromTensorList(
                        arrays.stream().mapToLong(a -> handle((NDArray) a)).toArray());
            default -> throw new IllegalArgumentException("no TorchScript value for " + argument.getClass());
        };
    }

    private static void collect(NDManager owner, long value, List<NDArray> tensors) {
        if (LIB.iValueIsTensor(value)) {
            tensors.add(wrap(owner, LIB.iValueToTensor(value)));
        } else if (LIB.iValueIsTensorList(value)) {
            for (long handle : LIB.iValueToTensorList(value)) {
                tensors.add(wrap(owner, handle));
            }
        } else if (LIB.iValueIsTuple(value)) {
            for (long element : LIB.iValueToIValueTuple(value)) {
                try {
                    collect(owner, element, tensors);
                } finally {
                    LIB.torchDeleteIValue(element);
                }
            }
        } else {
            throw new IllegalStateException("a TorchScript method returned a " + LIB.iValueGetType(value));
        }
    }

    /** Where the values of a contiguous tensor lie, in the memory of its device. */
    public static long address(NDArray array) {
        return TensorMemory.address(handle(array));
    }

    /** libtorch's number of a tensor's format: 6 is F32, 15 BF16, which DJL has no name for. */
    public static int scalarType(NDArray array) {
        return TensorMemory.scalarType(handle(array));
    }

    private static long handle(NDArray array) {
        return ((PtNDArray) array).getHandle();
    }

    private static NDArray wrap(NDManager owner, long handle) {
        return new PtNDArray((PtNDManager) owner, handle);
    }
}
