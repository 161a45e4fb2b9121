package dev.rlvr.trainer.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rlvr.trainer.InputException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** A Hugging Face model folder whose configuration and safetensors headers have been read and fit each other. */
public final class ModelFolder {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Files that are taken along unchanged into an export. */
    private static final List<String> COMPANIONS = List.of(
            "generation_config.json",
            "tokenizer.json",
            "tokenizer_config.json",
            "special_tokens_map.json",
            "added_tokens.json",
            "vocab.json",
            "merges.txt",
            "chat_template.jinja");

    private final Path folder;
    private final ModelConfig config;
    private final Map<String, Safetensors> fileOf;

    private ModelFolder(Path folder, ModelConfig config, Map<String, Safetensors> fileOf) {
        this.folder = folder;
        this.config = config;
        this.fileOf = fileOf;
    }

    /**
     * Reads the configuration and the headers of all weight files; no weight is read.
     *
     * @throws InputException if something is missing, damaged or not supported
     */
    public static ModelFolder open(Path folder) {
        ModelConfig config = ModelConfig.read(folder);
        Map<String, Safetensors> fileOf = new HashMap<>();
        for (Path file : weightFiles(folder)) {
            try {
                Safetensors tensors = Safetensors.open(file);
                tensors.tensors().keySet().forEach(name -> fileOf.put(name, tensors));
            } catch (IOException e) {
                throw new InputException("spec.model.source: "
                        + (e instanceof Safetensors.CorruptFileException ? e.getMessage() : "cannot read " + file));
            }
        }
        for (WeightLayout.Entry entry : WeightLayout.of(config)) {
            requireWeight(folder, entry, fileOf);
        }
        return new ModelFolder(folder, config, fileOf);
    }

    private static void requireWeight(Path folder, WeightLayout.Entry entry, Map<String, Safetensors> fileOf) {
        Safetensors file = fileOf.get(entry.name());
        if (file == null) {
            throw new InputException("spec.model.source: no weight file in " + folder + " has the tensor "
                    + entry.name() + " that its config.json calls for");
        }
        List<Long> shape = file.tensors().get(entry.name()).shape();
        if (!shape.equals(entry.shape())) {
            throw new InputException("spec.model.source: tensor " + entry.name() + " in " + file.file() + " has shape "
                    + shape + ", but config.json calls for " + entry.shape());
        }
    }

    private static List<Path> weightFiles(Path folder) {
        Path index = folder.resolve("model.safetensors.index.json");
        if (!Files.exists(index)) {
            Path single = folder.resolve("model.safetensors");
            if (!Files.exists(single)) {
                throw new InputException("spec.model.source: " + folder + " has no model.safetensors; only safetensors"
                        + " weights are supported");
            }
            return List.of(single);
        }
        try {
            JsonNode map = JSON.readTree(index.toFile()).path("weight_map");
            TreeSet<String> names = new TreeSet<>();
            map.forEach(name -> names.add(name.asText()));
            return names.stream().map(folder::resolve).toList();
        } catch (IOException e) {
            throw new InputException("spec.model.source: " + index + " is not JSON");
        }
    }

    /** The model's shape. */
    public ModelConfig config() {
        return config;
    }

    /** The tokenizer's file. */
    public Path tokenizerFile() {
        return folder.resolve("tokenizer.json");
    }

    ByteBuffer readF32(String name) {
        try {
            return fileOf.get(name).readF32(name);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Writes a Hugging Face folder with other weights of the same shape: complete or, on a crash, absent.
     *
     * @param target folder to create; an older one is replaced
     */
    public void export(Path target, Weights weights) throws IOException {
        Path parts = target.resolveSibling(target.getFileName() + ".partial");
        deleteTree(parts);
        Files.createDirectories(parts);
        weights.write(parts.resolve("model.safetensors"));
        ObjectNode exported =
                (ObjectNode) JSON.readTree(folder.resolve("config.json").toFile());
        exported.remove("torch_dtype");
        exported.put("dtype", "float32");
        JSON.writerWithDefaultPrettyPrinter()
                .writeValue(parts.resolve("config.json").toFile(), exported);
        for (String name : COMPANIONS) {
            if (Files.exists(folder.resolve(name))) {
                Files.copy(folder.resolve(name), parts.resolve(name));
            }
        }
        deleteTree(target);
        Files.move(parts, target, StandardCopyOption.ATOMIC_MOVE);
    }

    private static void deleteTree(Path root) throws IOException {
        if (Files.exists(root)) {
            List<Path> all = new ArrayList<>();
            try (var walk = Files.walk(root)) {
                walk.forEach(all::add);
            }
            for (Path path : all.reversed()) {
                Files.delete(path);
            }
        }
    }
}
