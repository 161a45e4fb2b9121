package dev.rlvr.trainer.quickstart;

import static java.util.stream.Collectors.toCollection;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rlvr.trainer.quickstart.AppleSums.Worked;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The base model's tokenizer as Hugging Face tokenizers and transformers read it. Every distinct piece of the task's
 * texts is one vocabulary entry, so that each way of calculating is one token; digits stand alone.
 */
final class QuickstartTokenizer {
    private static final String PIECE = "\\d|[A-Za-z]+[:,]? ?|[^\\dA-Za-z ]+ ?| ";
    private static final Pattern PIECES = Pattern.compile(PIECE);
    private static final List<String> SPECIAL = List.of("<pad>", "<eos>", "<unk>");
    private static final int MAX_LENGTH = 256;

    /** Enough texts for each piece, the rarest of which is a negative intermediate result, to occur many times. */
    private static final int TEXTS = 20_000;

    private static final long SEED = 0;

    private final ObjectMapper json;

    QuickstartTokenizer(ObjectMapper json) {
        this.json = json;
    }

    /** The vocabulary in the order of its ids: the special tokens, then the pieces in the order of their characters. */
    static List<String> vocabulary() {
        SortedSet<String> pieces = AppleSums.worked(SEED)
                .limit(TEXTS)
                .flatMap(QuickstartTokenizer::pieces)
                .collect(toCollection(TreeSet::new));
        List<String> vocabulary = new ArrayList<>(SPECIAL);
        vocabulary.addAll(pieces);
        return List.copyOf(vocabulary);
    }

    /** The texts of a worked problem in the pieces that the tokenizer cuts them into. */
    static Stream<String> pieces(Worked worked) {
        return PIECES.matcher(worked.prompt() + worked.solution()).results().map(MatchResult::group);
    }

    /** {@code tokenizer.json}. */
    ObjectNode tokenizer() {
        ObjectNode root = json.createObjectNode();
        root.put("version", "1.0").putNull("truncation").putNull("padding");
        var added = root.putArray("added_tokens");
        for (int id = 0; id < SPECIAL.size(); id++) {
            added.addObject()
                    .put("id", id)
                    .put("content", SPECIAL.get(id))
                    .put("single_word", false)
                    .put("lstrip", false)
                    .put("rstrip", false)
                    .put("normalized", false)
                    .put("special", true);
        }
        root.putNull("normalizer");
        ObjectNode split = root.putObject("pre_tokenizer").put("type", "Split");
        split.putObject("pattern").put("Regex", PIECE);
        split.put("behavior", "Isolated").put("invert", false);
        root.putNull("post_processor");
        root.putObject("decoder").put("type", "Fuse");
        ObjectNode model = root.putObject("model").put("type", "WordLevel");
        ObjectNode vocab = model.putObject("vocab");
        List<String> vocabulary = vocabulary();
        for (int id = 0; id < vocabulary.size(); id++) {
            vocab.put(vocabulary.get(id), id);
        }
        model.put("unk_token", "<unk>");
        return root;
    }

    /** {@code tokenizer_config.json}: what makes transformers' AutoTokenizer take {@code tokenizer.json} as it is. */
    ObjectNode config() {
        return specialTokens()
                .put("tokenizer_class", "PreTrainedTokenizerFast")
                .put("model_max_length", MAX_LENGTH)
                .put("clean_up_tokenization_spaces", false);
    }

    /** {@code special_tokens_map.json}. */
    ObjectNode specialTokens() {
        return json.createObjectNode()
                .put("pad_token", "<pad>")
                .put("eos_token", "<eos>")
                .put("unk_token", "<unk>");
    }
}
