package dev.rlvr.cli.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.Manifest;
import dev.rlvr.crds.TrainerSpec;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class LocalApplierTest {
    private static TrainerSpec trainer(String fields) {
        return Manifest.parse("""
                        apiVersion: rlvr.dev/v1alpha1
                        kind: RLVRJob
                        metadata: {name: small}
                        spec:
                          model: {source: "file:///model"}
                          data: {source: "file:///data.jsonl"}
                          reward: {verifier: Numeric}
                          trainer: {%s}
                        """.formatted(fields), "test").getSpec().trainer();
    }

    @Test
    void replicasOnOneMachineTakeGpusOfTheirOwn() {
        TrainerSpec two = trainer("gpusPerReplica: 2, replicas: 2");

        assertThat(LocalApplier.devices(two, 0, Optional.empty())).contains("0,1");
        assertThat(LocalApplier.devices(two, 1, Optional.empty())).contains("2,3");
        assertThat(LocalApplier.devices(two, 1, Optional.of("GPU-a,GPU-b,GPU-c")))
                .contains("GPU-c");
        assertThat(LocalApplier.devices(two, 1, Optional.of("0")))
                .as("none are left")
                .contains("");
        assertThat(LocalApplier.devices(trainer("gpusPerReplica: 2"), 0, Optional.empty()))
                .as("all are its own")
                .isEmpty();
        assertThat(LocalApplier.devices(trainer("gpusPerReplica: 0, replicas: 2"), 1, Optional.empty()))
                .isEmpty();
    }
}
