package dev.rlvr.trainer.model;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDManager;
import dev.rlvr.trainer.model.ModelConfig.Family;
import dev.rlvr.trainer.torch.Torch;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The way by the host's memory that tensors on a GPU take, taken by tensors on the CPU. */
class ModelTensorsTest {
    private static final ModelConfig CONFIG = TinyModel.config(Family.QWEN3);

    private NDManager owner;

    @BeforeEach
    void start() {
        owner = Torch.start(1);
    }

    @AfterEach
    void stop() {
        owner.close();
    }

    @Test
    void whatIsWrittenByWayOfTheHostIsTheSame() {
        ModelTensors tensors =
                Weights.random(owner, CONFIG, 0.5, new SplittableRandom(7)).tensors();
        ModelTensors share = tensors.share(0, 1);

        assertThat(tensors.contentThroughHost("x.")).isEqualTo(tensors.content("x."));
        assertThat(share.contentThroughHost("")).isEqualTo(share.content(""));
    }

    @Test
    void aLaterCopyHasWhatHasChangedSince() {
        ModelTensors tensors = ModelTensors.zeros(owner, CONFIG);
        var before = tensors.contentThroughHost("");
        assertThat(before.firstEntry().getValue().bytes().getFloat(0)).isZero();

        tensors.flats().forEach(flat -> flat.addi(3f));

        assertThat(tensors.contentThroughHost("")
                        .firstEntry()
                        .getValue()
                        .bytes()
                        .getFloat(0))
                .isEqualTo(3f);
    }

    @Test
    void aShareThatIsReadByWayOfTheHostIsTheSame() {
        ModelTensors whole =
                Weights.random(owner, CONFIG, 0.5, new SplittableRandom(7)).tensors();
        ModelTensors here = ModelTensors.zerosShare(owner, CONFIG, 3, 1, 2);
        ModelTensors byHost = ModelTensors.zerosShare(owner, CONFIG, 3, 1, 2);
        ModelTensors.Source source = (part, from, to, target) -> target.put(whole.content("")
                .get(part.name())
                .bytes()
                .slice((int) from * Float.BYTES, (int) (to - from) * Float.BYTES));

        here.fill(source);
        byHost.fillThroughHost(source);

        for (int block = 0; block < here.flats().size(); block++) {
            assertThat(byHost.flats().get(block).toFloatArray())
                    .isEqualTo(here.flats().get(block).toFloatArray());
        }
        assertThat(here.flats().getFirst().toFloatArray()[0]).isNotZero();
    }
}
