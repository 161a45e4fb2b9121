package ai.djl.pytorch.jni;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/** libtorch's own C functions for where and what a tensor's values are; DJL's handle of a tensor is the one that they take. */
@SuppressWarnings("restricted") // calling native code is what it is for; the JVM is started with --enable-native-access
final class TensorMemory {
    /** {@code AOTITorchError aoti_torch_get_data_ptr(AtenTensorHandle, void**)}. */
    private static final MethodHandle POINTER = function("aoti_torch_get_data_ptr");

    /** {@code AOTITorchError aoti_torch_get_dtype(AtenTensorHandle, int32_t*)}. */
    private static final MethodHandle TYPE = function("aoti_torch_get_dtype");

    private TensorMemory() {}

    /** libtorch is loaded before there is a tensor. */
    private static MethodHandle function(String name) {
        return Linker.nativeLinker()
                .downcallHandle(
                        SymbolLookup.loaderLookup().findOrThrow(name),
                        FunctionDescriptor.of(JAVA_INT, JAVA_LONG, ADDRESS));
    }

    static long address(long handle) {
        return ask(POINTER, handle).get(ADDRESS, 0).address();
    }

    static int scalarType(long handle) {
        return ask(TYPE, handle).get(JAVA_INT, 0);
    }

    private static MemorySegment ask(MethodHandle function, long handle) {
        MemorySegment answer = Arena.ofAuto().allocate(ADDRESS);
        try {
            int error = (int) function.invokeExact(handle, answer);
            if (error != 0) {
                throw new IllegalStateException("libtorch's C interface: error " + error);
            }
            return answer;
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
