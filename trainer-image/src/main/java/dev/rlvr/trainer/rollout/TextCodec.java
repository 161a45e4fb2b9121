package dev.rlvr.trainer.rollout;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.rlvr.trainer.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Text to token ids and back, by the model's own {@code tokenizer.json}. */
public final class TextCodec implements AutoCloseable {
    private final HuggingFaceTokenizer tokenizer;

    private TextCodec(HuggingFaceTokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /**
     * Reads a tokenizer.
     *
     * @throws InputException if the file is missing or not a tokenizer
     */
    public static TextCodec open(Path tokenizerFile) {
        if (!Files.exists(tokenizerFile)) {
            throw new InputException("there is no " + tokenizerFile + "; the model folder needs a tokenizer.json");
        }
        try {
            return new TextCodec(HuggingFaceTokenizer.builder()
                    .optTokenizerPath(tokenizerFile)
                    .optTruncation(false)
                    .optPadding(false)
                    .build());
        } catch (IOException | RuntimeException e) {
            String why = String.valueOf(e.getMessage()).lines().findFirst().orElse("unreadable");
            throw new InputException(tokenizerFile + " is not a tokenizer: " + why + "; fetch it again", e);
        }
    }

    /** Ids of a prompt, with the special tokens that the tokenizer puts around it. */
    public List<Integer> encode(String text) {
        return encode(text, true);
    }

    /** Ids of a response, without special tokens around it. */
    public List<Integer> encodeBare(String text) {
        return encode(text, false);
    }

    private List<Integer> encode(String text, boolean specialTokens) {
        Encoding encoding = tokenizer.encode(text, specialTokens, false);
        return Arrays.stream(encoding.getIds()).mapToObj(Math::toIntExact).toList();
    }

    /** Text of a response, without special tokens. */
    public String decode(int[] tokens) {
        return tokenizer.decode(IntStream.of(tokens).asLongStream().toArray(), true);
    }

    /** The text of each token by itself, special tokens included. */
    public List<String> pieces(int[] tokens) {
        return IntStream.of(tokens)
                .mapToObj(token -> tokenizer.decode(new long[] {token}, false))
                .toList();
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
