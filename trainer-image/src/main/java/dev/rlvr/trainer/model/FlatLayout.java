package dev.rlvr.trainer.model;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Where the tensors of a {@link WeightLayout} lie in flat memory. A unit is what is needed at the same time: 0 is everything outside the
 * layers, 1 the first layer. Each unit has one block of matrices and one of vectors, since weight decay applies to the former alone; a block is
 * as many scalars long as divide into equal, aligned shares.
 *
 * @param entries the tensors, in the order of the layout
 * @param places one for each of them
 * @param shares that each block divides into
 */
record FlatLayout(List<WeightLayout.Entry> entries, List<Place> places, List<Block> blocks, int shares) {
    /** Scalars; 64 bytes: matrix products of tensors that are aligned to them give the same bits in every process. */
    private static final int ALIGNMENT = 16;

    FlatLayout {
        entries = List.copyOf(entries);
        places = List.copyOf(places);
        blocks = List.copyOf(blocks);
    }

    /** A tensor's block and its first scalar there. */
    record Place(int block, long from) {}

    /** Some tensors of a unit, one behind the other. */
    record Block(int unit, boolean decayed, long size) {}

    static FlatLayout of(ModelConfig config, int shares) {
        List<WeightLayout.Entry> entries = WeightLayout.of(config);
        long[] sizes = new long[2 * (config.layers() + 1)];
        List<Place> places = new ArrayList<>();
        for (int i = 0; i < entries.size(); i++) {
            int block = 2 * unit(config, i) + (entries.get(i).decayed() ? 0 : 1);
            places.add(new Place(block, sizes[block]));
            sizes[block] = roundUp(sizes[block] + entries.get(i).size(), ALIGNMENT);
        }
        List<Block> blocks = new ArrayList<>();
        for (int b = 0; b < sizes.length; b++) {
            blocks.add(new Block(b / 2, b % 2 == 0, roundUp(sizes[b], (long) ALIGNMENT * shares)));
        }
        return new FlatLayout(entries, places, blocks, shares);
    }

    private static int unit(ModelConfig config, int position) {
        int inLayers = position - WeightLayout.LAYERS;
        boolean layer = inLayers >= 0 && inLayers < config.layers() * WeightLayout.layerWidth(config);
        return layer ? 1 + inLayers / WeightLayout.layerWidth(config) : 0;
    }

    private static long roundUp(long size, long multiple) {
        return Math.ceilDiv(size, multiple) * multiple;
    }

    /** The blocks of a unit: matrices, vectors. */
    List<Integer> blocksOf(int unit) {
        return List.of(2 * unit, 2 * unit + 1);
    }

    /** Scalars of one share of a block. */
    long shareSize(int block) {
        return blocks.get(block).size() / shares;
    }

    /** Scalars of all blocks, padding included. */
    long size() {
        return blocks.stream().mapToLong(Block::size).sum();
    }

    /** Scalars {@code [from, to)} of a checkpoint's tensor, which lie in a block from {@code at} on. */
    record Piece(WeightLayout.Part part, long from, long to, int block, long at) {
        boolean whole() {
            return from == 0 && to == part.size();
        }

        long size() {
            return to - from;
        }
    }

    /** What lies in scalars {@code [low * share, high * share)} of every block, in the order of the layout. */
    List<Piece> pieces(int low, int high) {
        List<Piece> pieces = new ArrayList<>();
        for (int i = 0; i < entries.size(); i++) {
            int block = places.get(i).block();
            long start = low * shareSize(block);
            long end = high * shareSize(block);
            long at = places.get(i).from();
            for (WeightLayout.Part part : entries.get(i).parts()) {
                long from = Math.max(at, start);
                long to = Math.min(at + part.size(), end);
                if (from < to) {
                    pieces.add(new Piece(part, from - at, to - at, block, from - start));
                }
                at += part.size();
            }
        }
        return pieces;
    }

    /** Lengths of a tensor's dimensions. */
    long[] shape(int position) {
        return entries.get(position).shape().stream().mapToLong(Long::longValue).toArray();
    }

    /** Positions of the tensors of a unit, in the order of the layout. */
    int[] positions(int unit) {
        return IntStream.range(0, entries.size())
                .filter(i -> blocks.get(places.get(i).block()).unit() == unit)
                .toArray();
    }
}
