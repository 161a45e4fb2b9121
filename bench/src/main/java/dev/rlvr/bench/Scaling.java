package dev.rlvr.bench;

import dev.rlvr.bench.scaling.Design;
import dev.rlvr.bench.scaling.Hardware;
import dev.rlvr.bench.scaling.Hardware.HostWork;
import dev.rlvr.bench.scaling.Idling;
import dev.rlvr.bench.scaling.Job;
import dev.rlvr.bench.scaling.Lengths;
import dev.rlvr.bench.scaling.Models;
import dev.rlvr.bench.scaling.ScalingTable;
import dev.rlvr.crds.TrainerSpec.Sharding;
import dev.rlvr.trainer.model.ModelConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The command {@code bench/run scaling}. */
@Command(
        name = "bench/run scaling",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Checks the model of step times (docs/scaling.md) against steps of one and two ranks on this machine,",
            "and prints what it says of 8 to 1,024 GPUs, and of ranks that wait for each other."
        })
final class Scaling implements Callable<Integer> {
    private static final List<Integer> SIZES = List.of(8, 16, 32, 64, 128, 256, 512, 1024);

    /** Four GPUs hold one copy for sampling. */
    private static final Design PROPOSED = Design.PROPOSED.samplingTogether(4);

    @Option(
            names = "--rounds",
            paramLabel = "N",
            description = "Runs of each number of ranks. Default: ${DEFAULT-VALUE}.")
    private int rounds = 3;

    @Option(names = "--brief", description = "Only 8, 64 and 1,024 GPUs.")
    private boolean brief;

    private final Path checkout;

    private Scaling(Path checkout) {
        this.checkout = checkout;
    }

    public static void main(String[] args) {
        Sides.main(Scaling::new, args);
    }

    @Override
    public Integer call() throws IOException {
        ScalingCheck check = new ScalingCheck(new Sides(checkout, 1));
        Calibration.Constants constants = check.calibrate();
        System.out.printf(
                "One thread of this machine: %.1f GFLOP/s in F32, %.1f GB/s copied, %.2f GB/s between processes, %.0f us a message;%n"
                        + "host work %.2f us a token on every rank, %.2f us on rank 0.%n%n",
                constants.flops() / 1e9,
                constants.memoryBandwidth() / 1e9,
                constants.link() / 1e9,
                constants.latency() * 1e6,
                constants.everyRank() * 1e6,
                constants.firstRank() * 1e6);
        System.out.println(check.table(constants, rounds));
        Hardware hardware = Hardware.h100(new HostWork(constants.everyRank(), constants.firstRank()));
        print("8B", Models.qwen8b(), hardware);
        print("32B", Models.qwen32b(), hardware);
        idling(hardware);
        return 0;
    }

    /** Long answers where few fit into memory and where many do, and short ones where a processor computes for each of them. */
    private static void idling(Hardware hardware) {
        Job large = Models.job(Models.qwen8b(), Sharding.Parameters);
        System.out.printf("Share of the sampling that ranks wait for the slowest of them%n%n");
        System.out.println(Idling.table(
                List.of(
                        new Idling("512 x 16, 9 rows", large, hardware, 9),
                        new Idling("512 x 16, 128 rows", large, hardware, 128),
                        new Idling("128 x 16, 128 rows", large.withPrompts(128, 32), hardware, 128),
                        new Idling(
                                "64 x 8, 32 rows", large.with(64, 8, new Lengths(300, 0.8, 1024, 0.5)), hardware, 32)),
                List.of(2, 4, 8, 64)));
    }

    /** As it is in every sharding, and as proposed in the one that fits. */
    private void print(String name, ModelConfig model, Hardware hardware) {
        for (Sharding sharding : Sharding.values()) {
            print(name + ", " + sharding + ", as it is", Models.job(model, sharding), hardware, Design.TODAY);
        }
        print(name + ", Parameters, as proposed", Models.job(model, Sharding.Parameters), hardware, PROPOSED);
    }

    private void print(String title, Job job, Hardware hardware, Design design) {
        System.out.printf("%s%n%n", title);
        System.out.println(ScalingTable.of(job, hardware, design, brief ? List.of(8, 64, 1024) : SIZES));
    }
}
