package dev.rlvr.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.Manifest;
import dev.rlvr.crds.RLVRJob;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Service;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ReducedStoreTest {
    private static final String KEY = "team/rlvr-sum";

    private final Ownership owner = new Ownership(job());

    private static RLVRJob job() {
        RLVRJob job = Manifest.parse("""
                apiVersion: rlvr.dev/v1alpha1
                kind: RLVRJob
                metadata: {name: sum, namespace: team}
                spec:
                  model: {source: 'bundled://quickstart/model'}
                  data: {source: 'bundled://quickstart/train.jsonl'}
                  reward: {verifier: Exact}
                """, "sum");
        job.getMetadata().setUid("3f0c");
        return job;
    }

    /** What a store of its kind gives back of an object. */
    private static <T extends HasMetadata> T kept(Class<T> kind, T object) {
        object.getMetadata().setResourceVersion("71");
        ReducedStore<T> store = new ReducedStore<>(kind);
        assertThat(store.put(store.getKey(object), object)).isNull();
        return store.get(KEY);
    }

    @Test
    void everySharedObjectIsFoundAndKnownForTheJobsOwn() {
        List<HasMetadata> all = SharedObjects.fixed(owner);
        Children kept = new Children(all.stream()
                .<HasMetadata>map(object -> keptAs(object.getClass(), object))
                .toList());

        assertThat(all)
                .hasSize(5)
                .allMatch(object -> kept.has(owner, object))
                .allSatisfy(object -> assertThat(kept.all()).anySatisfy(copy -> {
                    assertThat(copy.getKind()).isEqualTo(object.getKind());
                    assertThat(copy.getMetadata()).isEqualTo(object.getMetadata());
                }));
        RLVRJob other = job();
        other.getMetadata().setUid("another");
        assertThat(kept.has(new Ownership(other), HeadlessService.of(owner))).isFalse();
    }

    @SuppressWarnings("unchecked") // the class of the object itself
    private static <T extends HasMetadata> T keptAs(Class<? extends HasMetadata> kind, T object) {
        return kept((Class<T>) kind, object);
    }

    @Test
    void aManifestIsComparedByWhatWasRead() {
        ConfigMap manifest = JobManifest.of(owner);

        assertThat(new Children(List.of(kept(ConfigMap.class, manifest))).hasManifest(owner, manifest))
                .isTrue();
        ConfigMap other = new ConfigMapBuilder(manifest)
                .withData(Map.of(JobManifest.KEY, "x"))
                .build();
        assertThat(new Children(List.of(kept(ConfigMap.class, other))).hasManifest(owner, manifest))
                .isFalse();
    }

    @Test
    void whatGoesIsNotThereAnyMore() {
        Service service = HeadlessService.of(owner);
        service.getMetadata().setDeletionTimestamp("2026-03-01T12:00:00Z");

        Children children = new Children(List.of(kept(Service.class, service)));

        assertThat(children.has(owner, service)).isFalse();
        assertThat(children.all()).allMatch(Children::going);
    }

    @Test
    void itHasWhatWasPutLastAndNothingThatWasRemoved() {
        ReducedStore<Service> store = new ReducedStore<>(Service.class);
        Service service = HeadlessService.of(owner);
        service.getMetadata().setResourceVersion("71");
        store.put(KEY, service);
        service.getMetadata().setResourceVersion("72");

        assertThat(store.put(KEY, service).getMetadata().getResourceVersion()).isEqualTo("71");
        assertThat(store.values()).singleElement().isEqualTo(store.get(KEY));
        assertThat(store.get(KEY).getMetadata().getResourceVersion()).isEqualTo("72");
        assertThat(store.remove(KEY)).isNotNull();
        assertThat(store.size()).isZero();
        assertThat(store.keySet()).isEmpty();
        assertThat(store.get(KEY)).isNull();
        assertThat(store.remove(KEY)).isNull();
    }
}
