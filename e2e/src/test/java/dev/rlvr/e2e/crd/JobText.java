package dev.rlvr.e2e.crd;

/** Manifests as users write them. */
final class JobText {
    private JobText() {}

    /** The smallest manifest with these lines under {@code spec} added or put in place of its own. */
    static String of(String name, String namespace, String... fields) {
        String own = String.join("\n", fields);
        StringBuilder text = new StringBuilder("""
                apiVersion: rlvr.dev/v1alpha1
                kind: RLVRJob
                metadata: {name: %s, namespace: %s}
                spec:
                """.formatted(name, namespace));
        if (!own.contains("model:")) {
            text.append("  model: {source: 'file:///models/small'}\n");
        }
        if (!own.contains("data:")) {
            text.append("  data: {source: 'file:///data/train.jsonl'}\n");
        }
        if (!own.contains("reward:")) {
            text.append("  reward: {verifier: Exact}\n");
        }
        for (String field : fields) {
            text.append("  ").append(field).append('\n');
        }
        return text.toString();
    }
}
