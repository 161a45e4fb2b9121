package dev.rlvr.trainer.model;

/**
 * Embedding and output head as TorchScript, with gradients written out as in {@link LayerScript}. The head works on rows x [N, D] of the
 * residual stream; logits, log-probabilities and entropies are F32. Callers bound N, so that N x V logits are few.
 */
final class HeadScript {
    private HeadScript() {}

    /**
     * Adds rows of the gradient to those of the table. Where this is not the CPU, in an order that does not depend on chance: CUDA sorts what
     * index_put_ accumulates, and index_add_ does not.
     */
    private static String embedBackward(Target target) {
        String add = target == Target.CPU
                ? "torch.index_add_(dtable, 0, ids, dx)"
                : "torch.index_put_(dtable, annotate(List[Optional[Tensor]], [ids]), dx, True)";
        return """
                  def embed_backward(self: __torch__.M, dtable: Tensor, ids: Tensor, dx: Tensor) -> Tensor:
                    return %s
                """.formatted(add);
    }

    static String of(Target target) {
        return embedBackward(target) + SOURCE;
    }

    private static final String SOURCE = """
              def embed(self: __torch__.M, table: Tensor, ids: Tensor) -> Tensor:
                return torch.embedding(table, ids)
              def table_at(self: __torch__.M, table: Tensor, positions: Tensor, B: int, T: int) -> Tensor:
                return torch.view(torch.index_select(table, 0, positions), [B, T, -1])
              def take(self: __torch__.M, x: Tensor, rows: Tensor) -> Tensor:
                return torch.index_select(x, 0, rows)
              def rows(self: __torch__.M, x: Tensor, a: int, b: int) -> Tensor:
                return torch.slice(x, 0, a, b, 1)
              def join(self: __torch__.M, xs: List[Tensor]) -> Tensor:
                return torch.cat(xs, 0)
              def spread(self: __torch__.M, x: Tensor, rows: Tensor, count: int) -> Tensor:
                return torch.index_add_(torch.new_zeros(x, [count, torch.size(x, 1)]), 0, rows, x)
              def logits(self: __torch__.M, x: Tensor, norm: Tensor, head: Tensor) -> Tensor:
                return torch.to((self).product((self).scaled(x, (self).row_scale(x, $D), norm), head, None), 6)
              def chosen(self: __torch__.M, z: Tensor, ids: Tensor) -> Tensor:
                return torch.squeeze(torch.gather(z, 1, torch.unsqueeze(ids, 1), sparse_grad=False), 1)
              def entropy(self: __torch__.M, z: Tensor) -> Tensor:
                return torch.neg(torch.sum(torch.mul_(torch.exp(z), z), [1], False, dtype=None))
              def log_probabilities(self: __torch__.M, logits: Tensor, temperature: float) -> Tensor:
                z = torch.div_(logits, temperature)
                return torch.log_softmax(z, 1, None, out=z)
              def score(self: __torch__.M, x: Tensor, norm: Tensor, head: Tensor, ids: Tensor, temperature: float) -> Tuple[Tensor, Tensor]:
                z = (self).log_probabilities((self).logits(x, norm, head), temperature)
                return ((self).chosen(z, ids), (self).entropy(z))
              def head(self: __torch__.M, x: Tensor, norm: Tensor, head: Tensor, ids: Tensor, temperature: float) -> Tuple[Tensor, Tensor]:
                z = (self).log_probabilities((self).logits(x, norm, head), temperature)
                return ((self).chosen(z, ids), z)
              def head_backward(self: __torch__.M, dlp: Tensor, z: Tensor, x: Tensor, norm: Tensor, head: Tensor, ids: Tensor, temperature: float, dnorm: Tensor, dhead: Tensor) -> Tensor:
                d = torch.unsqueeze(torch.div(dlp, temperature), 1)
                torch.mul_(torch.exp_(z), torch.neg(d))
                torch.scatter_add_(z, 1, torch.unsqueeze(ids, 1), d)
                dz = torch.to(z, $P)
                r = (self).row_scale(x, $D)
                (self).add_product(dhead, dz, (self).scaled(x, r, norm))
                return (self).norm_backward(torch.zeros_like(x), (self).product(dz, torch.t(head), None), x, r, norm, dnorm)
            """;
}
