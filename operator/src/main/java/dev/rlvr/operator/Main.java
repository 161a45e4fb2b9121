package dev.rlvr.operator;

import io.javaoperatorsdk.operator.Operator;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.QuarkusApplication;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.annotations.QuarkusMain;
import jakarta.enterprise.event.Observes;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code java -jar quarkus-run.jar [--version]}. */
@QuarkusMain
public final class Main {
    private Main() {}

    /** Says what this is, or runs the operator until it is stopped. */
    public static void main(String[] arguments) {
        if (List.of(arguments).contains("--version")) {
            System.out.println(Build.current());
            return;
        }
        Quarkus.run(Application.class, arguments);
    }

    /** The operator from its start to its orderly end. */
    static final class Application implements QuarkusApplication {
        private static final Logger LOG = LoggerFactory.getLogger(Main.class);

        private final Operator operator;
        private final Leadership leadership;
        private final Build build;

        Application(Operator operator, Leadership leadership, Build build) {
            this.operator = operator;
            this.leadership = leadership;
            this.build = build;
        }

        @Override
        public int run(String... arguments) {
            LOG.info("{}", build);
            // where there is a main class, the extension leaves this to it
            operator.start();
            Quarkus.waitForExit();
            return 0;
        }

        /** While there is still a client to say good-bye with. */
        void end(@Observes ShutdownEvent event) {
            leadership.stopping();
            operator.stop();
            leadership.giveBack();
        }
    }
}
