package dev.rlvr.trainer.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rlvr.trainer.InputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.commons.io.FileUtils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A Hugging Face model folder whose configuration and safetensors headers have been read and fit each other. */
public final class ModelFolder {
    private static final Logger LOG = LoggerFactory.getLogger(ModelFolder.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String CONFIG = "config.json";
    private static final String INDEX = "model.safetensors.index.json";
    private static final Pattern WEIGHTS = Pattern.compile("model(-\\d+-of-\\d+)?\\.safetensors");
    private static final String EMBEDDING = "model.embed_tokens.weight";
    private static final String HEAD = "lm_head.weight";

    /** Scalars of one tensor that a buffer of F32 can hold. */
    private static final long LARGEST_TENSOR = Integer.MAX_VALUE / Float.BYTES;

    /** Files beside configuration and weights that say how the model is used; an export takes them along unchanged. */
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
    private final TensorFiles pieces;

    private ModelFolder(Path folder, ModelConfig config, Map<String, Safetensors> fileOf, TensorFiles pieces) {
        this.folder = folder;
        this.config = config;
        this.fileOf = fileOf;
        this.pieces = pieces;
    }

    /** Whether a file of that name says what a model is and how it is used. */
    public static boolean describes(String name) {
        return name.equals(CONFIG) || name.equals(INDEX) || COMPANIONS.contains(name);
    }

    /** Whether a file of that name holds weights of a model. */
    public static boolean isWeights(String name) {
        return WEIGHTS.matcher(name).matches();
    }

    /**
     * Reads the configuration and the headers of all weight files; no weight is read. A checkpoint is such a folder, too; there the tensors may lie
     * in pieces, one for each rank that wrote.
     *
     * @throws InputException if something is missing, damaged or not supported
     */
    public static ModelFolder open(Path folder) {
        ModelConfig config = ModelConfig.read(folder);
        Map<String, Safetensors> fileOf = new HashMap<>();
        List<Path> files = weightFiles(folder);
        for (Path file : files) {
            try {
                Safetensors tensors = Safetensors.open(file);
                tensors.tensors().keySet().forEach(name -> fileOf.put(name, tensors));
            } catch (IOException e) {
                throw new InputException(reason(file, e), e);
            }
        }
        ModelConfig tied = tie(config, fileOf);
        TensorFiles pieces = tensors(files);
        requireWeights(folder, tied, fileOf, pieces);
        return new ModelFolder(folder, tied, fileOf, pieces);
    }

    /**
     * What {@code tie_word_embeddings} comes to with these weights, as in transformers 5: where only the head is there, it is the embedding,
     * too; where both are there and differ, they stay two.
     */
    private static ModelConfig tie(ModelConfig config, Map<String, Safetensors> fileOf) {
        Safetensors head = fileOf.get(HEAD);
        if (!config.tiedHead() || head == null) {
            return config;
        }
        Safetensors embedding = fileOf.get(EMBEDDING);
        if (embedding == null) {
            fileOf.put(EMBEDDING, head.alias(HEAD, EMBEDDING));
            return config;
        }
        try {
            if (embedding.equalBytes(EMBEDDING, head, HEAD)) {
                return config;
            }
        } catch (IOException e) {
            throw new InputException(reason(head.file(), e), e);
        }
        LOG.warn(
                "{}: config.json has tie_word_embeddings true, but {} and {} differ; each is used",
                head.file(),
                EMBEDDING,
                HEAD);
        return config.untied();
    }

    /**
     * Checks that files, such as a checkpoint's, have all weights of this model.
     *
     * @throws InputException if they do not
     */
    public void requireWeightsIn(List<Path> files) {
        TensorFiles tensors = tensors(files);
        for (WeightLayout.Part part : WeightLayout.parts(config)) {
            tensors.mismatch(part).ifPresent(found -> {
                throw new InputException("tensor " + part.name() + " in " + files.getFirst() + " has " + found
                        + ", but config.json calls for " + part.shape() + "; take both from the same model");
            });
        }
    }

    private static TensorFiles tensors(List<Path> files) {
        try {
            return TensorFiles.open(files);
        } catch (IOException e) {
            throw new InputException(reason(files.getFirst(), e), e);
        }
    }

    private static String reason(Path file, IOException e) {
        return e instanceof Safetensors.CorruptFileException
                ? e.getMessage()
                : "cannot read " + file + ": " + (Files.exists(file) ? e.getMessage() : "no such file")
                        + "; fetch the folder again";
    }

    private static void requireWeights(
            Path where, ModelConfig config, Map<String, Safetensors> fileOf, TensorFiles pieces) {
        for (WeightLayout.Part part : WeightLayout.parts(config)) {
            if (fileOf.containsKey(part.name()) || pieces.mismatch(part).isPresent()) {
                requireWeight(where, part, fileOf);
            }
        }
    }

    private static void requireWeight(Path where, WeightLayout.Part part, Map<String, Safetensors> fileOf) {
        Safetensors file = fileOf.get(part.name());
        if (file == null) {
            throw new InputException("tensor " + part.name() + " is missing in " + where
                    + ", but config.json calls for it; fetch the weights again or correct config.json");
        }
        List<Long> shape = file.tensors().get(part.name()).shape();
        if (!shape.equals(part.shape())) {
            throw new InputException("tensor " + part.name() + " in " + file.file() + " has shape " + shape
                    + ", but config.json calls for " + part.shape() + "; take both from the same model");
        }
        if (part.size() > LARGEST_TENSOR) {
            throw new InputException("tensor " + part.name() + " in " + file.file() + " has shape " + shape
                    + ", which takes 2 GiB or more in F32; choose a smaller model");
        }
    }

    private static List<Path> weightFiles(Path folder) {
        Path index = folder.resolve(INDEX);
        if (!Files.exists(index)) {
            return filesOfRanks(folder);
        }
        try {
            JsonNode map = JSON.readTree(index.toFile()).path("weight_map");
            if (!map.isObject()) {
                throw new InputException(index + " has no weight_map; fetch it again");
            }
            TreeSet<String> names = new TreeSet<>();
            map.forEach(name -> names.add(name.asText()));
            return names.stream().map(folder::resolve).toList();
        } catch (IOException e) {
            throw new InputException(index + " is not JSON; fetch it again", e);
        }
    }

    /** Without an index: the one file, or those that the ranks of a checkpoint have written. */
    private static List<Path> filesOfRanks(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> weights = files.filter(
                            file -> isWeights(file.getFileName().toString()))
                    .sorted()
                    .toList();
            if (weights.isEmpty()) {
                throw new InputException(folder + " has no model.safetensors; only safetensors weights are supported");
            }
            Path single = folder.resolve("model.safetensors");
            return weights.contains(single) ? List.of(single) : weights;
        } catch (IOException e) {
            throw new InputException("cannot read " + folder + " (" + e.getMessage() + "); correct its permissions", e);
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

    /** Reads scalars {@code [from, to)} of a tensor as F32 in native byte order to a buffer's position. */
    void readF32(String name, long from, long to, ByteBuffer target) throws IOException {
        Safetensors whole = fileOf.get(name);
        if (whole == null) {
            pieces.readF32(name, from, to, target);
        } else {
            whole.readF32(name, from, to, target);
        }
    }

    /**
     * Writes a Hugging Face folder with other weights of the same shape: complete or, on a crash, absent.
     *
     * @param target folder to create; an older one is replaced
     * @param units all weights, unit by unit
     */
    public void export(Path target, Iterator<UnitTensors> units) throws IOException {
        Path parts = target.resolveSibling(target.getFileName() + ".partial");
        FileUtils.deleteDirectory(parts.toFile());
        Files.createDirectories(parts);
        Safetensors.write(parts.resolve("model.safetensors"), UnitTensors.shapes(config), new Iterator<>() {
            @Override
            public boolean hasNext() {
                return units.hasNext();
            }

            @Override
            public SequencedMap<String, Safetensors.Content> next() {
                return units.next().content();
            }
        });
        for (Map.Entry<String, byte[]> file : description().entrySet()) {
            Files.write(parts.resolve(file.getKey()), file.getValue());
        }
        FileUtils.deleteDirectory(target.toFile());
        Files.move(parts, target, StandardCopyOption.ATOMIC_MOVE);
    }

    /** The files that say what the model is and how it is used, by name, as they are right for weights in F32 that this process writes. */
    public SequencedMap<String, byte[]> description() throws IOException {
        SequencedMap<String, byte[]> files = new LinkedHashMap<>();
        ObjectNode written = (ObjectNode) JSON.readTree(folder.resolve(CONFIG).toFile());
        written.remove("torch_dtype");
        written.put("dtype", "float32");
        written.put("tie_word_embeddings", config.tiedHead());
        files.put(CONFIG, JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(written));
        for (String name : COMPANIONS) {
            if (Files.exists(folder.resolve(name))) {
                files.put(name, Files.readAllBytes(folder.resolve(name)));
            }
        }
        return files;
    }
}
