package dev.rlvr.e2e.chaos;

import java.util.List;
import java.util.random.RandomGenerator;

/**
 * What befalls a request.
 *
 * @param arrival when the API server gets it, and does what it asks for
 * @param answer what the operator hears of it
 */
record Fault(Arrival arrival, Answer answer) {
    static final Fault NONE = new Fault(Arrival.AtOnce, Answer.True);

    private static final List<Answer> LIES =
            List.of(Answer.TooManyRequests, Answer.Error, Answer.Unavailable, Answer.GatewayTimeout, Answer.Reset);

    /** When it gets there. */
    enum Arrival {
        Never("not done"),
        AtOnce("done"),
        /** Its sender has given it up and written something else, and only then it comes: {@link OvertakenWrites}. */
        Overtaken("done after the next one");

        private final String text;

        Arrival(String text) {
            this.text = text;
        }
    }

    /** What can be heard. */
    enum Answer {
        /** What the API server said. */
        True(0),
        /** The same, later. */
        Late(0),
        Conflict(409),
        TooManyRequests(429),
        Error(500),
        Unavailable(503),
        GatewayTimeout(504),
        /** The connection is reset. */
        Reset(0),
        /** Nothing, until the operator loses patience. */
        Silence(0);

        /** The HTTP status; 0 where there is none, or not one of the proxy's own. */
        final int status;

        Answer(int status) {
            this.status = status;
        }
    }

    /** A random fault that this request can meet. A write may have happened whatever is heard of it. */
    static Fault random(Request request, RandomGenerator random) {
        if (random.nextInt(4) == 0) {
            return new Fault(Arrival.AtOnce, Answer.Late);
        }
        Arrival arrival = request.writes() && random.nextBoolean() ? Arrival.AtOnce : Arrival.Never;
        if (random.nextInt(8) == 0) {
            return new Fault(arrival, Answer.Silence);
        }
        if (request.writes() && random.nextInt(3) == 0) {
            return new Fault(arrival, Answer.Conflict);
        }
        return new Fault(arrival, lie(random));
    }

    /** A write that its sender gives up, and that the next one overtakes. */
    static Fault overtaken(RandomGenerator random) {
        return new Fault(Arrival.Overtaken, lie(random));
    }

    private static Answer lie(RandomGenerator random) {
        return LIES.get(random.nextInt(LIES.size()));
    }

    @Override
    public String toString() {
        return arrival.text + ", answered " + answer;
    }
}
