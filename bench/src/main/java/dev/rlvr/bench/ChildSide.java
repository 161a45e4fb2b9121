package dev.rlvr.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A process that stays alive between rounds, so that compilation and loading are not measured. It says {@code {"ready": true}} on a line of
 * its own once it can begin, or {@code {"unavailable": "why"}}, and then answers each line {@code round} with one line of JSON.
 */
final class ChildSide implements Contestant {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final String name;
    private final ProcessBuilder command;
    private final Path log;
    private Optional<Process> process = Optional.empty();
    private Optional<BufferedReader> answers = Optional.empty();

    /** @param log file that gets what the process says to people */
    ChildSide(String name, ProcessBuilder command, Path log) {
        this.name = name;
        this.command = command;
        this.log = log;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void start() throws IOException {
        Files.createDirectories(log.getParent());
        Process started = command.redirectError(log.toFile()).start();
        process = Optional.of(started);
        answers = Optional.of(
                new BufferedReader(new InputStreamReader(started.getInputStream(), StandardCharsets.UTF_8)));
        JsonNode answer = answer();
        if (answer.has("unavailable")) {
            throw new UnavailableException(answer.get("unavailable").asText());
        }
    }

    @Override
    public Round round() throws IOException {
        OutputStream orders = process.orElseThrow().getOutputStream();
        orders.write("round\n".getBytes(StandardCharsets.UTF_8));
        orders.flush();
        return Round.of(answer());
    }

    private JsonNode answer() throws IOException {
        String line = answers.orElseThrow().readLine();
        if (line == null) {
            List<String> said = Files.readAllLines(log);
            throw new IOException(name + " ended before it answered; it said (all of it is in " + log + "):\n"
                    + String.join("\n", said.subList(Math.max(0, said.size() - 15), said.size())));
        }
        return JSON.readTree(line);
    }

    @Override
    public void close() {
        process.ifPresent(Processes::end);
    }
}
