package dev.rlvr.trainer.model;

/**
 * Sampling with a KV cache as TorchScript: B rows, one new position each. Rows that began together are a cohort: they write the same column of
 * their caches [rows, K, C, E], so that a step reads no more columns than the oldest of them has. A bias [rows, C] hides what lies before a row's
 * prompt and after the newest column. Columns are read sixteen at a time, so that few shapes of matrix products come up.
 */
final class DecodeScript {
    /** Columns that are read together; windows and capacities are multiples of it. */
    static final int BLOCK = 16;

    private DecodeScript() {}

    /** One layer over whole prompts; also returns its keys and values [B, K, T, E] for a cache. */
    private static final String PREFILL = """
              def prefill_layer(self: __torch__.M, x: Tensor, w: List[Tensor], cos: Tensor, sin: Tensor, B: int, T: int) -> Tuple[Tensor, Tensor, Tensor]:
                s = (self).attention(x, w, cos, sin, annotate(List[Tensor], []), B, T)
                q, k, v = (self).heads(s[5], s[2])
                return ((self).mlp(s[0], w)[0], torch.clone(k, memory_format=0), torch.clone(v, memory_format=0))
              def last_logits(self: __torch__.M, x: Tensor, norm: Tensor, head: Tensor, last: Tensor) -> Tensor:
                return (self).logits((self).take(x, last), norm, head)
            """;

    /**
     * Products with weights in oneDNN's own order, made once for many steps: with few rows, ordering them anew at each product takes a fifth of
     * the time. In BF16 oneDNN refuses processors without AVX-512 or AVX-NE-CONVERT.
     */
    private static final String PACKED = """
              def packs(self: __torch__.M) -> bool:
                return $PACKS
              def pack(self: __torch__.M, w: Tensor, rows: int) -> Tensor:
                if (self).packs():
                  y = ops.mkldnn._reorder_linear_weight(w, rows)
                else:
                  y = torch.alias(w)
                return y
              def packed(self: __torch__.M, x: Tensor, w: Tensor, bias: Optional[Tensor]) -> Tensor:
                if (self).packs():
                  y = ops.mkldnn._linear_pointwise(x, w, bias, "none", annotate(List[Optional[number]], []), "")
                else:
                  y = torch.linear(x, w, bias)
                return y
            """;

    /** The same where there is no oneDNN. */
    private static final String PLAIN = """
              def pack(self: __torch__.M, w: Tensor, rows: int) -> Tensor:
                return torch.alias(w)
              def packed(self: __torch__.M, x: Tensor, w: Tensor, bias: Optional[Tensor]) -> Tensor:
                return torch.linear(x, w, bias)
            """;

    /**
     * One layer l for one new position [B, D]. Every cohort writes its own column {@code at} and attends to columns {@code low} to
     * {@code high - 1} of its caches, under a bias [rows * K, 1, high - low]. Products of keys with few queries are faster than the reverse.
     */
    private static final String LAYER = """
              def attend_to_cache(self: __torch__.M, qk: Tensor, v: Tensor, kc: Tensor, vc: Tensor, bias: Tensor, at: int, low: int, high: int) -> Tensor:
                BK = torch.size(bias, 0)
                torch.copy_(torch.select(kc, 2, at), torch.slice(qk, 1, $H, $H + $K, 1))
                torch.copy_(torch.select(vc, 2, at), v)
                q = torch.reshape(torch.slice(qk, 1, 0, $H, 1), [BK, $G, $E])
                ks = torch.slice(torch.view(kc, [BK, -1, $E]), 1, low, high, 1)
                vs = torch.slice(torch.view(vc, [BK, -1, $E]), 1, low, high, 1)
                s = torch.new_empty(bias, [BK, $G, high - low])
                torch.add(bias, torch.transpose(torch.bmm(ks, torch.transpose(q, 1, 2)), 1, 2), alpha=$SCALE, out=s)
                return torch.view(torch.bmm(torch.softmax(s, -1, None, out=s), vs), [-1, $H*$E])
              def decode_layer(self: __torch__.M, x: Tensor, w: List[Tensor], l: int, cos: Tensor, sin: Tensor, kcs: List[Tensor], vcs: List[Tensor], biases: List[Tensor], ats: List[int], lows: List[int], highs: List[int]) -> Tensor:
                B = torch.size(x, 0)
                h = (self).scaled(x, (self).row_scale(x, $D), w[0])
                z = torch.view((self).packed(h, w[1], $BIAS), [B, 1, $H + 2*$K, $E])
                qk = torch.squeeze((self).rotated(z, w, cos, sin)[0], 1)
                v = torch.slice(torch.squeeze(z, 1), 1, $H + $K, $H + 2*$K, 1)
                os = annotate(List[Tensor], [])
                r = 0
                for c in range(torch.len(biases)):
                  n = r + torch.floordiv(torch.size(biases[c], 0), $K)
                  i = c * $LAYERS + l
                  os = torch.append(os, (self).attend_to_cache(torch.slice(qk, 0, r, n, 1), torch.slice(v, 0, r, n, 1), kcs[i], vcs[i], biases[c], ats[c], lows[c], highs[c]))
                  r = n
                if torch.gt(torch.len(os), 1):
                  o = torch.cat(os, 0)
                else:
                  o = os[0]
                x = torch.add((self).packed(o, w[2], None), x)
                h = (self).packed((self).scaled(x, (self).row_scale(x, $D), w[3]), w[4], None)
                a = torch.mul_(torch.silu(torch.slice(h, 1, 0, $F, 1)), torch.slice(h, 1, $F, 2*$F, 1))
                return torch.add((self).packed(a, w[5], None), x)
            """;

    /** Caches and bias of a cohort; {@code start} gives rows a prompt that ends before a column. */
    private static final String CACHE = """
              def new_caches(self: __torch__.M, like: Tensor, n: int, rows: int, columns: int) -> List[Tensor]:
                ys = annotate(List[Tensor], [])
                for i in range(n):
                  ys = torch.append(ys, torch.new_zeros(like, [rows, $K, columns, $E]))
                return ys
              def new_bias(self: __torch__.M, like: Tensor, rows: int, columns: int) -> Tensor:
                return torch.new_full(like, [rows, columns], -inf)
              def widened(self: __torch__.M, x: Tensor, columns: int) -> Tensor:
                return torch.constant_pad_nd(x, [0, 0, 0, columns - torch.size(x, 2)], 0)
              def widened_bias(self: __torch__.M, x: Tensor, columns: int) -> Tensor:
                return torch.constant_pad_nd(x, [0, columns - torch.size(x, 1)], -inf)
              def select_rows(self: __torch__.M, x: Tensor, rows: Tensor) -> Tensor:
                return torch.index_select(x, 0, rows)
              def start(self: __torch__.M, kcs: List[Tensor], vcs: List[Tensor], bias: Tensor, ks: List[Tensor], vs: List[Tensor], rows: List[int], sources: List[int], lengths: List[int], at: int) -> Tensor:
                for i in range(torch.len(rows)):
                  a = at - lengths[i]
                  torch.fill_(torch.slice(torch.select(bias, 0, rows[i]), 0, a, at, 1), 0.)
                  for l in range($LAYERS):
                    k = torch.slice(torch.select(ks[l], 0, sources[i]), 1, 0, lengths[i], 1)
                    v = torch.slice(torch.select(vs[l], 0, sources[i]), 1, 0, lengths[i], 1)
                    torch.copy_(torch.slice(torch.select(kcs[l], 0, rows[i]), 1, a, at, 1), k)
                    torch.copy_(torch.slice(torch.select(vcs[l], 0, rows[i]), 1, a, at, 1), v)
                return bias
            """;

    /**
     * Samples n tokens for each row after {@code ids} [B]. {@code positions} [B] is the position of ids, {@code columns} their column in the
     * caches of each cohort, {@code starts} the first column that a row of it uses. Returns tokens, log-probabilities and entropies [B, n].
     */
    private static final String DECODE = """
              def first(self: __torch__.M, logits: Tensor, rows: Tensor, u: Tensor, temperature: float, p: float, k: int) -> Tuple[Tensor, Tensor, Tensor]:
                return (self).pick(torch.index_select(logits, 0, rows), u, temperature, p, k)
              def angles(self: __torch__.M, table: Tensor, positions: Tensor, n: int) -> Tensor:
                p = torch.add(torch.unsqueeze(torch.arange(n, dtype=4, layout=None, device=ops.prim.device(positions)), 1), positions)
                return torch.view(torch.to(torch.index_select(table, 0, torch.view(p, [-1])), $P), [n, torch.size(positions, 0), 1, 1, -1])
              def opened(self: __torch__.M, bias: Tensor, at: int, low: int, high: int) -> Tensor:
                torch.fill_(torch.select(bias, 1, at), 0.)
                n = torch.size(bias, 0)
                y = torch.unsqueeze(torch.to(torch.slice(bias, 1, low, high, 1), $P), 1)
                return torch.reshape(torch.expand(y, [n, $K, high - low], implicit=False), [n * $K, 1, high - low])
              def decode(self: __torch__.M, ids: Tensor, table: Tensor, w: List[Tensor], kcs: List[Tensor], vcs: List[Tensor], biases: List[Tensor], cos: Tensor, sin: Tensor, positions: Tensor, columns: List[int], starts: List[int], u: Tensor, temperature: float, p: float, k: int) -> Tuple[Tensor, Tensor, Tensor]:
                n = torch.size(u, 1)
                cs = (self).angles(cos, positions, n)
                ss = (self).angles(sin, positions, n)
                ts = annotate(List[Tensor], [])
                ps = annotate(List[Tensor], [])
                es = annotate(List[Tensor], [])
                for i in range(n):
                  hidden = annotate(List[Tensor], [])
                  ats = annotate(List[int], [])
                  lows = annotate(List[int], [])
                  highs = annotate(List[int], [])
                  for c in range(torch.len(biases)):
                    at = columns[c] + i
                    low = torch.floordiv(starts[c], $BLOCK) * $BLOCK
                    high = (torch.floordiv(at, $BLOCK) + 1) * $BLOCK
                    hidden = torch.append(hidden, (self).opened(biases[c], at, low, high))
                    ats = torch.append(ats, at)
                    lows = torch.append(lows, low)
                    highs = torch.append(highs, high)
                  x = torch.embedding(table, ids)
                  for l in range($LAYERS):
                    o = $LAYER0 + l * $WIDTH
                    x = (self).decode_layer(x, torch.slice(w, o, o + $WIDTH, 1), l, torch.select(cs, 0, i), torch.select(ss, 0, i), kcs, vcs, hidden, ats, lows, highs)
                  z = torch.to((self).packed((self).scaled(x, (self).row_scale(x, $D), w[1]), $OUT, None), 6)
                  ids, lp, e = (self).pick(z, torch.select(u, 1, i), temperature, p, k)
                  ts = torch.append(ts, ids)
                  ps = torch.append(ps, lp)
                  es = torch.append(es, e)
                return (torch.stack(ts, 1), torch.stack(ps, 1), torch.stack(es, 1))
            """;

    static String of(ModelConfig config, Precision precision, Target target) {
        String packs = precision == Precision.BF16 ? "ops.mkldnn._is_mkldnn_bf16_supported()" : "True";
        String bias = config.attentionBias() ? "w[" + WeightLayout.attentionBias(config) + "]" : "None";
        return PREFILL
                + (target == Target.CPU ? PACKED.replace("$PACKS", packs) : PLAIN)
                + LAYER.replace("$BIAS", bias)
                + CACHE
                + PickScript.of(config.vocabulary())
                + DECODE.replace("$BLOCK", Integer.toString(BLOCK));
    }
}
