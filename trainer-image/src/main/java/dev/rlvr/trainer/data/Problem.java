package dev.rlvr.trainer.data;

/**
 * One problem of a file.
 *
 * @param index position among the file's problems, from 0
 * @param prompt text given to the model: the file's prompt within the template
 * @param answer reference answer as text
 * @param origin where it stands, for messages: {@code train.jsonl line 12}
 */
public record Problem(int index, String prompt, String answer, String origin) {}
