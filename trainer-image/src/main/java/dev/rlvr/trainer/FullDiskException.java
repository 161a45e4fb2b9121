package dev.rlvr.trainer;

/**
 * There is no room now for what has to be written, on a disk that is large enough for it: refused where a job is only checked, else an attempt
 * ends with exit code 75, and one after it may find room. The message is one line that names the folder, what it needs and the remedy.
 */
final class FullDiskException extends RuntimeException {
    FullDiskException(String message) {
        super(message);
    }
}
