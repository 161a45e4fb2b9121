package dev.rlvr.e2e.cluster;

import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/** Installs the chart before the first test class and takes it away after the last. */
final class SharedCluster implements ParameterResolver {
    private static final ExtensionContext.Namespace STORE = ExtensionContext.Namespace.create(SharedCluster.class);

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == Cluster.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        // the root store closes it: it is AutoCloseable
        return context.getRoot()
                .getStore(STORE)
                .computeIfAbsent(Cluster.class, key -> Cluster.open(System.getenv()), Cluster.class);
    }
}
