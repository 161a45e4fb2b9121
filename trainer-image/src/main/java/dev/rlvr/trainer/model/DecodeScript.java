package dev.rlvr.trainer.model;

/** Sampling with a KV cache as TorchScript: B rows, one new position each, C columns of cache, V the vocabulary; {@code 7} is F64. */
final class DecodeScript {
    private DecodeScript() {}

    /** One layer over whole prompts; also returns its keys and values [B, K, T, E] for a cache. */
    private static final String PREFILL = """
              def prefill_layer(self: __torch__.M, x: Tensor, w: List[Tensor], cos: Tensor, sin: Tensor, B: int, T: int) -> Tuple[Tensor, Tensor, Tensor]:
                s = (self).attention(x, w, cos, sin, annotate(List[Tensor], []), B, T)
                q, k, v = (self).heads(s[5], s[2])
                return ((self).mlp(s[0], w)[0], k, v)
            """;

    /** One layer for one new position [B, D]: writes its key and value at column {@code at} of the caches [B, K, C, E]. */
    private static final String LAYER = """
              def decode_layer(self: __torch__.M, x: Tensor, w: List[Tensor], cos: Tensor, sin: Tensor, kc: Tensor, vc: Tensor, bias: Tensor, at: int) -> Tensor:
                B = torch.size(x, 0)
                z = (self).project(x, w, (self).row_scale(x, $D), B, 1)
                q, k, v = (self).heads((self).rotated(z, w, cos, sin)[0], z)
                torch.copy_(torch.slice(kc, 2, at, at + 1, 1), k)
                torch.copy_(torch.slice(vc, 2, at, at + 1, 1), v)
                q = torch.view(torch.mul(q, $SCALE), [B, $K, $G, $E])
                s = torch.matmul(q, torch.transpose(torch.slice(kc, 2, 0, at + 1, 1), 2, 3))
                s = torch.add(s, torch.slice(bias, 3, 0, at + 1, 1))
                o = torch.matmul(torch.to(torch.softmax(s, -1, None), $P), torch.slice(vc, 2, 0, at + 1, 1))
                return (self).mlp((self).plus_product(x, torch.view(o, [B, $H*$E]), w[2]), w)[0]
            """;

    private static final String CACHE = """
              def take_ids(self: __torch__.M, ids: Tensor, at: Tensor) -> Tensor:
                return torch.index_select(ids, 0, at)
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
              def decode(self: __torch__.M, ids: Tensor, table: Tensor, w: List[Tensor], kcs: List[Tensor], vcs: List[Tensor], bias: Tensor, cos: Tensor, sin: Tensor, positions: Tensor, at: int, u: Tensor, temperature: float) -> Tuple[Tensor, Tensor, Tensor]:
                B = torch.size(ids, 0)
                ts = annotate(List[Tensor], [])
                ps = annotate(List[Tensor], [])
                hs = annotate(List[Tensor], [])
                for i in range(torch.size(u, 1)):
                  p = torch.add(positions, i)
                  c = torch.to(torch.view(torch.index_select(cos, 0, p), [B, 1, 1, -1]), $P)
                  s = torch.to(torch.view(torch.index_select(sin, 0, p), [B, 1, 1, -1]), $P)
                  x = torch.embedding(table, ids)
                  for l in range($LAYERS):
                    o = $LAYER0 + l * $WIDTH
                    x = (self).decode_layer(x, torch.slice(w, o, o + $WIDTH, 1), c, s, kcs[l], vcs[l], bias, at + i)
                  ids, lp, h = (self).pick((self).logits(x, w[1], $OUT), torch.select(u, 1, i), temperature)
                  ts = torch.append(ts, ids)
                  ps = torch.append(ps, lp)
                  hs = torch.append(hs, h)
                return (torch.stack(ts, 1), torch.stack(ps, 1), torch.stack(hs, 1))
            """;

    static final String SOURCE = PREFILL + LAYER + CACHE + SAMPLING + DECODE;
}
