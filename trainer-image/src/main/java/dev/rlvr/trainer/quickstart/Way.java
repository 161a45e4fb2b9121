package dev.rlvr.trainer.quickstart;

import dev.rlvr.trainer.data.SplitMix64;
import dev.rlvr.trainer.quickstart.Sum.Operation;
import dev.rlvr.trainer.quickstart.Sum.Sign;

/**
 * A way to calculate one step. The choice of a way is a fork: the base model has learnt all of them, and only Split is
 * always right.
 */
enum Way {
    /** Tens first, then units: {@code 45+22}: {@code 45+20=65, 65+2=67}. Always right. */
    SPLIT(.30, .45) {
        @Override
        Step work(SplitMix64 random, int value, Operation operation) {
            Step step = splitting(value, operation);
            return new Step("Split: " + step.text(), step.value());
        }
    },
    /** To the next ten and back: {@code 34+58}: {@code 34+60=94, 94-2=92}. In 30 % it goes back the wrong way. */
    ROUND(.20, .25) {
        @Override
        Step work(SplitMix64 random, int value, Operation operation) {
            Sign sign = operation.sign();
            int up = operation.operand() / 10 * 10 + 10;
            Sign back = random.nextDouble() < ROUND_SLIP ? sign : sign.opposite();
            Equation there = Equation.of(value, sign, up);
            Equation correction = Equation.of(there.result(), back, up - operation.operand());
            return new Step("Round: " + there + ", " + correction + ". ", correction.result());
        }
    },
    /** At once. Forgets a carry or borrow in 75 %, is else off by one in 15 %; one in four is then checked by Split. */
    QUICK(.50, .30) {
        @Override
        Step work(SplitMix64 random, int value, Operation operation) {
            int guess = guess(random, value, operation);
            String text = "Quick: " + value + operation.sign().symbol() + operation.operand() + "=" + guess + ". ";
            if (random.nextDouble() >= WAIT) {
                return new Step(text, guess);
            }
            Step again = splitting(value, operation);
            return new Step(text + "Wait, " + again.text(), again.value());
        }
    };

    private static final double ROUND_SLIP = .30;
    private static final double CARRY_SLIP = .75;
    private static final double OTHER_SLIP = .15;
    private static final double WAIT = .25;

    private final double shareOfPlus;
    private final double shareOfMinus;

    Way(double shareOfPlus, double shareOfMinus) {
        this.shareOfPlus = shareOfPlus;
        this.shareOfMinus = shareOfMinus;
    }

    /** What is written down for one operation, and the value it arrives at. */
    record Step(String text, int value) {}

    private record Equation(int left, Sign sign, int right, int result) {
        static Equation of(int left, Sign sign, int right) {
            return new Equation(left, sign, right, sign.apply(left, right));
        }

        @Override
        public String toString() {
            return "" + left + sign.symbol() + right + "=" + result;
        }
    }

    abstract Step work(SplitMix64 random, int value, Operation operation);

    /** Draws a way with the shares of the pre-training text, which differ by sign. */
    static Way draw(SplitMix64 random, Sign sign) {
        double left = random.nextDouble();
        for (Way way : values()) {
            left -= sign == Sign.PLUS ? way.shareOfPlus : way.shareOfMinus;
            if (left < 0) {
                return way;
            }
        }
        return QUICK;
    }

    private static Step splitting(int value, Operation operation) {
        int units = operation.operand() % 10;
        Equation tens = Equation.of(value, operation.sign(), operation.operand() - units);
        Equation rest = Equation.of(tens.result(), operation.sign(), units);
        return new Step(tens + ", " + rest + ". ", rest.result());
    }

    private static int guess(SplitMix64 random, int value, Operation operation) {
        int right = operation.sign().apply(value, operation.operand());
        int units = operation.operand() % 10;
        boolean plus = operation.sign() == Sign.PLUS;
        boolean carries = plus ? value % 10 + units > 9 : value % 10 < units;
        if (carries && random.nextDouble() < CARRY_SLIP) {
            return plus ? right - 10 : right + 10;
        }
        if (random.nextDouble() < OTHER_SLIP) {
            return right + (random.nextInt(2) == 0 ? -1 : 1);
        }
        return right;
    }
}
