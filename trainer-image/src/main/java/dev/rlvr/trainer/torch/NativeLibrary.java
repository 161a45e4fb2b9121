package dev.rlvr.trainer.torch;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** Functions of a C library that return an {@code int}, by their names. Stays loaded until the process ends; one thread uses it. */
@SuppressWarnings("restricted") // calling native code is what it is for; the JVM is started with --enable-native-access
public final class NativeLibrary {
    private static final Linker LINKER = Linker.nativeLinker();

    private final String name;
    private final SymbolLookup symbols;
    private final Map<String, FunctionDescriptor> signatures;
    private final Map<String, MethodHandle> functions = new HashMap<>();

    /**
     * A library that is loaded already.
     *
     * @param name for messages
     * @param signatures of the functions that are called
     */
    public NativeLibrary(String name, SymbolLookup symbols, Map<String, FunctionDescriptor> signatures) {
        this.name = name;
        this.symbols = symbols;
        this.signatures = Map.copyOf(signatures);
    }

    /**
     * Loads a library; empty where the loader does not find it, or not all that it needs.
     *
     * @param name file name that the loader looks up, or a path
     */
    public static Optional<NativeLibrary> load(String name, Map<String, FunctionDescriptor> signatures) {
        try {
            return Optional.of(new NativeLibrary(name, SymbolLookup.libraryLookup(name, Arena.global()), signatures));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** Its name or path. */
    public String name() {
        return name;
    }

    /** Calls a function that returns a status. */
    public int call(String function, Object... arguments) {
        return (int) invoke(function, arguments);
    }

    /** Calls a function that returns the address of a text that ends with a 0 byte. */
    public String text(String function, Object... arguments) {
        MemorySegment text = (MemorySegment) invoke(function, arguments);
        return text.address() == 0 ? "" : text.reinterpret(Long.MAX_VALUE).getString(0);
    }

    private Object invoke(String function, Object... arguments) {
        try {
            return functions.computeIfAbsent(function, this::bind).invokeWithArguments(arguments);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private MethodHandle bind(String function) {
        MemorySegment address = symbols.find(function)
                .orElseThrow(() -> new IllegalStateException(name + " has no function " + function));
        return LINKER.downcallHandle(address, signatures.get(function));
    }
}
