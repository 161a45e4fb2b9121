package dev.rlvr.trainer.launch;

/** One end of a {@link Link}; its text is what people read in messages. */
sealed interface Member {
    /** A rank, by its number over all pods. */
    record Rank(int number) implements Member {
        @Override
        public String toString() {
            return "rank " + number;
        }
    }

    /** The launcher of a pod, by the pod's index. */
    record Replica(int number) implements Member {
        @Override
        public String toString() {
            return "replica " + number;
        }
    }

    /** A rank's own launcher. */
    record Launcher() implements Member {
        @Override
        public String toString() {
            return "the launcher";
        }
    }

    /**
     * Reads the text of a rank or a replica.
     *
     * @throws IllegalArgumentException if it is neither
     */
    static Member parse(String text) {
        String[] words = text.split(" ", 2);
        if (words.length == 2 && words[1].matches("[0-9]{1,9}")) {
            int number = Integer.parseInt(words[1]);
            if (words[0].equals("rank")) {
                return new Rank(number);
            }
            if (words[0].equals("replica")) {
                return new Replica(number);
            }
        }
        throw new IllegalArgumentException("'" + text + "' is neither a rank nor a replica");
    }
}
