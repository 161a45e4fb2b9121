package dev.rlvr.trainer.torch;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * The C library's heap, which libtorch's tensors are in. What is freed stays with the process for the next tensors; but blocks of other sizes do
 * not fit into the holes, so that sampling and updating, taking turns, would each hold their own. Between them the holes' pages are given back.
 */
public final class NativeHeap {
    /** Where less is free it is not worth the time that it takes to get the pages again. */
    private static final long WORTHWHILE = 256L << 20;

    /** glibc's {@code struct mallinfo2}: ten {@code size_t}. */
    private static final MemoryLayout FIGURES = MemoryLayout.sequenceLayout(10, ValueLayout.JAVA_LONG);

    /** Position of {@code fordblks}, the bytes in free blocks. */
    private static final int FREE = 8;

    private static final Optional<NativeHeap> GLIBC = find();

    private final MethodHandle figures;
    private final MethodHandle trim;

    private NativeHeap(MethodHandle figures, MethodHandle trim) {
        this.figures = figures;
        this.trim = trim;
    }

    @SuppressWarnings("restricted") // the C library's own functions, by their documented signatures
    private static Optional<NativeHeap> find() {
        Linker linker = Linker.nativeLinker();
        var symbols = linker.defaultLookup();
        MemoryLayout returned = MemoryLayout.structLayout(FIGURES);
        return symbols.find("mallinfo2")
                .flatMap(info -> symbols.find("malloc_trim")
                        .map(trim -> new NativeHeap(
                                linker.downcallHandle(info, FunctionDescriptor.of(returned)),
                                linker.downcallHandle(
                                        trim, FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG)))));
    }

    /** Gives the pages of free blocks back to the system where that is worth it; does nothing on a system without glibc. */
    public static void release() {
        GLIBC.ifPresent(NativeHeap::releaseFree);
    }

    private void releaseFree() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment info = (MemorySegment) figures.invokeExact((SegmentAllocator) arena);
            if (info.getAtIndex(ValueLayout.JAVA_LONG, FREE) > WORTHWHILE) {
                int _ = (int) trim.invokeExact(0L);
            }
        } catch (Throwable e) {
            throw new IllegalStateException("the C library's heap cannot be trimmed", e);
        }
    }
}
