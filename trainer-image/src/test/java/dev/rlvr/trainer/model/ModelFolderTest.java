package dev.rlvr.trainer.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rlvr.trainer.InputException;
import dev.rlvr.trainer.model.ModelConfig.Family;
import dev.rlvr.trainer.torch.Torch;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelFolderTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static final String EMBEDDING = "model.embed_tokens.weight";
    private static final String HEAD = "lm_head.weight";

    @TempDir
    Path work;

    private Path tiny(Family family) throws IOException {
        return TinyModel.write(work.resolve("base"), family);
    }

    private static void assertRefused(Path folder, String... parts) {
        assertThatThrownBy(() -> ModelFolder.open(folder))
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll(parts)
                .message()
                .hasLineCount(1)
                .as("it says what to do")
                .contains("; ");
    }

    private static List<float[]> values(Weights weights) {
        return weights.tensors().all().stream().map(NDArray::toFloatArray).toList();
    }

    private static float[] floats(Safetensors.Content content) {
        float[] values = new float[content.bytes().remaining() / Float.BYTES];
        content.bytes().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
        return values;
    }

    @ParameterizedTest
    @EnumSource(Family.class)
    void weightsComeOutOfAFolderAsTheyWentIn(Family family) throws IOException {
        ModelFolder folder = ModelFolder.open(tiny(family));
        try (NDManager owner = Torch.start(1)) {
            Weights weights = Weights.load(owner, folder);

            var loaded = weights.tensors().content("");
            assertThat(loaded.keySet())
                    .containsExactlyElementsOf(TinyModel.content(family).keySet());
            for (var entry : TinyModel.content(family).entrySet()) {
                assertThat(floats(loaded.get(entry.getKey())))
                        .as(entry.getKey())
                        .containsExactly(floats(entry.getValue()));
            }
            assertThat(folder.config().parameters())
                    .isEqualTo(weights.tensors().all().stream()
                            .mapToLong(NDArray::size)
                            .sum());
        }
    }

    @Test
    void weightsWrittenAndReadAreTheSameToTheBit() throws IOException {
        ModelConfig config = TinyModel.config(Family.QWEN2);
        Path file = work.resolve("model.safetensors");
        try (NDManager owner = Torch.start(1)) {
            Weights weights = Weights.random(owner, config, 0.3, new SplittableRandom(5));
            weights.write(file);

            Weights read = Weights.load(owner, config, file);

            assertThat(values(read)).usingRecursiveComparison().isEqualTo(values(weights));
        }
    }

    @Test
    void anExportLoadsAgainAndReplacesAnOlderOne() throws IOException {
        Path base = tiny(Family.QWEN3);
        Files.writeString(base.resolve("tokenizer_config.json"), "{\"model_max_length\":64}");
        Files.writeString(base.resolve("chat_template.jinja"), "{{ messages }}");
        Files.writeString(base.resolve("pytorch_model.bin"), "the base model's weights in another form");
        ModelFolder folder = ModelFolder.open(base);
        Path target = work.resolve("run/model");
        try (NDManager owner = Torch.start(1)) {
            Files.createDirectories(target.resolve("old"));
            Files.writeString(target.resolve("model-00001-of-00002.safetensors"), "of an older export");
            Files.createDirectories(work.resolve("run/model.partial/torn"));
            Weights trained = Weights.random(owner, folder.config(), 0.3, new SplittableRandom(5));

            ModelTensors tensors = trained.tensors();
            folder.export(
                    target,
                    IntStream.range(0, tensors.units()).mapToObj(tensors::unit).iterator());

            ModelFolder exported = ModelFolder.open(target);
            assertThat(exported.config()).isEqualTo(folder.config());
            assertThat(values(Weights.load(owner, exported)))
                    .usingRecursiveComparison()
                    .isEqualTo(values(trained));
        }
        try (var files = Files.list(target)) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder(
                            "config.json",
                            "model.safetensors",
                            "tokenizer.json",
                            "tokenizer_config.json",
                            "chat_template.jinja");
        }
        assertThat(work.resolve("run/model.partial")).doesNotExist();
        ObjectNode json =
                (ObjectNode) JSON.readTree(target.resolve("config.json").toFile());
        assertThat(json.path("dtype").asText()).as("what was written").isEqualTo("float32");
        assertThat(json.has("torch_dtype")).isFalse();
        assertThat(target.resolve("tokenizer.json")).hasSameBinaryContentAs(base.resolve("tokenizer.json"));
    }

    @Test
    void aFolderInShardsLoadsLikeAWholeOne() throws IOException {
        Path base = tiny(Family.LLAMA);
        shard(base, "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors");

        try (NDManager owner = Torch.start(1)) {
            Weights weights = Weights.load(owner, ModelFolder.open(base));

            assertThat(weights.tensors().all().getLast().toFloatArray()[3])
                    .isEqualTo(TinyModel.content(Family.LLAMA)
                            .get("lm_head.weight")
                            .bytes()
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .getFloat(3 * Float.BYTES));
        }
    }

    private static byte[] half(byte[] f32, boolean brain) {
        ByteBuffer from = ByteBuffer.wrap(f32).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer to = ByteBuffer.allocate(f32.length / 2).order(ByteOrder.LITTLE_ENDIAN);
        while (from.hasRemaining()) {
            float value = from.getFloat();
            to.putShort(brain ? (short) (Float.floatToRawIntBits(value) >> 16) : Float.floatToFloat16(value));
        }
        return to.array();
    }

    /** Rewrites a file of F32 in another format. */
    private static void convert(Path file, boolean brain) throws IOException {
        ByteBuffer all = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        int header = Math.toIntExact(all.getLong());
        byte[] text = new byte[header];
        all.get(text);
        byte[] data = new byte[all.remaining()];
        all.get(data);
        ObjectNode json = (ObjectNode) JSON.readTree(text);
        json.forEach(node -> {
            if (node.has("dtype")) {
                ArrayNode offsets = (ArrayNode) node.path("data_offsets");
                long begin = offsets.path(0).asLong() / 2;
                long end = offsets.path(1).asLong() / 2;
                ((ObjectNode) node).put("dtype", brain ? "BF16" : "F16");
                offsets.removeAll().add(begin).add(end);
            }
        });
        byte[] small = half(data, brain);
        byte[] head = json.toString().getBytes(StandardCharsets.UTF_8);
        Files.write(
                file,
                ByteBuffer.allocate(Long.BYTES + head.length + small.length)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(head.length)
                        .put(head)
                        .put(small)
                        .array());
    }

    @ParameterizedTest
    @CsvSource({"false, false", "false, true", "true, false", "true, true"})
    void halfPrecisionLoadsFromOneFileAndFromShards(boolean sharded, boolean brain) throws IOException {
        Path base = tiny(Family.LLAMA);
        if (sharded) {
            shard(base, "one.safetensors", "two.safetensors");
            convert(base.resolve("one.safetensors"), brain);
            convert(base.resolve("two.safetensors"), brain);
        } else {
            convert(base.resolve("model.safetensors"), brain);
        }

        ModelFolder folder = ModelFolder.open(base);

        for (var entry : TinyModel.content(Family.LLAMA).entrySet()) {
            ByteBuffer read =
                    read(folder, entry.getKey(), entry.getValue().bytes().remaining());
            ByteBuffer wanted = entry.getValue().bytes().order(ByteOrder.LITTLE_ENDIAN);
            for (int at = 0; at < wanted.limit(); at += Float.BYTES) {
                float value = wanted.getFloat(at);
                assertThat(read.order(ByteOrder.nativeOrder()).getFloat(at))
                        .as(entry.getKey())
                        .isCloseTo(value, within(Math.abs(value) * (brain ? 0x1p-7f : 0x1p-11f) + 0x1p-25f));
            }
        }
    }

    @Test
    void whatTheRanksOfACheckpointHaveWrittenInPiecesLoadsAsAModel() throws IOException {
        Path base = tiny(Family.QWEN3);
        Files.delete(base.resolve("model.safetensors"));
        SequencedMap<String, Safetensors.Content> first = new LinkedHashMap<>();
        SequencedMap<String, Safetensors.Content> second = new LinkedHashMap<>();
        TinyModel.content(Family.QWEN3).forEach((name, content) -> {
            int size = content.bytes().remaining() / Float.BYTES;
            int cut = size / 3;
            first.put(TensorFiles.pieceName(name, 0, cut), piece(content, 0, cut));
            second.put(TensorFiles.pieceName(name, cut, size), piece(content, cut, size));
        });
        Safetensors.write(base.resolve("model-1-of-2.safetensors"), first);
        Safetensors.write(base.resolve("model-2-of-2.safetensors"), second);

        ModelFolder folder = ModelFolder.open(base);

        for (var entry : TinyModel.content(Family.QWEN3).entrySet()) {
            ByteBuffer wanted = entry.getValue().bytes();
            assertThat(read(folder, entry.getKey(), wanted.remaining()))
                    .as(entry.getKey())
                    .isEqualTo(wanted);
        }
        Files.delete(base.resolve("model-2-of-2.safetensors"));
        assertRefused(base, "is missing in");
    }

    private static Safetensors.Content piece(Safetensors.Content whole, int from, int to) {
        return new Safetensors.Content(
                List.of((long) to - from), whole.bytes().slice(from * Float.BYTES, (to - from) * Float.BYTES));
    }

    private static ByteBuffer read(ModelFolder folder, String name, int bytes) throws IOException {
        ByteBuffer values = ByteBuffer.allocate(bytes);
        folder.readF32(name, 0, bytes / Float.BYTES, values);
        return values.flip();
    }

    /** A folder with tie_word_embeddings true, and in the file what the test leaves of embedding and head. */
    private Path tied(UnaryOperator<SequencedMap<String, Safetensors.Content>> change) throws IOException {
        Path base = tiny(Family.LLAMA);
        TinyModel.writeConfig(base, TinyModel.json(Family.LLAMA).put("tie_word_embeddings", true));
        Safetensors.write(base.resolve("model.safetensors"), change.apply(TinyModel.content(Family.LLAMA)));
        return base;
    }

    @Test
    void aTiedHeadMayBeLeftOutOrWrittenTwice() throws IOException {
        assertThat(ModelFolder.open(tied(content -> {
                            content.remove(HEAD);
                            return content;
                        }))
                        .config()
                        .tiedHead())
                .isTrue();
        Files.delete(work.resolve("base/tokenizer.json"));
        assertThat(ModelFolder.open(tied(content -> {
                            content.put(HEAD, content.get(EMBEDDING));
                            return content;
                        }))
                        .config()
                        .tiedHead())
                .isTrue();
    }

    @Test
    void aTiedModelWhoseFileHasOnlyTheHeadReadsThatAsEmbedding() throws IOException {
        ModelFolder folder = ModelFolder.open(tied(content -> {
            content.remove(EMBEDDING);
            return content;
        }));

        assertThat(folder.config().tiedHead()).isTrue();
        assertThat(read(
                        folder,
                        EMBEDDING,
                        TinyModel.content(Family.LLAMA).get(HEAD).bytes().remaining()))
                .isEqualTo(TinyModel.content(Family.LLAMA).get(HEAD).bytes());
    }

    @Test
    void aHeadThatDiffersFromTheEmbeddingItIsSaidToBeTiedToCountsAsItIs() throws IOException {
        ModelFolder folder = ModelFolder.open(tied(content -> content));

        assertThat(folder.config()).isEqualTo(TinyModel.config(Family.LLAMA));
    }

    private static void shard(Path base, String first, String second) throws IOException {
        Files.delete(base.resolve("model.safetensors"));
        LinkedHashMap<String, Safetensors.Content> one = new LinkedHashMap<>();
        LinkedHashMap<String, Safetensors.Content> two = new LinkedHashMap<>();
        ObjectNode map = JSON.createObjectNode();
        TinyModel.content(Family.LLAMA).forEach((name, content) -> {
            boolean early = name.contains("layers.0");
            (early ? one : two).put(name, content);
            map.put(name, early ? first : second);
        });
        Safetensors.write(base.resolve(first), one);
        Safetensors.write(base.resolve(second), two);
        JSON.writeValue(
                base.resolve("model.safetensors.index.json").toFile(),
                JSON.createObjectNode().set("weight_map", map));
    }

    @Test
    void aShardThatIsMissingOrCutIsNamed() throws IOException {
        Path base = tiny(Family.LLAMA);
        shard(base, "one.safetensors", "two.safetensors");
        byte[] whole = Files.readAllBytes(base.resolve("two.safetensors"));

        Files.delete(base.resolve("two.safetensors"));
        assertRefused(base, base.resolve("two.safetensors").toString(), "no such file");
        Files.write(base.resolve("two.safetensors"), java.util.Arrays.copyOf(whole, whole.length / 2));
        assertRefused(base, base.resolve("two.safetensors").toString(), "tensor ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{", "{}", "[]", "null", "{\"weight_map\":3}"})
    void anIndexThatIsNoneIsNamed(String index) throws IOException {
        Path base = tiny(Family.LLAMA);
        Files.writeString(base.resolve("model.safetensors.index.json"), index);

        assertRefused(base, "model.safetensors.index.json");
    }

    @Test
    void aFolderWithoutWeightsIsRefused() throws IOException {
        Path base = tiny(Family.LLAMA);
        Files.move(base.resolve("model.safetensors"), base.resolve("pytorch_model.bin"));

        assertRefused(base, base.toString(), "no model.safetensors");
    }

    @Test
    void aTensorThatIsMissingOrOfAnotherShapeIsNamed() throws IOException {
        Path base = tiny(Family.QWEN3);
        String name = "model.layers.1.self_attn.q_norm.weight";
        SequencedMap<String, Safetensors.Content> content = TinyModel.content(Family.QWEN3);

        Safetensors.Content norm = content.remove(name);
        Safetensors.write(base.resolve("model.safetensors"), content);
        assertRefused(base, "tensor " + name + " is missing in " + base);

        content.put(name, new Safetensors.Content(List.of(2L, 2L), norm.bytes()));
        Safetensors.write(base.resolve("model.safetensors"), content);
        assertRefused(base, name, "has shape [2, 2], but config.json calls for [4]");
    }

    @Test
    void aTensorTooLargeForABufferIsRefusedBeforeItIsRead() throws IOException {
        Path base = tiny(Family.LLAMA);
        long vocabulary = 40_000_000;
        ObjectNode json = TinyModel.json(Family.LLAMA).put("vocab_size", vocabulary);
        TinyModel.writeConfig(base, json);
        // a header that says so, and a file that is as long but takes no room on the disk
        ObjectNode header = JSON.createObjectNode();
        long at = 0;
        for (WeightLayout.Part entry : WeightLayout.parts(ModelConfig.read(base))) {
            ObjectNode node = header.putObject(entry.name()).put("dtype", "BF16");
            entry.shape().forEach(node.putArray("shape")::add);
            node.putArray("data_offsets").add(at).add(at + 2 * entry.size());
            at += 2 * entry.size();
        }
        byte[] text = header.toString().getBytes(StandardCharsets.UTF_8);
        try (RandomAccessFile file =
                new RandomAccessFile(base.resolve("model.safetensors").toFile(), "rw")) {
            file.setLength(0);
            file.write(ByteBuffer.allocate(Long.BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(0, text.length)
                    .array());
            file.write(text);
            file.setLength(Long.BYTES + text.length + at);
        }

        assertRefused(base, "tensor model.embed_tokens.weight", "[40000000, 16]", "2 GiB");
    }

    @Test
    void aCheckpointOfAnotherModelDoesNotFit() throws IOException {
        ModelFolder folder = ModelFolder.open(tiny(Family.QWEN3));
        Path file = work.resolve("model.safetensors");

        Safetensors.write(file, TinyModel.content(Family.QWEN3));
        folder.requireWeightsIn(List.of(file));

        Safetensors.write(file, TinyModel.content(Family.LLAMA));
        assertThatThrownBy(() -> folder.requireWeightsIn(List.of(file)))
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll(file.toString(), "q_norm");
        assertThatThrownBy(() -> folder.requireWeightsIn(List.of(work.resolve("none"))))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("no such file");
    }
}
