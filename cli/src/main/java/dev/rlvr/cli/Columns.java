package dev.rlvr.cli;

import java.util.List;

/** Prints rows as kubectl does: columns as wide as their widest cell, three spaces apart. */
final class Columns {
    private Columns() {}

    static void print(List<List<String>> rows) {
        int columns = rows.getFirst().size();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int column = 0; column < columns; column++) {
                int c = column;
                int width = rows.stream().mapToInt(r -> r.get(c).length()).max().orElse(0) + 3;
                line.append(row.get(column))
                        .repeat(' ', Math.max(0, width - row.get(column).length()));
            }
            System.out.println(line.toString().stripTrailing());
        }
    }
}
