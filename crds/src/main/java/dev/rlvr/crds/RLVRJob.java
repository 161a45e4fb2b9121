package dev.rlvr.crds;

import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Categories;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Kind;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.ShortNames;
import io.fabric8.kubernetes.model.annotation.Singular;
import io.fabric8.kubernetes.model.annotation.Version;

/** One reinforcement-learning run with verifiable rewards: what to train, on what, how, and where its state goes. */
@Group(RLVRJob.GROUP)
@Version(RLVRJob.VERSION)
@Kind(RLVRJob.KIND)
@Plural("rlvrjobs")
@Singular("rlvrjob")
@ShortNames("rlvr")
@Categories("all")
@AdditionalPrinterColumn(name = "STATE", jsonPath = ".status.state", type = AdditionalPrinterColumn.Type.STRING)
@AdditionalPrinterColumn(name = "STEP", jsonPath = ".status.progress.step", type = AdditionalPrinterColumn.Type.INTEGER)
@AdditionalPrinterColumn(
        name = "REWARD",
        jsonPath = ".status.progress.rewardMean",
        type = AdditionalPrinterColumn.Type.NUMBER)
@AdditionalPrinterColumn(
        name = "ENTROPY",
        jsonPath = ".status.progress.entropyMean",
        type = AdditionalPrinterColumn.Type.NUMBER)
@AdditionalPrinterColumn(
        name = "TOK/S",
        jsonPath = ".status.progress.tokensPerSecond",
        type = AdditionalPrinterColumn.Type.NUMBER)
@AdditionalPrinterColumn(
        name = "RESTARTS",
        jsonPath = ".status.restarts.total",
        type = AdditionalPrinterColumn.Type.INTEGER)
@AdditionalPrinterColumn(
        name = "AGE",
        jsonPath = ".metadata.creationTimestamp",
        type = AdditionalPrinterColumn.Type.DATE)
@AdditionalPrinterColumn(
        name = "STEPS",
        jsonPath = ".spec.algorithm.steps",
        type = AdditionalPrinterColumn.Type.INTEGER,
        priority = 1)
@AdditionalPrinterColumn(
        name = "MODEL",
        jsonPath = ".spec.model.source",
        type = AdditionalPrinterColumn.Type.STRING,
        priority = 1)
@AdditionalPrinterColumn(
        name = "FORKING",
        jsonPath = ".spec.algorithm.forkingTokens.select",
        type = AdditionalPrinterColumn.Type.STRING,
        priority = 1)
@AdditionalPrinterColumn(
        name = "KEPT",
        jsonPath = ".status.progress.keptTokenFraction",
        type = AdditionalPrinterColumn.Type.NUMBER,
        priority = 1)
@AdditionalPrinterColumn(
        name = "CHECKPOINT",
        jsonPath = ".status.checkpoint.step",
        type = AdditionalPrinterColumn.Type.INTEGER,
        priority = 1)
@AdditionalPrinterColumn(
        name = "ATTEMPT",
        jsonPath = ".status.attempt",
        type = AdditionalPrinterColumn.Type.INTEGER,
        priority = 1)
@AdditionalPrinterColumn(
        name = "MESSAGE",
        jsonPath = ".status.conditions[?(@.type==\"Ready\")].message",
        type = AdditionalPrinterColumn.Type.STRING,
        priority = 1)
@ValidationRule(
        value = "self.metadata.name.size() <= 45 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
        messageExpression =
                "\"metadata.name: '\" + self.metadata.name + \"' is not a name of at most 45 lower-case letters, digits"
                        + " and '-' that starts with a letter, as the names of the job's Service and pods need\"")
@ValidationRule(
        value = "!(self.spec.model.source + '/').startsWith('job://' + self.metadata.name + '/')",
        messageExpression = "\"spec.model.source: '\" + self.spec.model.source"
                + " + \"' is this job itself; name the one whose model it begins from\"")
@ValidationRule(
        value = "!has(self.spec.checkpoint.resumeFrom)"
                + " || !(self.spec.checkpoint.resumeFrom + '/').startsWith('job://' + self.metadata.name + '/')",
        messageExpression = "\"spec.checkpoint.resumeFrom: '\" + self.spec.checkpoint.resumeFrom"
                + " + \"' is this job itself, which goes on from its own checkpoints anyway; leave it out\"")
public class RLVRJob extends CustomResource<RLVRJobSpec, RLVRJobStatus> implements Namespaced {
    /** API group of every resource of this project. */
    public static final String GROUP = "rlvr.dev";

    /** Served and stored API version. */
    public static final String VERSION = "v1alpha1";

    /** Kind of the resource. */
    public static final String KIND = "RLVRJob";
}
