package dev.rlvr.trainer;

import ai.djl.ndarray.NDManager;
import dev.rlvr.crds.TrainerSpec;
import dev.rlvr.trainer.collectives.Collectives;
import dev.rlvr.trainer.collectives.Nccl;
import dev.rlvr.trainer.collectives.NcclLibrary;
import dev.rlvr.trainer.torch.CudaDriver;
import dev.rlvr.trainer.torch.CudaDriver.CudaException;
import java.io.IOException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The GPUs that this process may use, and all that has to be there to train on them.
 *
 * @param driver loads the driver
 * @param devices folder with the driver's device files
 */
record Gpus(Map<String, String> environment, Supplier<Optional<CudaDriver>> driver, Path devices) {
    private static final String FIELD = "spec.trainer.gpusPerReplica";
    private static final String LIBRARY_PATH = "PYTORCH_LIBRARY_PATH";
    private static final String FLAVOR = "PYTORCH_FLAVOR";

    Gpus {
        environment = Map.copyOf(environment);
    }

    /** Those of this machine or container. */
    static Gpus of(Map<String, String> environment) {
        return new Gpus(environment, () -> CudaDriver.load(CudaDriver.LIBRARY), Path.of("/dev"));
    }

    /**
     * Bytes of memory of the smallest of a pod's GPUs; empty where the job trains on CPUs.
     *
     * @throws InputException if a driver, a GPU, libtorch for CUDA or NCCL is missing, with what was looked for
     */
    OptionalLong require(TrainerSpec spec) {
        if (spec.gpusPerReplica() == 0) {
            return OptionalLong.empty();
        }
        CudaDriver found = driver.get()
                .orElseThrow(() -> refusal(
                        spec,
                        "there is no driver here: %s cannot be loaded".formatted(CudaDriver.LIBRARY),
                        "take a machine or pod with an NVIDIA driver"));
        long memory = Long.MAX_VALUE;
        try {
            int count = found.devices();
            if (count < spec.gpusPerReplica()) {
                throw refusal(spec, "the driver shows %d".formatted(count), "lower it");
            }
            for (int gpu = 0; gpu < spec.gpusPerReplica(); gpu++) {
                memory = Math.min(memory, found.memory(gpu));
            }
        } catch (CudaException e) {
            throw refusal(spec, "the driver does not work: " + e.getMessage(), "take a machine or pod with a GPU");
        }
        requireLibtorch(spec);
        if (spec.ranks() > 1) {
            nccl();
        }
        return OptionalLong.of(memory);
    }

    /** Opens NCCL beside a group of the same ranks, on this process's only GPU. */
    Collectives together(Collectives control, Duration timeout, NDManager owner) {
        CudaDriver found = driver.get().orElseThrow();
        found.use(0);
        return Nccl.open(control, timeout, nccl(), found, owner);
    }

    private NcclLibrary nccl() {
        try {
            return NcclLibrary.load(environment);
        } catch (NcclLibrary.MissingException e) {
            throw new InputException(FIELD + ": several GPUs need NCCL: " + e.getMessage(), e);
        }
    }

    /** As DJL looks for it: a folder that is named, else on the class path. */
    private void requireLibtorch(TrainerSpec spec) {
        boolean named = environment.containsKey(LIBRARY_PATH)
                && Files.exists(Path.of(environment.get(LIBRARY_PATH), "libtorch_cuda.so"))
                && environment.getOrDefault(FLAVOR, "").startsWith("cu");
        if (!named && !onClassPath()) {
            throw refusal(
                    spec,
                    "libtorch is for CPUs: no libtorch_cuda.so in %s (%s, with %s=cu128), no pytorch-native-cu128 on the class path"
                            .formatted(environment.getOrDefault(LIBRARY_PATH, "any folder"), LIBRARY_PATH, FLAVOR),
                    "take an image for CUDA");
        }
    }

    private static boolean onClassPath() {
        try {
            for (URL url :
                    Collections.list(Gpus.class.getClassLoader().getResources("native/lib/pytorch.properties"))) {
                try (var in = url.openStream()) {
                    if (new String(in.readAllBytes(), StandardCharsets.UTF_8).contains("flavor=cu")) {
                        return true;
                    }
                }
            }
            return false;
        } catch (IOException e) {
            return false;
        }
    }

    private InputException refusal(TrainerSpec spec, String missing, String remedy) {
        return new InputException(
                "%s: %d needs as many GPUs, but %s (device files: %s; %s); %s (docs/gpu.md), or use 0 (CPU)"
                        .formatted(FIELD, spec.gpusPerReplica(), missing, deviceFiles(), visible(), remedy));
    }

    private String visible() {
        String setting = environment.get("CUDA_VISIBLE_DEVICES");
        return setting == null ? "CUDA_VISIBLE_DEVICES is not set" : "CUDA_VISIBLE_DEVICES=" + setting;
    }

    private String deviceFiles() {
        try (Stream<Path> files = Files.list(devices)) {
            String names = String.join(
                    " ",
                    files.map(Path::toString)
                            .filter(name -> name.matches(".*/nvidia[0-9a-z-]*"))
                            .sorted()
                            .toList());
            return names.isEmpty() ? "no " + devices.resolve("nvidia*") : names;
        } catch (IOException e) {
            return devices + " cannot be read";
        }
    }
}
