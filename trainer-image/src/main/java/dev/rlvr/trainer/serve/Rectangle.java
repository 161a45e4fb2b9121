package dev.rlvr.trainer.serve;

import dev.rlvr.trainer.rollout.AnswerSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Answers that the sampler can write in one go: drawn in the same way, equally many to each prompt. A prompt is read once for all of its answers.
 *
 * @param prompts token ids
 * @param places of the answers of each prompt
 */
record Rectangle(Ask.Kind kind, List<List<Integer>> prompts, List<List<Request.Place>> places) {
    /** What an answer's company is chosen by. */
    private record Shape(Ask.Kind kind, int answers) {}

    private record Row(Ask.Kind kind, List<Integer> tokens) {}

    /** All that some requests ask for, in as few rectangles as it goes. */
    static Collection<Rectangle> of(List<Request> requests) {
        Map<Row, List<Request.Place>> rows = new LinkedHashMap<>();
        for (Request request : requests) {
            for (Request.Place place : request.places()) {
                rows.computeIfAbsent(new Row(place.ask().kind(), place.ask().tokens()), _ -> new ArrayList<>())
                        .add(place);
            }
        }
        Map<Shape, Rectangle> rectangles = new LinkedHashMap<>();
        rows.forEach((row, places) -> {
            Rectangle rectangle = rectangles.computeIfAbsent(
                    new Shape(row.kind(), places.size()),
                    shape -> new Rectangle(shape.kind(), new ArrayList<>(), new ArrayList<>()));
            rectangle.prompts().add(row.tokens());
            rectangle.places().add(places);
        });
        return rectangles.values();
    }

    /** How it is sampled. */
    AnswerSource.Settings settings() {
        return new AnswerSource.Settings(places.getFirst().size(), kind.drawing(), kind.longest());
    }

    Request.Place place(int prompt, int answer) {
        return places.get(prompt).get(answer);
    }
}
