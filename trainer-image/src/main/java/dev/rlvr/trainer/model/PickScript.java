package dev.rlvr.trainer.model;

/**
 * Drawing tokens as TorchScript: logits [B, V] (overwritten) and one number u [B] in [0, 1) each (F64), by the inverse of the cumulative
 * distribution. Log-probabilities and entropies are those of the full vocabulary at the temperature (at temperature 0: at 1), whatever topP
 * and topK leave out; {@code docs/engine.md} says why.
 */
final class PickScript {
    private PickScript() {}

    /**
     * Sums are taken over blocks first: F64 sums over the vocabulary would cost more than the softmax. The position within the chosen block is
     * a share of the block's own F64 sum, so that rounding cannot lead to a token without probability.
     */
    private static final String ANY = """
              def pick_any(self: __torch__.M, e: Tensor, u: Tensor) -> Tensor:
                e3 = torch.view(e, [-1, $BLOCKS, $SIZE])
                b = torch.sum(e3, [2], False, dtype=None)
                c = torch.cumsum(b, 1, dtype=7)
                t = torch.mul(u, torch.slice(c, 1, $BLOCKS - 1, $BLOCKS, 1))
                i = torch.searchsorted(c, t, out_int32=False, right=True, side=None, sorter=None)
                mass = torch.to(torch.gather(b, 1, i, sparse_grad=False), 7)
                t = torch.sub(t, torch.sub(torch.gather(c, 1, i, sparse_grad=False), mass))
                share = torch.clamp(torch.div(t, mass), 0., $BELOW_ONE)
                at = torch.expand(torch.unsqueeze(i, 2), [-1, 1, $SIZE], implicit=False)
                c = torch.cumsum(torch.squeeze(torch.gather(e3, 1, at, sparse_grad=False), 1), 1, dtype=7)
                t = torch.mul(share, torch.slice(c, 1, $SIZE - 1, $SIZE, 1))
                j = torch.searchsorted(c, t, out_int32=False, right=True, side=None, sorter=None)
                return torch.squeeze(torch.add(torch.mul(i, $SIZE), j), 1)
            """;

    /** Of the k likeliest tokens (k = 0: of all) the smallest set whose share of their mass reaches p. */
    private static final String LIKELY = """
              def pick_likely(self: __torch__.M, e: Tensor, u: Tensor, p: float, k: int) -> Tensor:
                if torch.gt(k, 0):
                  m = ops.prim.min(k, $V)
                else:
                  m = ops.prim.min($CANDIDATES, $V)
                v, ids = torch.topk(e, m, 1, True, True)
                c = torch.cumsum(v, 1, dtype=7)
                if torch.gt(k, 0):
                  total = torch.slice(c, 1, m - 1, m, 1)
                else:
                  total = torch.sum(e, [1], True, dtype=7)
                  if bool(torch.any(torch.lt(torch.slice(c, 1, m - 1, m, 1), torch.mul(total, p)))):
                    v, ids = torch.sort(e, 1, True)
                    c = torch.cumsum(v, 1, dtype=7)
                inside = torch.lt(torch.sub(c, v), torch.mul(total, p))
                last = torch.sub(torch.sum(inside, [1], True, dtype=4), 1)
                t = torch.mul(u, torch.gather(c, 1, last, sparse_grad=False))
                j = torch.searchsorted(c, t, out_int32=False, right=True, side=None, sorter=None)
                return torch.squeeze(torch.gather(ids, 1, j, sparse_grad=False), 1)
            """;

    private static final String PICK = """
              def pick(self: __torch__.M, z: Tensor, u: Tensor, temperature: float, p: float, k: int) -> Tuple[Tensor, Tensor, Tensor]:
                if torch.gt(temperature, 0.) and torch.ne(temperature, 1.):
                  torch.div_(z, temperature)
                torch.sub_(z, torch.amax(z, [1], True))
                e = torch.exp(z)
                u1 = torch.clamp_max(torch.unsqueeze(u, 1), $BELOW_ONE)
                if torch.le(temperature, 0.):
                  ids = torch.argmax(z, 1, False)
                elif torch.gt(k, 0) or torch.lt(p, 1.):
                  ids = (self).pick_likely(e, u1, p, k)
                else:
                  ids = (self).pick_any(e, u1)
                mass = torch.sum(e, [1], False, dtype=None)
                log = torch.log(mass)
                mean = torch.div_(torch.sum(torch.mul_(e, z), [1], False, dtype=None), mass)
                return (ids, torch.sub((self).chosen(z, ids), log), torch.sub(log, mean))
            """;

    /** Candidates for topP that are tried before all tokens are sorted. */
    private static final int CANDIDATES = 1024;

    static String of(int vocabulary) {
        int size = blockSize(vocabulary);
        return (ANY + LIKELY + PICK)
                .replace("$BLOCKS", Integer.toString(vocabulary / size))
                .replace("$SIZE", Integer.toString(size))
                .replace("$CANDIDATES", Integer.toString(CANDIDATES))
                .replace("$BELOW_ONE", "0.999999999999");
    }

    /** The largest divisor of the vocabulary that is not above its square root; 1 makes every token a block of its own. */
    private static int blockSize(int vocabulary) {
        int size = (int) Math.sqrt(vocabulary);
        while (vocabulary % size != 0) {
            size--;
        }
        return size;
    }
}
