package dev.rlvr.trainer.model;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.jni.LibTorch;
import dev.rlvr.trainer.torch.Script;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * F32 tensors of the shapes that a model's weights have: weights, gradients or an optimizer's moments, all of them or the share of one rank. They
 * lie one behind the other in the blocks of a {@link FlatLayout}, so that what is done to all alike is done to a few long vectors. In files the
 * parts of fused tensors have their own names; a piece of one that is split has its range behind it: {@code name[from:to]}.
 */
public final class ModelTensors implements GradientSums {
    /** Compiled when it is first used, and kept. */
    private static final class Ops {
        static final Script SCRIPT = Script.compile("""
                  def zero(self: __torch__.M, xs: List[Tensor]) -> List[Tensor]:
                    ops.aten._foreach_zero_(xs)
                    return xs
                  def copy(self: __torch__.M, to: List[Tensor], xs: List[Tensor]) -> List[Tensor]:
                    for i in range(torch.len(xs)):
                      torch.copy_(to[i], xs[i])
                    return to
                """);
    }

    private final ModelConfig config;
    private final FlatLayout layout;
    private final int low;
    private final int high;
    private final List<NDArray> flats;
    private final List<NDArray> tensors;

    /** Shares that were asked for: views live as long as the tensors. */
    private final Map<List<Integer>, ModelTensors> shares = new HashMap<>();

    /** The same in the host's memory, where what is on a GPU is copied to be written; made when it is first needed, and kept. */
    private Optional<ModelTensors> host = Optional.empty();

    private ModelTensors(ModelConfig config, FlatLayout layout, int low, int high, List<NDArray> flats) {
        this.config = config;
        this.layout = layout;
        this.low = low;
        this.high = high;
        this.flats = List.copyOf(flats);
        this.tensors = isWhole() ? views() : List.of();
    }

    private List<NDArray> views() {
        List<NDArray> views = new ArrayList<>();
        for (int i = 0; i < layout.entries().size(); i++) {
            FlatLayout.Place place = layout.places().get(i);
            long to = place.from() + layout.entries().get(i).size();
            try (NDArray flat = slice(flats.get(place.block()), place.from(), to)) {
                views.add(flat.reshape(new Shape(layout.shape(i))));
            }
        }
        return List.copyOf(views);
    }

    private static NDArray slice(NDArray flat, long from, long to) {
        return flat.get(new NDIndex("{}:{}", from, to));
    }

    /** Tensors of zeros. */
    public static ModelTensors zeros(NDManager owner, ModelConfig config) {
        return zeros(owner, config, 1);
    }

    /** Tensors of zeros whose blocks divide into so many shares. */
    public static ModelTensors zeros(NDManager owner, ModelConfig config, int shares) {
        return zeros(owner, config, FlatLayout.of(config, shares), 0, shares);
    }

    /** Shares {@code [low, high)} of so many of tensors of zeros. */
    public static ModelTensors zerosShare(NDManager owner, ModelConfig config, int shares, int low, int high) {
        return zeros(owner, config, FlatLayout.of(config, shares), low, high);
    }

    private static ModelTensors zeros(NDManager owner, ModelConfig config, FlatLayout layout, int low, int high) {
        List<NDArray> flats = new ArrayList<>();
        for (int block = 0; block < layout.blocks().size(); block++) {
            flats.add(owner.zeros(new Shape((high - low) * layout.shareSize(block))));
        }
        return new ModelTensors(config, layout, low, high, flats);
    }

    /** Shares {@code [from, to)} of those that are here; it is the same memory. */
    public ModelTensors share(int from, int to) {
        return from == low && to == high ? this : shares.computeIfAbsent(List.of(from, to), _ -> view(from, to));
    }

    private ModelTensors view(int from, int to) {
        List<NDArray> slices = new ArrayList<>();
        for (int block = 0; block < flats.size(); block++) {
            long size = layout.shareSize(block);
            slices.add(slice(flats.get(block), (from - low) * size, (to - low) * size));
        }
        return new ModelTensors(config, layout, from, to, slices);
    }

    /** Where values come from. */
    @FunctionalInterface
    interface Source {
        /** Writes scalars {@code [from, to)} of a tensor, F32 in native byte order, to the memory that they stay in. */
        void read(WeightLayout.Part part, long from, long to, ByteBuffer target) throws IOException;
    }

    /** Sets all values; returns these tensors. */
    ModelTensors fill(Source source) {
        return onGpu() ? fillThroughHost(source) : fillHere(source);
    }

    private ModelTensors fillHere(Source source) {
        for (FlatLayout.Piece piece : layout.pieces(low, high)) {
            try {
                source.read(piece.part(), piece.from(), piece.to(), memory(piece));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return this;
    }

    /** As {@link #fill}, by way of tensors in the host's memory, which are gone afterwards. */
    ModelTensors fillThroughHost(Source source) {
        try (NDManager scope = manager().newSubManager(Device.cpu())) {
            copy(inHost(scope).fillHere(source), this);
        }
        return this;
    }

    private ModelTensors inHost(NDManager owner) {
        return zeros(owner, config, layout, low, high);
    }

    private static void copy(ModelTensors from, ModelTensors to) {
        Ops.SCRIPT.tensors(to.manager(), "copy", to.flats, from.flats).forEach(NDArray::close);
    }

    private NDManager manager() {
        return flats.getFirst().getManager();
    }

    private boolean onGpu() {
        return flats.getFirst().getDevice().isGpu();
    }

    /**
     * Sets all values to those that {@link #content} has written with the same prefix, however many ranks wrote them; returns these tensors.
     *
     * @throws IOException if a tensor is missing or cannot be read
     */
    public ModelTensors read(TensorFiles files, String prefix) throws IOException {
        try {
            return fill((part, from, to, target) -> files.readF32(prefix + part.name(), from, to, target));
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private ByteBuffer memory(FlatLayout.Piece piece) {
        // the memory is the block's and outlives this view of it
        try (NDArray view = slice(flats.get(piece.block()), piece.at(), piece.at() + piece.size())) {
            return LibTorch.buffer(view);
        }
    }

    /**
     * Every piece by the prefix and its name; buffers are views of the tensors or, of tensors on a GPU, of a copy that the next call of this
     * method makes anew.
     */
    public SequencedMap<String, Safetensors.Content> content(String prefix) {
        return onGpu() ? contentThroughHost(prefix) : contentHere(prefix);
    }

    /** As {@link #content}, of a copy in the host's memory. */
    SequencedMap<String, Safetensors.Content> contentThroughHost(String prefix) {
        if (host.isEmpty()) {
            host = Optional.of(inHost(manager().newSubManager(Device.cpu())));
        }
        copy(this, host.get());
        return host.get().contentHere(prefix);
    }

    private SequencedMap<String, Safetensors.Content> contentHere(String prefix) {
        LinkedHashMap<String, Safetensors.Content> content = new LinkedHashMap<>();
        for (FlatLayout.Piece piece : layout.pieces(low, high)) {
            String name = prefix + piece.part().name();
            if (piece.whole()) {
                content.put(name, new Safetensors.Content(piece.part().shape(), memory(piece)));
            } else {
                content.put(
                        TensorFiles.pieceName(name, piece.from(), piece.to()),
                        new Safetensors.Content(List.of(piece.size()), memory(piece)));
            }
        }
        return content;
    }

    /** Whether nothing of the tensors is missing. */
    public boolean isWhole() {
        return low == 0 && high == layout.shares();
    }

    /** The model's shape. */
    public ModelConfig config() {
        return config;
    }

    FlatLayout layout() {
        return layout;
    }

    /** The tensors, in the order of {@link WeightLayout}; none where this is a share. */
    public List<NDArray> all() {
        return tensors;
    }

    /** The blocks that weight decay applies to, those of matrices, or the others; two of the same shape have the same order. */
    public List<NDArray> flats(boolean decayed) {
        List<NDArray> chosen = new ArrayList<>();
        for (int block = 0; block < flats.size(); block++) {
            if (layout.blocks().get(block).decayed() == decayed) {
                chosen.add(flats.get(block));
            }
        }
        return chosen;
    }

    /** All blocks. */
    public List<NDArray> flats() {
        return flats;
    }

    /** The blocks of a unit. */
    public List<NDArray> flats(int unit) {
        return layout.blocksOf(unit).stream().map(flats::get).toList();
    }

    /** The tensors of a unit, where these are whole: the same memory. */
    public UnitTensors unit(int unit) {
        return UnitTensors.of(layout, unit, flats(unit));
    }

    /** Sets all values to 0. */
    public void clear() {
        Ops.SCRIPT.tensors(manager(), "zero", flats).forEach(NDArray::close);
    }

    /** Units: what is outside the layers, then the layers. */
    public int units() {
        return config.layers() + 1;
    }

    @Override
    public NDArray embedding() {
        return tensors.get(WeightLayout.EMBEDDING);
    }

    @Override
    public NDArray finalNorm() {
        return tensors.get(WeightLayout.FINAL_NORM);
    }

    @Override
    public NDArray head() {
        return tensors.get(WorkingWeights.headPosition(config));
    }

    @Override
    public List<NDArray> layer(int layer) {
        return WorkingWeights.layer(config, tensors, layer);
    }

    @Override
    public void finished(int unit) {
        // the sums stay where they are
    }
}
