package dev.rlvr.trainer.quickstart;

import dev.rlvr.trainer.data.SplitMix64;
import java.util.ArrayList;
import java.util.List;

/** The numbers of a problem: a start and three operations whose running value stays between 10 and 199. */
record Sum(int start, List<Operation> operations) {
    private static final int OPERATIONS = 3;

    /** Adds or takes away {@code operand}: 11 to 59, never a round number. */
    record Operation(Sign sign, int operand) {}

    /** The sign of an operation. */
    enum Sign {
        PLUS('+'),
        MINUS('-');

        private final char symbol;

        Sign(char symbol) {
            this.symbol = symbol;
        }

        char symbol() {
            return symbol;
        }

        int apply(int left, int right) {
            return this == PLUS ? left + right : left - right;
        }

        Sign opposite() {
            return this == PLUS ? MINUS : PLUS;
        }
    }

    /** The right answer. */
    int total() {
        int value = start;
        for (Operation operation : operations) {
            value = operation.sign().apply(value, operation.operand());
        }
        return value;
    }

    static Sum draw(SplitMix64 random) {
        while (true) {
            int start = 20 + random.nextInt(80);
            List<Operation> operations = new ArrayList<>(OPERATIONS);
            for (int i = 0; i < OPERATIONS; i++) {
                Sign sign = random.nextInt(2) == 0 ? Sign.PLUS : Sign.MINUS;
                operations.add(new Operation(sign, 11 + random.nextInt(49)));
            }
            Sum sum = new Sum(start, List.copyOf(operations));
            if (sum.allowed()) {
                return sum;
            }
        }
    }

    private boolean allowed() {
        int value = start;
        for (Operation operation : operations) {
            value = operation.sign().apply(value, operation.operand());
            if (operation.operand() % 10 == 0 || value < 10 || value > 199) {
                return false;
            }
        }
        return true;
    }
}
