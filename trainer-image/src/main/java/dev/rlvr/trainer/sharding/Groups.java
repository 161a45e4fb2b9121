package dev.rlvr.trainer.sharding;

import dev.rlvr.crds.TrainerSpec;
import dev.rlvr.crds.TrainerSpec.Sharding;
import dev.rlvr.trainer.collectives.Collectives;

/**
 * Who shares what with whom.
 *
 * @param all ranks
 * @param sharing ranks that have a share each of the same tensors: all of them or, with Hybrid, those of a pod
 * @param copies ranks that have the same share: with Hybrid one in each pod, else this one alone
 */
public record Groups(Collectives all, Collectives sharing, Collectives copies) implements AutoCloseable {
    /** Opens the groups that a job's sharding calls for. */
    public static Groups of(Collectives all, TrainerSpec spec) {
        if (spec.sharding() != Sharding.Hybrid) {
            return new Groups(all, all, Collectives.alone());
        }
        int perPod = all.size() / spec.replicas();
        int pod = all.rank() / perPod;
        int local = all.rank() % perPod;
        return new Groups(
                all, all.among("pod-" + pod, local, perPod), all.among("local-" + local, pod, spec.replicas()));
    }

    /** The first of this rank's shares, where all ranks together have as many as there are ranks. */
    int firstShare() {
        return sharing.rank() * copies.size();
    }

    /** One behind the last of this rank's shares. */
    int endShare() {
        return firstShare() + copies.size();
    }

    /** The one among them that this rank writes to checkpoints. */
    int written() {
        return firstShare() + copies.rank();
    }

    @Override
    public void close() {
        if (copies.size() > 1) { // else they are all, which its owner closes, and this rank alone
            sharing.close();
            copies.close();
        }
    }
}
