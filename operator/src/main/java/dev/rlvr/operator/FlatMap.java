package dev.rlvr.operator;

import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.Iterator;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** An unmodifiable map of few entries in the order in which they came, in one array: looked up one by one, a third of the memory of others. */
final class FlatMap<K, V> extends AbstractMap<K, V> {
    private final Object[] keysAndValues;

    private FlatMap(Object[] keysAndValues) {
        this.keysAndValues = keysAndValues;
    }

    static <K, V> Map<K, V> copyOf(Map<K, V> map) {
        if (map.isEmpty()) {
            return Map.of();
        }
        return map instanceof FlatMap<K, V> flat
                ? flat
                : new FlatMap<>(map.entrySet().stream()
                        .flatMap(entry -> Stream.of(entry.getKey(), entry.getValue()))
                        .toArray());
    }

    @Override
    public int size() {
        return keysAndValues.length / 2;
    }

    @Override
    public Set<Entry<K, V>> entrySet() {
        return new AbstractSet<>() {
            @Override
            public Iterator<Entry<K, V>> iterator() {
                return IntStream.range(0, FlatMap.this.size())
                        .mapToObj(FlatMap.this::entry)
                        .iterator();
            }

            @Override
            public int size() {
                return FlatMap.this.size();
            }
        };
    }

    @SuppressWarnings("unchecked") // what was a map's keys and values
    private Entry<K, V> entry(int i) {
        return Map.entry((K) keysAndValues[2 * i], (V) keysAndValues[2 * i + 1]);
    }

    @Override
    public @Nullable V get(@Nullable Object key) {
        for (int i = 0; i < size(); i++) {
            if (keysAndValues[2 * i].equals(key)) {
                return entry(i).getValue();
            }
        }
        return null;
    }

    @Override
    public boolean containsKey(@Nullable Object key) {
        return get(key) != null;
    }
}
