package dev.rlvr.trainer.serve;

import dev.rlvr.trainer.model.ModelFolder;
import dev.rlvr.trainer.model.Precision;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.util.SplittableRandom;

/** A server in this process. */
record LocalServer(PolicyThread policy, SglangApi api) implements AutoCloseable {
    static LocalServer start(Path model) throws IOException {
        PolicyThread policy = new PolicyThread(ModelFolder.open(model), "default", Precision.F32, 1, 64);
        return new LocalServer(
                policy,
                new SglangApi(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), policy, new SplittableRandom(1)));
    }

    URI url() {
        return URI.create("http://127.0.0.1:" + api.address().getPort());
    }

    @Override
    public void close() {
        policy.close();
        api.close();
    }
}
