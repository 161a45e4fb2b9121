package dev.rlvr.operator;

import jakarta.enterprise.context.Dependent;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.time.Clock;

/** What Quarkus injects into the reconciler. */
@Dependent
final class OperatorBeans {
    @Produces
    @Singleton
    Settings settings(SettingsMapping mapping) {
        return new Settings(mapping.trainerImage(), mapping.imagePullPolicy(), mapping.hubEndpoint());
    }

    @Produces
    @Singleton
    Build build() {
        return Build.current();
    }

    @Produces
    @Singleton
    Clock clock() {
        return Clock.systemUTC();
    }
}
