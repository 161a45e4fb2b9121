package dev.rlvr.trainer.model;

/**
 * The decoder as TorchScript source, generated for one model's shape. Weights come in as arguments, in the order of {@link WeightLayout},
 * so that one module serves training, sampling and any set of weights. B is the batch, T positions, D the hidden width, H and K query and
 * key heads, E the head width, V the vocabulary; {@code 6}, {@code 7} are F32 and F64.
 */
final class DecoderScript {
    private DecoderScript() {}

    static String of(ModelConfig config) {
        return (ROTARY + heads(config) + ATTENTION + DECODE_ATTENTION + BODY + HEAD + SAMPLING + DECODE)
                .replace("$D", Integer.toString(config.hidden()))
                .replace("$H", Integer.toString(config.heads()))
                .replace("$K", Integer.toString(config.kvHeads()))
                .replace("$G", Integer.toString(config.heads() / config.kvHeads()))
                .replace("$E", Integer.toString(config.headDim()))
                .replace("$V", Integer.toString(config.vocabulary()))
                .replace("$LAYERS", Integer.toString(config.layers()))
                .replace("$FIRST", Integer.toString(WeightLayout.LAYERS))
                .replace("$WIDTH", Integer.toString(WeightLayout.layerWidth(config)))
                .replace("$OUT", config.tiedHead() ? "w[0]" : "w[-1]")
                .replace("$SCALE", Double.toString(1 / Math.sqrt(config.headDim())))
                .replace("$RMS", Double.toString(config.rmsEpsilon()));
    }

    /** Rotary position embedding by halves, as Hugging Face lays the weights out. cos, sin broadcast against [B, H, T, E / 2]. */
    private static final String ROTARY = """
              def rotate(self: __torch__.M, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
                a, b = torch.chunk(x, 2, -1)
                return torch.cat([a*cos - b*sin, b*cos + a*sin], -1)
            """;

    /** Queries [B, H, T, E], keys and values [B, K, T, E] of a layer's input [B, T, D]. */
    private static String heads(ModelConfig config) {
        int bias = config.family().headNorms() ? 11 : 9;
        String q = projection(1, "$H", config.attentionBias() ? "w[" + bias + "]" : "None");
        String k = projection(2, "$K", config.attentionBias() ? "w[" + (bias + 1) + "]" : "None");
        String v = projection(3, "$K", config.attentionBias() ? "w[" + (bias + 2) + "]" : "None");
        if (config.family().headNorms()) {
            q = "torch.rms_norm(" + q + ", [$E], w[9], $RMS)";
            k = "torch.rms_norm(" + k + ", [$E], w[10], $RMS)";
        }
        return """
                  def heads(self: __torch__.M, x: Tensor, w: List[Tensor], cos: Tensor, sin: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
                    B = torch.size(x, 0)
                    T = torch.size(x, 1)
                    h = torch.rms_norm(x, [$D], w[0], $RMS)
                    q = torch.transpose(%s, 1, 2)
                    k = torch.transpose(%s, 1, 2)
                    v = torch.transpose(%s, 1, 2)
                    return ((self).rotate(q, cos, sin), (self).rotate(k, cos, sin), v)
                """.formatted(q, k, v);
    }

    private static String projection(int weight, String heads, String bias) {
        return "torch.view(torch.linear(h, w[" + weight + "], " + bias + "), [B, T, " + heads + ", $E])";
    }

    /** One layer over whole sequences [B, T, D], causal; also returns its keys and values for a cache. */
    private static final String ATTENTION = """
              def expand(self: __torch__.M, x: Tensor) -> Tensor:
                if torch.gt($G, 1):
                  y = torch.repeat_interleave(x, $G, 1)
                else:
                  y = x
                return y
              def finish(self: __torch__.M, x: Tensor, o: Tensor, w: List[Tensor]) -> Tensor:
                x = x + torch.linear(o, w[4], None)
                h = torch.rms_norm(x, [$D], w[5], $RMS)
                return x + torch.linear(torch.silu(torch.linear(h, w[6], None)) * torch.linear(h, w[7], None), w[8], None)
              def layer_with_cache(self: __torch__.M, x: Tensor, w: List[Tensor], cos: Tensor, sin: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
                q, k, v = (self).heads(x, w, cos, sin)
                o = torch.scaled_dot_product_attention(q, (self).expand(k), (self).expand(v), None, 0., True, scale=None, enable_gqa=False)
                o = torch.reshape(torch.transpose(o, 1, 2), [torch.size(x, 0), torch.size(x, 1), $H*$E])
                return ((self).finish(x, o, w), k, v)
              def layer(self: __torch__.M, x: Tensor, w: List[Tensor], cos: Tensor, sin: Tensor) -> Tensor:
                y, k, v = (self).layer_with_cache(x, w, cos, sin)
                return y
            """;

    /** One layer for one new position [B, 1, D]: writes its key and value at column {@code at} of the caches [B, K, C, E]. */
    private static final String DECODE_ATTENTION = """
              def decode_layer(self: __torch__.M, x: Tensor, w: List[Tensor], cos: Tensor, sin: Tensor, kc: Tensor, vc: Tensor, bias: Tensor, at: int) -> Tensor:
                B = torch.size(x, 0)
                q, k, v = (self).heads(x, w, cos, sin)
                torch.copy_(torch.slice(kc, 2, at, at + 1, 1), k)
                torch.copy_(torch.slice(vc, 2, at, at + 1, 1), v)
                q = torch.view(torch.mul(q, $SCALE), [B, $K, $G, $E])
                s = torch.matmul(q, torch.transpose(torch.slice(kc, 2, 0, at + 1, 1), 2, 3))
                s = torch.add(s, torch.slice(bias, 3, 0, at + 1, 1))
                o = torch.matmul(torch.softmax(s, -1, None), torch.slice(vc, 2, 0, at + 1, 1))
                return (self).finish(x, torch.view(o, [B, 1, $H*$E]), w)
            """;

    private static final String BODY = """
              def embed(self: __torch__.M, table: Tensor, ids: Tensor) -> Tensor:
                return torch.embedding(table, ids)
              def take(self: __torch__.M, x: Tensor, rows: Tensor) -> Tensor:
                return torch.index_select(torch.reshape(x, [-1, $D]), 0, rows)
              def take_ids(self: __torch__.M, ids: Tensor, at: Tensor) -> Tensor:
                return torch.index_select(ids, 0, at)
              def rows(self: __torch__.M, x: Tensor, a: int, b: int) -> Tensor:
                return torch.slice(x, 0, a, b, 1)
              def new_cache(self: __torch__.M, x: Tensor, repeats: int, columns: int) -> Tensor:
                y = torch.repeat_interleave(x, repeats, 0)
                return torch.constant_pad_nd(y, [0, 0, 0, columns - torch.size(y, 2)], 0)
              def widen(self: __torch__.M, x: Tensor, columns: int) -> Tensor:
                return torch.constant_pad_nd(x, [0, 0, 0, columns - torch.size(x, 2)], 0)
              def widen_bias(self: __torch__.M, x: Tensor, columns: int) -> Tensor:
                return torch.constant_pad_nd(x, [0, columns - torch.size(x, 3)], 0)
              def select_rows(self: __torch__.M, xs: List[Tensor], rows: Tensor) -> List[Tensor]:
                ys = annotate(List[Tensor], [])
                for x in xs:
                  ys = torch.append(ys, torch.index_select(x, 0, rows))
                return ys
            """;

    /** The head over rows [N, D]: logits, and log-probabilities and entropies without keeping N x V of them. */
    private static final String HEAD = """
              def logits(self: __torch__.M, x: Tensor, norm: Tensor, head: Tensor) -> Tensor:
                return torch.linear(torch.rms_norm(x, [$D], norm, $RMS), head, None)
              def chosen(self: __torch__.M, z: Tensor, ids: Tensor) -> Tensor:
                return torch.squeeze(torch.gather(z, 1, torch.unsqueeze(ids, 1), sparse_grad=False), 1)
              def entropy(self: __torch__.M, z: Tensor) -> Tensor:
                return torch.neg(torch.sum(torch.mul(torch.exp(z), z), [1], False, dtype=None))
              def log_probabilities(self: __torch__.M, x: Tensor, norm: Tensor, head: Tensor, ids: Tensor, temperature: float) -> Tensor:
                z = torch.div((self).logits(x, norm, head), temperature)
                return torch.sub((self).chosen(z, ids), torch.logsumexp(z, [1], False))
              def score(self: __torch__.M, x: Tensor, norm: Tensor, head: Tensor, ids: Tensor, temperature: float, chunk: int) -> Tuple[Tensor, Tensor]:
                ps = annotate(List[Tensor], [])
                hs = annotate(List[Tensor], [])
                for i in range(torch.floordiv(torch.size(x, 0) + chunk - 1, chunk)):
                  a = i * chunk
                  b = a + chunk
                  z = torch.log_softmax(torch.div((self).logits(torch.slice(x, 0, a, b, 1), norm, head), temperature), 1, None)
                  ps = torch.append(ps, (self).chosen(z, torch.slice(ids, 0, a, b, 1)))
                  hs = torch.append(hs, (self).entropy(z))
                return (torch.cat(ps, 0), torch.cat(hs, 0))
            """;

    /**
     * Next tokens of logits [B, V] by the inverse of the cumulative distribution at u [B] (F64, in [0, 1)); temperature 0 takes the likeliest.
     * Log-probabilities and entropies are those of the distribution drawn from (at temperature 0: of temperature 1).
     */
    private static final String SAMPLING = """
              def pick(self: __torch__.M, logits: Tensor, u: Tensor, temperature: float) -> Tuple[Tensor, Tensor, Tensor]:
                if torch.gt(temperature, 0.):
                  z = torch.log_softmax(torch.div(logits, temperature), 1, None)
                  c = torch.cumsum(torch.exp(z), 1, dtype=7)
                  t = torch.mul(torch.unsqueeze(u, 1), torch.slice(c, 1, $V - 1, $V, 1))
                  i = torch.searchsorted(c, t, out_int32=False, right=True, side=None, sorter=None)
                  ids = torch.clamp_max(torch.squeeze(i, 1), $V - 1)
                else:
                  z = torch.log_softmax(logits, 1, None)
                  ids = torch.argmax(logits, 1, False)
                return (ids, (self).chosen(z, ids), (self).entropy(z))
            """;

    /**
     * Samples n tokens for each row after {@code ids} [B]. {@code positions} [B] is the position of ids, {@code at} their column in the caches,
     * {@code bias} [B, 1, 1, C] hides the padding of the prompts. Returns tokens, log-probabilities and entropies [B, n].
     */
    private static final String DECODE = """
              def first(self: __torch__.M, x: Tensor, norm: Tensor, head: Tensor, last: Tensor, repeats: int, u: Tensor, temperature: float) -> Tuple[Tensor, Tensor, Tensor]:
                z = (self).logits((self).take(x, last), norm, head)
                return (self).pick(torch.repeat_interleave(z, repeats, 0), u, temperature)
              def decode(self: __torch__.M, ids: Tensor, w: List[Tensor], kcs: List[Tensor], vcs: List[Tensor], bias: Tensor, cos: Tensor, sin: Tensor, positions: Tensor, at: int, u: Tensor, temperature: float) -> Tuple[Tensor, Tensor, Tensor]:
                B = torch.size(ids, 0)
                ts = annotate(List[Tensor], [])
                ps = annotate(List[Tensor], [])
                hs = annotate(List[Tensor], [])
                for i in range(torch.size(u, 1)):
                  p = torch.add(positions, i)
                  c = torch.view(torch.index_select(cos, 0, p), [B, 1, 1, -1])
                  s = torch.view(torch.index_select(sin, 0, p), [B, 1, 1, -1])
                  x = torch.view(torch.embedding(w[0], ids), [B, 1, $D])
                  for l in range($LAYERS):
                    o = $FIRST + l * $WIDTH
                    x = (self).decode_layer(x, torch.slice(w, o, o + $WIDTH, 1), c, s, kcs[l], vcs[l], bias, at + i)
                  ids, lp, h = (self).pick((self).logits(torch.view(x, [B, $D]), w[1], $OUT), torch.select(u, 1, i), temperature)
                  ts = torch.append(ts, ids)
                  ps = torch.append(ps, lp)
                  hs = torch.append(hs, h)
                return (torch.stack(ts, 1), torch.stack(ps, 1), torch.stack(hs, 1))
            """;
}
