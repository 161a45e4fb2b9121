package dev.rlvr.e2e;

import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** An arrow of dependence never turns back: crds <- lifecycle <- operator, cli; crds <- trainer. */
class ModuleArrowsTest {
    private static final Path CHECKOUT = Path.of(System.getProperty("rlvr.checkout"));

    @Test
    void noModuleDependsOnOneThatDependsOnIt() {
        List<Path> classes = List.of("crds", "lifecycle", "operator", "cli", "trainer-image").stream()
                .map(module -> CHECKOUT.resolve(module).resolve("target/classes"))
                .toList();
        JavaClasses imported = new ClassFileImporter().importPaths(classes);
        layeredArchitecture()
                .consideringOnlyDependenciesInAnyPackage("dev.rlvr..")
                .layer("crds")
                .definedBy("dev.rlvr.crds..")
                .layer("lifecycle")
                .definedBy("dev.rlvr.lifecycle..")
                .layer("operator")
                .definedBy("dev.rlvr.operator..")
                .layer("cli")
                .definedBy("dev.rlvr.cli..")
                .layer("trainer")
                .definedBy("dev.rlvr.trainer..")
                .whereLayer("crds")
                .mayNotAccessAnyLayer()
                .whereLayer("lifecycle")
                .mayOnlyAccessLayers("crds")
                .whereLayer("operator")
                .mayOnlyAccessLayers("crds", "lifecycle")
                .whereLayer("cli")
                .mayOnlyAccessLayers("crds", "lifecycle")
                .whereLayer("trainer")
                .mayOnlyAccessLayers("crds")
                .check(imported);
    }
}
