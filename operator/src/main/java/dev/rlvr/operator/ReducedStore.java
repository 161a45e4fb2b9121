package dev.rlvr.operator;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.client.informers.cache.Cache;
import io.fabric8.kubernetes.client.informers.cache.ItemStore;
import java.lang.reflect.Constructor;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Keeps of the objects of one kind of {@link SharedObjects} only what is asked of them: whose they are, their version, whether they go, and of a
 * manifest its fingerprint. There are six for each job, and whole they take a fifth of all memory. The client's own store of this sort keeps maps of
 * maps, which take more than the objects.
 *
 * <p>For one informer: it compares what it lists with all that is here.
 */
final class ReducedStore<T extends HasMetadata> implements ItemStore<T> {
    /** Keys are the same for all kinds. */
    private static final KnownValues KEYS = new KnownValues();

    private final Map<String, Reduced> objects = new ConcurrentHashMap<>();
    private final Constructor<T> empty;

    /**
     * What is kept of an object.
     *
     * @param version its resourceVersion, a number as that of every Kubernetes API server
     * @param going when it was told to go
     * @param data that of a ConfigMap
     */
    private record Reduced(
            long version,
            @Nullable String going,
            Map<String, String> labels,
            List<OwnerReference> owners,
            @Nullable Map<String, String> data) {
        static Reduced of(HasMetadata object) {
            ObjectMeta metadata = object.getMetadata();
            return new Reduced(
                    Long.parseLong(metadata.getResourceVersion()),
                    metadata.getDeletionTimestamp(),
                    metadata.getLabels(),
                    metadata.getOwnerReferences(),
                    object instanceof ConfigMap manifest ? manifest.getData() : null);
        }
    }

    ReducedStore(Class<T> kind) {
        try {
            this.empty = kind.getConstructor();
        } catch (NoSuchMethodException e) {
            throw new IllegalArgumentException(kind + " is no bean", e);
        }
    }

    private @Nullable T restored(String key, @Nullable Reduced reduced) {
        if (reduced == null) {
            return null;
        }
        int slash = key.indexOf('/');
        T object = newObject();
        object.setMetadata(new ObjectMetaBuilder()
                .withNamespace(key.substring(0, slash))
                .withName(key.substring(slash + 1))
                .withResourceVersion(Long.toString(reduced.version()))
                .withDeletionTimestamp(reduced.going())
                .withLabels(reduced.labels())
                .withOwnerReferences(reduced.owners())
                .build());
        if (object instanceof ConfigMap manifest) {
            manifest.setData(Optional.ofNullable(reduced.data()).orElse(Map.of()));
        }
        return object;
    }

    private T newObject() {
        try {
            return empty.newInstance();
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public String getKey(T object) {
        return KEYS.same(Cache.metaNamespaceKeyFunc(object));
    }

    @Override
    public @Nullable T put(String key, T object) {
        return restored(key, objects.put(key, Reduced.of(object)));
    }

    @Override
    public @Nullable T remove(String key) {
        return restored(key, objects.remove(key));
    }

    @Override
    public @Nullable T get(String key) {
        return restored(key, objects.get(key));
    }

    @Override
    public Stream<String> keySet() {
        return objects.keySet().stream();
    }

    @Override
    public Stream<T> values() {
        return keySet().flatMap(key -> Stream.ofNullable(get(key)));
    }

    @Override
    public int size() {
        return objects.size();
    }

    /** What is new is told with its whole object, as it comes. */
    @Override
    public boolean isFullState() {
        return false;
    }
}
