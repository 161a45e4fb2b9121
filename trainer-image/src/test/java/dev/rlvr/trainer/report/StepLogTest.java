package dev.rlvr.trainer.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class StepLogTest {
    private final Locale before = Locale.getDefault();

    @AfterEach
    void restore() {
        Locale.setDefault(before);
    }

    @Test
    void aStepIsOneLineInEveryLanguage() {
        Locale.setDefault(Locale.GERMANY);

        assertThat(new StepLog("default/quickstart", 2, 30).line(Steps.step(12)))
                .isEqualTo(
                        "default/quickstart attempt 2 step 12/30 reward 0.500 entropy 0.095 threshold 0.500 kept 20.0%"
                                + " length 56.5 loss 0.3700 grad_norm 0.700 1235 tokens/s 2.5 s");
    }

    @Test
    void aDisagreementSaysHowLargeItIsAndWhatToDo() {
        Locale.setDefault(Locale.GERMANY);

        assertThat(new StepLog("default/quickstart", 2, 30).disagreementLine(12, 0.0123))
                .startsWith("default/quickstart attempt 2 step 12/30 sampler and trainer disagree: KL 0.012 ")
                .contains("spec.trainer.precision: F32");
    }
}
