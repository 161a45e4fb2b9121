package dev.rlvr.trainer.model;

/**
 * One decoder layer over whole sequences as TorchScript, with its gradients written out: no autograd graph, so what is kept between forward
 * and backward is chosen here, and gradients are added to their tensors by the matrix products themselves. N = B x T rows of width D, H and K
 * query and key heads of width E, F the MLP's width; {@code 6} is F32, {@code $P} the type of matrix products. Residual stream, norms and
 * their gradients are F32.
 */
final class LayerScript {
    private LayerScript() {}

    static String of(ModelConfig config, Precision precision, Target target) {
        return NORM
                + products(precision, target)
                + ROTARY
                + projection(config)
                + switch (target) {
                    case CPU -> FLASH_ATTENTION;
                    case CUDA -> EFFICIENT_ATTENTION;
                    case ANY -> PLAIN_ATTENTION;
                }
                + ATTENTION
                + attentionBackward(config)
                + MLP;
    }

    /**
     * Root-mean-square norm of rows x with weight w. {@code r} [N, 1] is what a row was multiplied by. Backward adds to dy, in place, the
     * gradient that reaches x through the norm from dh.
     */
    private static final String NORM = """
              def row_scale(self: __torch__.M, x: Tensor, width: int) -> Tensor:
                n = torch.linalg_vector_norm(x, 2, [-1], True, dtype=None)
                return torch.rsqrt_(torch.add_(torch.div_(torch.mul_(n, n), width), $RMS))
              def scaled(self: __torch__.M, x: Tensor, r: Tensor, w: Tensor) -> Tensor:
                return torch.to(torch.mul_(torch.mul(x, r), w), $P)
              def norm_backward(self: __torch__.M, dy: Tensor, dh: Tensor, x: Tensor, r: Tensor, w: Tensor, dw: Tensor) -> Tensor:
                u = torch.mul(dh, r)
                t = torch.mul(u, x)
                torch.add_(dw, torch.sum(t, [0], False, dtype=None))
                c = torch.unsqueeze(torch.mv(t, w), 1)
                c = torch.div_(torch.mul_(torch.mul_(c, r), r), torch.neg($D))
                torch.addcmul_(dy, u, w)
                return torch.addcmul_(dy, x, c)
            """;

    /**
     * {@code product} is x transpose(w) + b; {@code plus_product} the same plus c, in F32; {@code add_product} adds transpose(a) b to the F32
     * sum. On CPUs in F32 it is oneDNN's: it uses AVX-512 on all processors that have it, where MKL takes AVX2 on those not made by Intel.
     */
    private static String products(Precision precision, Target target) {
        String product =
                precision == Precision.F32 && target == Target.CPU ? """
                      none = annotate(List[Optional[number]], [])
                      return ops.mkldnn._linear_pointwise(x, w, b, "none", none, "")
                  """ : "    return torch.linear(x, w, b)\n";
        String sum = precision == Precision.F32
                ? "    return torch.addmm_(total, torch.t(a), b)\n"
                : "    return torch.add_(total, torch.mm(torch.t(a), b))\n";
        String plus = precision == Precision.F32
                ? "    return torch.add_((self).product(x, w, None), c)\n"
                : "    return torch.add((self).product(x, w, None), c)\n";
        return "  def product(self: __torch__.M, x: Tensor, w: Tensor, b: Optional[Tensor]) -> Tensor:\n" + product
                + "  def plus_product(self: __torch__.M, c: Tensor, x: Tensor, w: Tensor) -> Tensor:\n" + plus
                + "  def add_product(self: __torch__.M, total: Tensor, a: Tensor, b: Tensor) -> Tensor:\n" + sum;
    }

    /** Rotary position embedding by halves, in place, of x [B, T, heads, E]; cos, sin [B or none, T, 1, E / 2]. A negative sign turns back. */
    private static final String ROTARY = """
              def rotate_(self: __torch__.M, x: Tensor, cos: Tensor, sin: Tensor, sign: int) -> Tensor:
                a = torch.slice(x, -1, 0, torch.floordiv($E, 2), 1)
                b = torch.slice(x, -1, torch.floordiv($E, 2), $E, 1)
                t = torch.mul(a, sin)
                torch.addcmul_(torch.mul_(a, cos), b, sin, value=torch.neg(sign))
                torch.add_(torch.mul_(b, cos), t, alpha=sign)
                return x
            """;

    /** Queries, keys and values [B, T, H + 2K, E] of normed rows h; with head norms, also rotated queries and keys [B, T, H + K, E]. */
    private static String projection(ModelConfig config) {
        String bias = config.attentionBias() ? "w[" + WeightLayout.attentionBias(config) + "]" : "None";
        String linear = """
                  def project(self: __torch__.M, x: Tensor, w: List[Tensor], r: Tensor, B: int, T: int) -> Tensor:
                    return torch.view((self).product((self).scaled(x, r, w[0]), w[1], %s), [B, T, $H + 2*$K, $E])
                """.formatted(bias);
        return linear + (config.family().headNorms() ? """
                          def head_weights(self: __torch__.M, w: List[Tensor]) -> Tensor:
                            return torch.cat([torch.expand(w[6], [$H, $E], implicit=False), torch.expand(w[7], [$K, $E], implicit=False)], 0)
                          def rotated(self: __torch__.M, z: Tensor, w: List[Tensor], cos: Tensor, sin: Tensor) -> List[Tensor]:
                            x = torch.to(torch.slice(z, 2, 0, $H + $K, 1), 6)
                            r = (self).row_scale(x, $E)
                            return [(self).rotate_((self).scaled(x, r, (self).head_weights(w)), cos, sin, 1), r]
                        """ : """
                          def rotated(self: __torch__.M, z: Tensor, w: List[Tensor], cos: Tensor, sin: Tensor) -> List[Tensor]:
                            return [(self).rotate_(torch.slice(z, 2, 0, $H + $K, 1), cos, sin, 1)]
                        """);
    }

    /**
     * Attention of q, k, v [B, H, T, E]: the output and the log-sums of its softmax [B, H, T]; causal, or with one bias [B, 1, T, T] that is
     * added to the scores.
     */
    private static final String FLASH_ATTENTION = """
              def attend(self: __torch__.M, q: Tensor, k: Tensor, v: Tensor, bias: List[Tensor]) -> Tuple[Tensor, Tensor]:
                if torch.eq(torch.len(bias), 0):
                  o, sums = ops.aten._scaled_dot_product_flash_attention_for_cpu(q, k, v, 0., True, attn_mask=None, scale=None)
                else:
                  o, sums = ops.aten._scaled_dot_product_flash_attention_for_cpu(q, k, v, 0., False, attn_mask=bias[0], scale=None)
                return (o, sums)
              def attend_backward(self: __torch__.M, do: Tensor, q: Tensor, k: Tensor, v: Tensor, o: Tensor, sums: Tensor, bias: List[Tensor]) -> Tuple[Tensor, Tensor, Tensor]:
                if torch.eq(torch.len(bias), 0):
                  dq, dk, dv = ops.aten._scaled_dot_product_flash_attention_for_cpu_backward(do, q, k, v, o, sums, 0., True, attn_mask=None, scale=None)
                else:
                  dq, dk, dv = ops.aten._scaled_dot_product_flash_attention_for_cpu_backward(do, q, k, v, o, sums, 0., False, attn_mask=bias[0], scale=None)
                return (dq, dk, dv)
            """;

    /**
     * The same by CUDA's memory-efficient kernels, which take [B, T, H, E] and a bias whose rows begin at multiples of sixteen. Backward goes over
     * the keys in one piece (num_splits_key 1): with more, pieces are added up in any order. The log-sums are padded to [B, H, 32 n].
     */
    private static final String EFFICIENT_ATTENTION = """
              def aligned(self: __torch__.M, bias: Tensor) -> Tensor:
                T = torch.size(bias, 3)
                y = torch.constant_pad_nd(torch.to(bias, $P), [0, torch.floordiv(T + 15, 16) * 16 - T], 0)
                return torch.expand(torch.slice(y, 3, 0, T, 1), [torch.size(bias, 0), $H, T, T], implicit=False)
              def attend(self: __torch__.M, q: Tensor, k: Tensor, v: Tensor, bias: List[Tensor]) -> Tuple[Tensor, Tensor]:
                qt = torch.transpose(q, 1, 2)
                kt = torch.transpose(k, 1, 2)
                vt = torch.transpose(v, 1, 2)
                if torch.eq(torch.len(bias), 0):
                  o, sums, seed, offset, most_q, most_k = ops.aten._efficient_attention_forward(qt, kt, vt, None, None, None, None, None, 0., 1, True, scale=None, seqlen_k=None, window_size=None)
                else:
                  o, sums, seed, offset, most_q, most_k = ops.aten._efficient_attention_forward(qt, kt, vt, (self).aligned(bias[0]), None, None, None, None, 0., 0, True, scale=None, seqlen_k=None, window_size=None)
                return (torch.transpose(o, 1, 2), sums)
              def attend_backward(self: __torch__.M, do: Tensor, q: Tensor, k: Tensor, v: Tensor, o: Tensor, sums: Tensor, bias: List[Tensor]) -> Tuple[Tensor, Tensor, Tensor]:
                T = torch.size(q, 2)
                unused = torch.to(torch.new_zeros(sums, [1]), 4)
                dot = torch.transpose(do, 1, 2)
                qt = torch.transpose(q, 1, 2)
                kt = torch.transpose(k, 1, 2)
                vt = torch.transpose(v, 1, 2)
                ot = torch.transpose(o, 1, 2)
                if torch.eq(torch.len(bias), 0):
                  dq, dk, dv, db = ops.aten._efficient_attention_backward(dot, qt, kt, vt, None, ot, None, None, T, T, sums, 0., unused, unused, 1, False, scale=None, num_splits_key=1, window_size=None, shared_storage_dqdkdv=False)
                else:
                  dq, dk, dv, db = ops.aten._efficient_attention_backward(dot, qt, kt, vt, (self).aligned(bias[0]), ot, None, None, T, T, sums, 0., unused, unused, 0, False, scale=None, num_splits_key=1, window_size=None, shared_storage_dqdkdv=False)
                return (torch.transpose(dq, 1, 2), torch.transpose(dk, 1, 2), torch.transpose(dv, 1, 2))
            """;

    /** The same of plain products: T x T scores per head. */
    private static final String PLAIN_ATTENTION = """
              def scores(self: __torch__.M, q: Tensor, k: Tensor, bias: List[Tensor]) -> Tensor:
                s = torch.mul(torch.to(torch.matmul(q, torch.transpose(k, 2, 3)), 6), $SCALE)
                if torch.eq(torch.len(bias), 0):
                  later = torch.triu(torch.ones_like(torch.select(torch.select(s, 0, 0), 0, 0)), 1)
                  y = torch.masked_fill(s, torch.gt(later, 0), -3.0e+38)
                else:
                  y = torch.add(s, bias[0])
                return y
              def attend(self: __torch__.M, q: Tensor, k: Tensor, v: Tensor, bias: List[Tensor]) -> Tuple[Tensor, Tensor]:
                s = (self).scores(q, k, bias)
                sums = torch.logsumexp(s, [3], False)
                p = torch.exp(torch.sub(s, torch.unsqueeze(sums, 3)))
                return (torch.matmul(torch.to(p, $P), v), sums)
              def attend_backward(self: __torch__.M, do: Tensor, q: Tensor, k: Tensor, v: Tensor, o: Tensor, sums: Tensor, bias: List[Tensor]) -> Tuple[Tensor, Tensor, Tensor]:
                p = torch.exp(torch.sub((self).scores(q, k, bias), torch.unsqueeze(sums, 3)))
                dp = torch.to(torch.matmul(do, torch.transpose(v, 2, 3)), 6)
                d = torch.sum(torch.mul(do, o), [3], True, dtype=6)
                ds = torch.to(torch.mul(torch.mul(p, torch.sub(dp, d)), $SCALE), $P)
                dv = torch.matmul(torch.transpose(torch.to(p, $P), 2, 3), do)
                return (torch.matmul(ds, k), torch.matmul(torch.transpose(ds, 2, 3), q), dv)
            """;

    /**
     * Attention with its residual. Returns y [N, D], then what backward needs: r [N, 1], the projection z, the output o [N, HE], the
     * softmax's log-sums, then rotated queries and keys and, with head norms, their scale.
     */
    private static final String ATTENTION = """
              def widen_heads(self: __torch__.M, x: Tensor) -> Tensor:
                if torch.gt($G, 1):
                  y = torch.repeat_interleave(x, $G, 1)
                else:
                  y = x
                return y
              def heads(self: __torch__.M, qk: Tensor, z: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
                q = torch.transpose(torch.slice(qk, 2, 0, $H, 1), 1, 2)
                k = torch.transpose(torch.slice(qk, 2, $H, $H + $K, 1), 1, 2)
                v = torch.transpose(torch.slice(z, 2, $H + $K, $H + 2*$K, 1), 1, 2)
                return (q, k, v)
              def attention(self: __torch__.M, x: Tensor, w: List[Tensor], cos: Tensor, sin: Tensor, bias: List[Tensor], B: int, T: int) -> List[Tensor]:
                r = (self).row_scale(x, $D)
                z = (self).project(x, w, r, B, T)
                qks = (self).rotated(z, w, torch.to(torch.unsqueeze(cos, -2), $P), torch.to(torch.unsqueeze(sin, -2), $P))
                q, k, v = (self).heads(qks[0], z)
                o, sums = (self).attend(q, (self).widen_heads(k), (self).widen_heads(v), bias)
                o = torch.reshape(torch.transpose(o, 1, 2), [B * T, $H*$E])
                return torch.add([(self).plus_product(x, o, w[2]), r, z, o, sums], qks)
            """;

    /** Adds the gradients of the attention's weights to dw and those of its input to dy, in place. */
    private static String attentionBackward(ModelConfig config) {
        int bias = WeightLayout.attentionBias(config);
        String headNorms = config.family().headNorms() ? """
                      dqk = torch.to(torch.slice(dz, 2, 0, $H + $K, 1), 6)
                      zh = torch.to(torch.slice(z, 2, 0, $H + $K, 1), 6)
                      wh = (self).head_weights(w)
                      u = torch.mul(dqk, s[5])
                      t = torch.mul(u, zh)
                      dwh = torch.sum(t, [0, 1], False, dtype=None)
                      torch.add_(dw[6], torch.sum(torch.slice(dwh, 0, 0, $H, 1), [0], False, dtype=None))
                      torch.add_(dw[7], torch.sum(torch.slice(dwh, 0, $H, $H + $K, 1), [0], False, dtype=None))
                      c = torch.sum(torch.mul_(t, wh), [-1], True, dtype=None)
                      c = torch.div_(torch.mul_(torch.mul_(c, s[5]), s[5]), torch.neg($E))
                      torch.copy_(torch.slice(dz, 2, 0, $H + $K, 1), torch.addcmul_(torch.mul_(u, wh), zh, c))
                  """ : "";
        String addBias = config.attentionBias()
                ? "    torch.add_(dw[%d], torch.view(torch.sum(dz, [0, 1], False, dtype=6), [-1]))\n".formatted(bias)
                : "";
        return """
              def narrow_heads(self: __torch__.M, x: Tensor) -> Tensor:
                if torch.gt($G, 1):
                  y = torch.sum(torch.view(x, [torch.size(x, 0), $K, $G, torch.size(x, 2), $E]), [2], False, dtype=None)
                else:
                  y = x
                return y
              def attention_backward(self: __torch__.M, dy: Tensor, x: Tensor, s: List[Tensor], w: List[Tensor], dw: List[Tensor], cos: Tensor, sin: Tensor, bias: List[Tensor]) -> Tensor:
                r = s[0]
                z = s[1]
                B = torch.size(z, 0)
                T = torch.size(z, 1)
                q, k, v = (self).heads(s[4], z)
                o = torch.transpose(torch.view(s[2], [B, T, $H, $E]), 1, 2)
                dyp = torch.to(dy, $P)
                (self).add_product(dw[2], dyp, s[2])
                do = torch.transpose(torch.view((self).product(dyp, torch.t(w[2]), None), [B, T, $H, $E]), 1, 2)
                dq, dk, dv = (self).attend_backward(do, q, (self).widen_heads(k), (self).widen_heads(v), o, s[3], bias)
                dz = torch.empty_like(z)
                torch.copy_(torch.slice(dz, 2, 0, $H, 1), torch.transpose(dq, 1, 2))
                torch.copy_(torch.slice(dz, 2, $H, $H + $K, 1), torch.transpose((self).narrow_heads(dk), 1, 2))
                torch.copy_(torch.slice(dz, 2, $H + $K, $H + 2*$K, 1), torch.transpose((self).narrow_heads(dv), 1, 2))
                (self).rotate_(torch.slice(dz, 2, 0, $H + $K, 1), torch.to(torch.unsqueeze(cos, -2), $P), torch.to(torch.unsqueeze(sin, -2), $P), -1)
            %s%s    dz2 = torch.view(dz, [B * T, ($H + 2*$K) * $E])
                (self).add_product(dw[1], dz2, (self).scaled(x, r, w[0]))
                return (self).norm_backward(dy, (self).product(dz2, torch.t(w[1]), None), x, r, w[0], dw[0])
            """.formatted(headNorms, addBias);
    }

    /** The MLP with its residual, row by row: returns y, then what backward needs: r [N, 1] and the gate and up products [N, 2F]. */
    private static final String MLP = """
              def gates(self: __torch__.M, x: Tensor, w: List[Tensor]) -> List[Tensor]:
                r = (self).row_scale(x, $D)
                return [r, (self).product((self).scaled(x, r, w[3]), w[4], None)]
              def mlp(self: __torch__.M, x: Tensor, w: List[Tensor]) -> List[Tensor]:
                s = (self).gates(x, w)
                a = torch.mul_(torch.silu(torch.slice(s[1], 1, 0, $F, 1)), torch.slice(s[1], 1, $F, 2*$F, 1))
                return torch.add([(self).plus_product(x, a, w[5])], s)
              def mlp_backward(self: __torch__.M, dy: Tensor, x: Tensor, s: List[Tensor], w: List[Tensor], dw: List[Tensor]) -> Tensor:
                g = torch.slice(s[1], 1, 0, $F, 1)
                u = torch.slice(s[1], 1, $F, 2*$F, 1)
                a = torch.silu(g)
                dyp = torch.to(dy, $P)
                da = (self).product(dyp, torch.t(w[5]), None)
                dgu = torch.empty_like(s[1])
                torch.mul(da, a, out=torch.slice(dgu, 1, $F, 2*$F, 1))
                (self).add_product(dw[5], dyp, torch.mul_(a, u))
                ops.aten.silu_backward(torch.mul_(da, u), g, grad_input=torch.slice(dgu, 1, 0, $F, 1))
                (self).add_product(dw[4], dgu, (self).scaled(x, s[0], w[3]))
                return (self).norm_backward(dy, (self).product(dgu, torch.t(w[4]), None), x, s[0], w[3], dw[3])
            """;
}
