package dev.rlvr.trainer.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rlvr.crds.RLVRJob;
import dev.rlvr.trainer.InputException;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * Server-side apply of {@code status.progress}, {@code status.checkpoint} and {@code status.evaluation} of one job. Each
 * write holds all three, since a field that its manager leaves out is removed.
 */
public final class StatusPatch {
    /** Owner of the trainer's fields. */
    public static final String FIELD_MANAGER = "rlvr-trainer";

    private static final Path ACCOUNT = Path.of("/var/run/secrets/kubernetes.io/serviceaccount");
    private static final Duration CONNECT = Duration.ofSeconds(5);
    private static final Duration ANSWER = Duration.ofSeconds(10);
    private static final int MESSAGE_CHARACTERS = 300;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpClient client;
    private final URI status;
    private final Path token;
    private final ObjectMeta job;

    /**
     * A patch of the job's status.
     *
     * @param client trusts the API server
     * @param server base address of the API server
     * @param token file of the bearer token, read for each write since the kubelet renews it
     * @param job name and namespace
     */
    public StatusPatch(HttpClient client, URI server, Path token, ObjectMeta job) {
        this.client = client;
        this.token = token;
        this.job = job;
        this.status = server.resolve("/apis/%s/%s/namespaces/%s/rlvrjobs/%s/status?fieldManager=%s&force=true"
                .formatted(RLVRJob.GROUP, RLVRJob.VERSION, job.getNamespace(), job.getName(), FIELD_MANAGER));
    }

    /**
     * The patch of a pod, with what the kubelet mounts and sets.
     *
     * @throws InputException if this process does not run in a pod with a mounted service account
     */
    public static StatusPatch inPod(ObjectMeta job, Map<String, String> environment) {
        Optional<String> host = Optional.ofNullable(environment.get("KUBERNETES_SERVICE_HOST"));
        if (host.isEmpty() || Files.notExists(ACCOUNT.resolve("token"))) {
            throw new InputException(
                    "RLVR_STATUS: Kubernetes works in a pod with a service account's token only; unset it");
        }
        String port = environment.getOrDefault("KUBERNETES_SERVICE_PORT", "443");
        String address = host.get().contains(":") ? "[" + host.get() + "]" : host.get();
        try {
            HttpClient client = HttpClient.newBuilder()
                    .connectTimeout(CONNECT)
                    .sslContext(trusting(ACCOUNT.resolve("ca.crt")))
                    .build();
            ObjectMeta placed = job.getNamespace() == null
                    ? job.edit()
                            .withNamespace(Files.readString(ACCOUNT.resolve("namespace"))
                                    .strip())
                            .build()
                    : job;
            return new StatusPatch(
                    client, URI.create("https://" + address + ":" + port), ACCOUNT.resolve("token"), placed);
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalStateException("the pod's service account in " + ACCOUNT + " is not usable: " + e, e);
        }
    }

    String name() {
        return job.getNamespace() + "/" + job.getName();
    }

    void apply(TrainerStatus trainer) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(status)
                .timeout(ANSWER)
                .header("Authorization", "Bearer " + Files.readString(token).strip())
                .header("Content-Type", "application/apply-patch+yaml")
                .method("PATCH", HttpRequest.BodyPublishers.ofByteArray(body(trainer)))
                .build();
        HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IOException("HTTP " + response.statusCode() + ": " + message(response.body()));
        }
    }

    /** JSON, which is YAML. */
    private byte[] body(TrainerStatus trainer) throws JsonProcessingException {
        ObjectNode root = JSON.createObjectNode();
        root.put("apiVersion", RLVRJob.GROUP + "/" + RLVRJob.VERSION).put("kind", RLVRJob.KIND);
        root.putObject("metadata").put("name", job.getName()).put("namespace", job.getNamespace());
        ObjectNode fields = JSON.valueToTree(trainer);
        root.set("status", fields.retain("progress", "checkpoint", "evaluation"));
        return JSON.writeValueAsBytes(root);
    }

    /** What the API server says, or the start of what something else answered. */
    private static String message(String body) {
        String text;
        try {
            text = JSON.readTree(body).path("message").asText(body);
        } catch (JsonProcessingException e) {
            text = body;
        }
        String line = text.replaceAll("\\s+", " ");
        return line.substring(0, Math.min(line.length(), MESSAGE_CHARACTERS));
    }

    static SSLContext trusting(Path authority) throws IOException, GeneralSecurityException {
        KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null, null);
        try (InputStream pem = Files.newInputStream(authority)) {
            int number = 0;
            for (Certificate certificate :
                    CertificateFactory.getInstance("X.509").generateCertificates(pem)) {
                trusted.setCertificateEntry("authority-" + number++, certificate);
            }
        }
        TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, managers.getTrustManagers(), null);
        return context;
    }
}
